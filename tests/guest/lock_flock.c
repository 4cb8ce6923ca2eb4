// SPDX-License-Identifier: MIT
// flock: shared and exclusive between open files, shared by dup and fork, apart from record
// locks.
// covers: flock
#include "check.h"
#include <sys/file.h>

int main(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a, b, c, dir, p[2];
    char x;

    put_file("f", "");
    a = OK(open("f", O_RDONLY));
    b = OK(open("f", O_RDWR));
    CHECK_EQ(flock(a, LOCK_SH), 0);
    CHECK_EQ(flock(b, LOCK_SH | LOCK_NB), 0);
    CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    // A failed conversion has given up the old lock.
    CHECK_EQ(flock(b, LOCK_EX | LOCK_NB), 0);
    CHECK_ERR(flock(a, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    c = OK(dup(b));
    CHECK_EQ(flock(c, LOCK_EX | LOCK_NB), 0);
    CHECK_EQ(close(b), 0);
    CHECK_ERR(flock(a, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_EQ(fcntl(c, F_SETLK, &l), 0);
    CHECK_EQ(stat_of("f").st_size, 0);
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(close(OK(open("f", O_RDONLY))), 0);
    CHECK_ERR(flock(a, LOCK_SH | LOCK_NB), EWOULDBLOCK);

    // An unlock by the child is an unlock of the one lock; a waiter goes on.
    CHECK_EQ(pipe(p), 0);
    pid_t waiter = fork();
    if (waiter == 0) {
        int mine = OK(open("f", O_RDONLY));
        CHECK_EQ(write(p[1], "w", 1), 1);
        CHECK_EQ(flock(mine, LOCK_EX), 0);
        _exit(0);
    }
    CHECK_EQ(read(p[0], &x, 1), 1);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(flock(c, LOCK_UN), 0);
        _exit(0);
    }
    wait_ok(pid);
    wait_ok(waiter);
    CHECK_EQ(flock(a, LOCK_EX), 0);
    CHECK_EQ(flock(a, LOCK_UN), 0);

    dir = OK(open(".", O_RDONLY));
    CHECK_EQ(flock(dir, LOCK_EX | LOCK_NB), 0);
    CHECK_ERR(flock(OK(open(".", O_RDONLY)), LOCK_SH | LOCK_NB), EWOULDBLOCK);
    CHECK_ERR(flock(a, 0), EINVAL);
    CHECK_ERR(flock(77, LOCK_SH), EBADF);
    return done();
}
