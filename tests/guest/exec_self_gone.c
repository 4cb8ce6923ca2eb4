// SPDX-License-Identifier: MIT
// A program that has no path, a memory file or one that was removed before it ran: /proc/self/exe
// leads to it all the same, for execve, open and stat, by which programs start themselves again;
// also under another root and in what it forks.
// covers: execve, execveat, memfd_create, openat, readlink
// needs: root
#include "check.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

static int copy_to(int fd)
{
    int self = OK(open("/proc/self/exe", O_RDONLY));
    off_t size = lseek(self, 0, SEEK_END), at = 0;
    while (at < size)
        OK(sendfile(fd, self, &at, size - at));
    CHECK_EQ(close(self), 0);
    return fd;
}

static void check_self(void)
{
    char magic[4];
    struct stat st, by_path;
    int fd = OK(open("/proc/self/exe", O_RDONLY));
    CHECK_EQ(read(fd, magic, 4), 4);
    CHECK_EQ(memcmp(magic, "\177ELF", 4), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(stat("/proc/self/exe", &by_path), 0);
    CHECK_EQ(by_path.st_ino, st.st_ino);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(close(fd), 0);
    CHECK_ERR(open("/proc/self/exe", O_RDWR), ETXTBSY);
}

// An execve that fails leaves the program what it is.
static void check_failed_exec(const char *path)
{
    static char big[400000];
    memset(big, 'x', sizeof big - 1);
    CHECK_ERR(execv(path, (char *[]){"x", big, NULL}), E2BIG);
    check_self();
}

int main(int argc, char **argv)
{
    char shown[300], *fork_again[] = {argv[0], "forked", NULL};
    ssize_t n = readlink("/proc/self/exe", shown, sizeof shown - 1);

    CHECK(n > 0);
    shown[n] = 0;
    if (argc == 2 && !strcmp(argv[1], "again")) {
        CHECK(strstr(shown, " (deleted)"));
        check_self();
        check_failed_exec("/proc/self/exe");
        check_failed_exec("./named");
        pid_t pid = fork();
        if (pid == 0) {
            check_self();
            execv("/proc/self/exe", fork_again);
            _exit(1);
        }
        wait_ok(pid);
        _exit(7);
    }
    if (argc == 2) { // "forked"
        check_self();
        int fd = OK(open("/proc/self/exe", O_RDONLY));
        CHECK_EQ(fexecve(fd, (char *[]){argv[0], "an", "end", NULL}, environ), 0);
    }
    if (argc == 3)
        _exit(0);
    CHECK_EQ(close(copy_to(OK(open("named", O_CREAT | O_WRONLY, 0700)))), 0);
    for (int kind = 0; kind < 2; kind++) {
        pid_t pid = fork();
        if (pid == 0) {
            int fd = kind ? OK(memfd_create("program", MFD_CLOEXEC))
                          : OK(open("program", O_CREAT | O_RDWR | O_CLOEXEC, 0700));
            copy_to(fd);
            char path[40];
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            int ro = OK(open(path, O_RDONLY | O_CLOEXEC));
            CHECK_EQ(close(fd), 0);
            if (!kind)
                CHECK_EQ(unlink("program"), 0);
            fexecve(ro, (char *[]){"gone", "again", NULL}, (char *[]){NULL});
            _exit(1);
        }
        int status;
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 7 << 8);
    }
    return done();
}
