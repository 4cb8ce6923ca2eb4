// SPDX-License-Identifier: MIT
// Over fork a shared file mapping stays shared and a private one becomes two; a page beyond the
// end of the file is SIGBUS; the rest of the last page is zeros.
// covers: mmap, fork, ftruncate
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), status;
    char *shared, *private;

    CHECK_EQ(write(fd, "abc", 3), 3);
    shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    for (int i = 3; i < 4096; i++)
        CHECK_EQ(shared[i], 0);
    strcpy(private, "parent");
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_STR(private, "parent");
        strcpy(private, "child");
        strcpy(shared, "CHILD");
        _exit(0);
    }
    wait_ok(pid);
    CHECK_STR(private, "parent");
    CHECK_STR(shared, "CHILD");
    // What is written beyond the end of the file does not become part of it.
    CHECK_EQ(stat_of("f").st_size, 3);
    CHECK_STR(get_file("f"), "CHI");

    pid = fork();
    if (pid == 0) {
        volatile char c = shared[4096];
        _exit(c);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    CHECK_EQ(ftruncate(fd, 5000), 0);
    CHECK_EQ(shared[4096], 0);
    return done();
}
