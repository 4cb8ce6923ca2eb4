// SPDX-License-Identifier: MIT
// POSIX record locks: ranges, types, splitting, who is in the way, and waiting for the range.
// covers: fcntl
#include "check.h"

static int fd;

static int lock(int cmd, int type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    return fcntl(fd, cmd, &l);
}

static struct flock who(int type, off_t start, off_t len)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    CHECK_EQ(fcntl(fd, F_GETLK, &l), 0);
    return l;
}

static void child(pid_t parent)
{
    struct flock l = who(F_WRLCK, 8, 0);

    CHECK_EQ(l.l_type, F_WRLCK);
    CHECK_EQ(l.l_pid, parent);
    CHECK_EQ(l.l_start, 10);
    CHECK_EQ(l.l_len, 10);
    l = who(F_RDLCK, 25, 100);
    CHECK_EQ(l.l_type, F_WRLCK);
    CHECK_EQ(l.l_start, 30);
    CHECK_EQ(l.l_len, 0);
    CHECK_EQ(who(F_WRLCK, 20, 5).l_type, F_UNLCK);
    CHECK_EQ(who(F_RDLCK, 5, 3).l_type, F_UNLCK);

    CHECK_ERR(lock(F_SETLK, F_WRLCK, 15, 1), EAGAIN);
    CHECK_ERR(lock(F_SETLK, F_RDLCK, 0, 11), EAGAIN);
    CHECK_EQ(lock(F_SETLK, F_WRLCK, 20, 10), 0);
    CHECK_EQ(lock(F_SETLK, F_RDLCK, 2, 2), 0);
    CHECK_ERR(lock(F_SETLK, F_WRLCK, 2, 2), EAGAIN);
    _exit(0);
}

int main(void)
{
    struct flock end = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -3, .l_len = 3};
    pid_t pid, parent = getpid();
    int p[2];
    char c;

    put_file("f", "0123456789");
    fd = OK(open("f", O_RDWR));
    // [0,5) shared; [10,20) and [30,end) exclusive: the middle of one lock is given back.
    CHECK_EQ(lock(F_SETLK, F_WRLCK, 10, 0), 0);
    CHECK_EQ(lock(F_SETLK, F_UNLCK, 20, 10), 0);
    CHECK_EQ(lock(F_SETLK, F_RDLCK, 0, 5), 0);
    pid = fork();
    if (pid == 0)
        child(parent);
    wait_ok(pid);

    // A waiter gets the range when it is given back.
    CHECK_EQ(pipe(p), 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(write(p[1], "r", 1), 1);
        CHECK_EQ(lock(F_SETLKW, F_WRLCK, 12, 1), 0);
        CHECK_EQ(who(F_WRLCK, 12, 1).l_type, F_UNLCK);
        _exit(0);
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(lock(F_SETLK, F_UNLCK, 0, 0), 0);
    wait_ok(pid);

    CHECK_EQ(fcntl(fd, F_SETLK, &end), 0);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(who(F_WRLCK, 0, 0).l_start, 7);
        CHECK_EQ(who(F_WRLCK, 0, 0).l_len, 3);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_ERR(lock(F_SETLK, F_WRLCK, -1, 1), EINVAL);
    CHECK_ERR(lock(F_SETLK, 77, 0, 1), EINVAL);
    fd = OK(open("f", O_RDONLY));
    CHECK_ERR(lock(F_SETLK, F_WRLCK, 0, 1), EBADF);
    return done();
}
