// SPDX-License-Identifier: MIT
// /dev/fd, stdin, stdout, stderr lead to the caller's own descriptors; /dev/tty is ENXIO without
// a terminal; /dev/shm takes files.
// covers: open, readlink, setsid, stat, unlink
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    char text[32] = "", name[32];
    int p[2], fd;

    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(dup2(p[0], 0), 0);
    CHECK_EQ(dup2(p[1], 50), 50);
    fd = OK(open("/dev/fd/50", O_WRONLY));
    CHECK_EQ(write(fd, "through", 7), 7);
    fd = OK(open("/dev/stdin", O_RDONLY));
    CHECK_EQ(read(fd, text, sizeof(text)), 7);
    CHECK_STR(text, "through");
    CHECK_ERR(open("/dev/fd/51", O_RDONLY), ENOENT);
    CHECK_ERR(access("/dev/fd/51", F_OK), ENOENT);
    CHECK_EQ(access("/dev/fd/50", F_OK), 0);
    CHECK(S_ISLNK(stat_of("/dev/stdout").st_mode));
    CHECK_EQ(dup2(p[1], 2), 2);
    fd = OK(open("/dev/stderr", O_WRONLY));
    CHECK_EQ(write(fd, "e", 1), 1);
    CHECK_EQ(read(0, text, sizeof(text)), 1);
    CHECK(stat_of("/dev/tty").st_rdev == 0x500);

    pid_t pid = fork();
    if (pid == 0) {
        CHECK(setsid() > 0);
        CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
        _exit(0);
    }
    wait_ok(pid);

    CHECK(S_ISDIR(stat_of("/dev/shm").st_mode));
    CHECK_EQ(mode_of("/dev/shm"), 01777);
    snprintf(name, sizeof(name), "/guest-test-%d", getpid());
    fd = OK(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    CHECK_EQ(ftruncate(fd, 4096), 0);
    CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
    CHECK_EQ(shm_unlink(name), 0);
    return done();
}
