// SPDX-License-Identifier: MIT
// Two processes that wait for each other's record lock: exactly one is told EDEADLK.
// covers: fcntl
#include "check.h"

static int lock(int fd, int cmd, int type, off_t start)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};

    return fcntl(fd, cmd, &l);
}

// Takes the other's byte; gives its own back if that would never end.
static int cross(int fd, off_t mine, off_t other)
{
    if (lock(fd, F_SETLKW, F_WRLCK, other) == 0)
        return 0;
    CHECK_EQ(errno, EDEADLK);
    CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, mine), 0);
    return 1;
}

int main(void)
{
    int fd, p[2], status;
    char c;

    put_file("f", "");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(lock(fd, F_SETLK, F_WRLCK, 1), 0);
        CHECK_EQ(write(p[1], "x", 1), 1);
        _exit(10 + cross(fd, 1, 0));
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    int told = cross(fd, 0, 1);
    CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 1), 0);
    CHECK_EQ(lock(fd, F_SETLK, F_UNLCK, 0), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 11 - told);
    return done();
}
