// SPDX-License-Identifier: MIT
// OFD locks belong to the open file: they conflict within a process, are shared by dup and fork,
// and no close of another descriptor drops them.
// covers: fcntl, dup, close, fork
#include "check.h"

static int lock(int fd, int cmd, int type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    return fcntl(fd, cmd, &l);
}

int main(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int a, b, c, p[2];
    char x;

    put_file("f", "0123456789");
    a = OK(open("f", O_RDWR));
    b = OK(open("f", O_RDWR));
    c = OK(dup(a));
    CHECK_EQ(lock(a, F_OFD_SETLK, F_WRLCK, 0, 4), 0);
    CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 3, 1), EAGAIN);
    CHECK_EQ(lock(b, F_OFD_SETLK, F_RDLCK, 4, 1), 0);
    CHECK_EQ(lock(c, F_OFD_SETLK, F_WRLCK, 3, 1), 0);
    // Against POSIX locks of the same process too.
    CHECK_ERR(lock(b, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
    CHECK_EQ(fcntl(b, F_OFD_GETLK, &l), 0);
    CHECK_EQ(l.l_type, F_WRLCK);
    CHECK_EQ(l.l_pid, -1);
    CHECK_EQ(l.l_start, 0);
    CHECK_EQ(l.l_len, 4);

    CHECK_EQ(close(OK(open("f", O_RDONLY))), 0);
    CHECK_EQ(close(c), 0);
    CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);

    // The child's copy holds it after the parent has closed its own.
    CHECK_EQ(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(close(p[1]), 0);
        CHECK_EQ(read(p[0], &x, 1), 0);
        _exit(0);
    }
    CHECK_EQ(close(a), 0);
    CHECK_ERR(lock(b, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
    CHECK_EQ(close(p[1]), 0);
    wait_ok(pid);
    CHECK_EQ(lock(b, F_OFD_SETLKW, F_RDLCK, 0, 1), 0);

    l = (struct flock){.l_type = F_RDLCK, .l_pid = getpid()};
    CHECK_ERR(fcntl(b, F_OFD_SETLK, &l), EINVAL);
    return done();
}
