// SPDX-License-Identifier: MIT
// POSIX locks belong to process and inode: not inherited over fork, kept over exec, and dropped
// when the process closes *any* descriptor of the file (but not an O_PATH one).
// covers: fcntl, close, fork, execve
#include "check.h"

static int lock(int fd, int type)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET};

    return fcntl(fd, F_SETLK, &l);
}

// As another process sees it: is the file locked?
static int locked(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int fd = OK(open("f", O_RDWR));
        _exit(lock(fd, F_WRLCK) == 0 ? 10 : errno == EAGAIN ? 11 : 12);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 10 || WEXITSTATUS(status) == 11));
    return WEXITSTATUS(status) == 11;
}

int main(int argc, char **argv)
{
    int fd;

    if (argc > 1) {
        CHECK_EQ(locked(), 1);
        return done();
    }
    put_file("f", "");
    CHECK_EQ(link("f", "g"), 0);
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(locked(), 0);
    CHECK_EQ(lock(fd, F_WRLCK), 0);
    CHECK_EQ(locked(), 1);
    CHECK_EQ(close(OK(open("f", O_PATH))), 0);
    CHECK_EQ(locked(), 1);
    CHECK_EQ(close(OK(open("g", O_RDONLY))), 0);
    CHECK_EQ(locked(), 0);

    CHECK_EQ(lock(fd, F_WRLCK), 0);
    CHECK_EQ(close(OK(dup(fd))), 0);
    CHECK_EQ(locked(), 0);
    // dup2 over a descriptor of the file closes it as well.
    CHECK_EQ(lock(fd, F_WRLCK), 0);
    CHECK_EQ(dup2(0, OK(open("f", O_RDONLY))) > 0, 1);
    CHECK_EQ(locked(), 0);

    // A child that closes its copy cannot take the parent's lock away.
    CHECK_EQ(lock(fd, F_WRLCK), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(lock(fd, F_UNLCK), 0);
        CHECK_EQ(close(fd), 0);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(locked(), 1);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execve came back");
}
