// SPDX-License-Identifier: MIT
// A number that was a file's and is another thing's now, by each way that a number changes hands:
// attributes, ACLs, times and modes are those of what it stands for.
// covers: fgetxattr, fsetxattr, flistxattr, utimensat, fchmod, dup2, close, close_range
#include "check.h"
#include <linux/close_range.h>
#include <pthread.h>
#include <sys/xattr.h>

static const char acl_name[] = "system.posix_acl_access";
// Version 2; owner, group and others as in 0640.
static const unsigned char acl[28] = {2,    0,    0, 0, 1,    0,    6,    0,    0xff, 0xff,
                                      0xff, 0xff, 4, 0, 4,    0,    0xff, 0xff, 0xff, 0xff,
                                      32,   0,    0, 0, 0xff, 0xff, 0xff, 0xff};
static char got[64];

// A file at that number, that all is known of.
static void make_file(int fd)
{
    struct stat st;
    int is = OK(open("f", O_RDWR));

    CHECK_EQ(is, fd);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK(flistxattr(fd, got, sizeof(got)) >= 0);
    CHECK_ERR(fgetxattr(fd, acl_name, got, sizeof(got)), ENODATA);
    if (fsetxattr(fd, acl_name, acl, sizeof(acl), 0) == 0)
        CHECK_EQ(mode_of("f"), 0640);
    CHECK_EQ(futimens(fd, NULL), 0);
}

// Nothing can be done by O_PATH.
static void is_path(int fd)
{
    CHECK_ERR(flistxattr(fd, got, sizeof(got)), EBADF);
    CHECK_ERR(fgetxattr(fd, acl_name, got, sizeof(got)), EBADF);
    CHECK_ERR(fsetxattr(fd, acl_name, acl, sizeof(acl), 0), EBADF);
    CHECK_ERR(fsetxattr(fd, "user.x", "1", 1, 0), EBADF);
    CHECK_ERR(fremovexattr(fd, "user.x"), EBADF);
    CHECK_ERR(futimens(fd, NULL), EBADF);
    CHECK_ERR(fchmod(fd, 0600), EBADF);
}

static void is_closed(int fd)
{
    CHECK_ERR(flistxattr(fd, got, sizeof(got)), EBADF);
    CHECK_ERR(fgetxattr(fd, acl_name, got, sizeof(got)), EBADF);
    CHECK_ERR(fsetxattr(fd, acl_name, acl, sizeof(acl), 0), EBADF);
    CHECK_ERR(futimens(fd, NULL), EBADF);
}

// A FIFO has attributes only that the superuser may give.
static void is_fifo(int fd)
{
    CHECK_ERR(fsetxattr(fd, "user.x", "1", 1, 0), EPERM);
    if (fsetxattr(fd, "trusted.x", "1", 1, 0) == 0) {
        CHECK_EQ(flistxattr(fd, got, sizeof(got)), sizeof("trusted.x"));
        CHECK_EQ(fremovexattr(fd, "trusted.x"), 0);
    }
    CHECK_EQ(flistxattr(fd, got, sizeof(got)), 0);
    CHECK_EQ(fchmod(fd, 0600), 0);
    if (fsetxattr(fd, acl_name, acl, sizeof(acl), 0) == 0)
        CHECK_EQ(mode_of("p"), 0640);
    CHECK_EQ(futimens(fd, NULL), 0);
}

static void *replace(void *number)
{
    int fd = OK(open("p", O_RDWR));

    CHECK_EQ(dup2(fd, *(int *)number), *(int *)number);
    close(fd);
    return NULL;
}

int main(void)
{
    int path, fifo, fd, pipes[2], null;
    pthread_t thread;

    umask(0);
    put_file("f", "");
    CHECK_EQ(mkfifo("p", 0600), 0);
    path = OK(open("f", O_PATH));
    fifo = OK(open("p", O_RDWR));
    null = OK(open("/dev/null", O_RDWR));
    fd = OK(dup(0));
    close(fd);

    make_file(fd);
    CHECK_EQ(dup2(path, fd), fd);
    is_path(fd);
    close(fd);
    make_file(fd);
    CHECK_EQ(dup2(fifo, fd), fd);
    is_fifo(fd);
    close(fd);
    make_file(fd);
    close(fd);
    is_closed(fd);
    CHECK_EQ(open("f", O_PATH), fd);
    is_path(fd);
    close(fd);
    make_file(fd);
    CHECK_EQ(close_range((unsigned)fd, (unsigned)fd, 0), 0);
    is_closed(fd);
    CHECK_EQ(open("p", O_RDWR), fd);
    is_fifo(fd);
    close(fd);
    make_file(fd);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(pipe(pipes), 0);
    CHECK_EQ(pipes[0], fd);
    CHECK_ERR(fsetxattr(fd, "user.x", "1", 1, 0), EPERM);
    CHECK_EQ(flistxattr(fd, got, sizeof(got)), 0);
    close(pipes[0]);
    close(pipes[1]);
    make_file(fd);
    CHECK_EQ(fcntl(path, F_DUPFD, fd), fd + 1);
    is_path(fd + 1);
    close(fd + 1);

    // By another thread; and by a process that has the same numbers for a while.
    CHECK_EQ(pthread_create(&thread, NULL, replace, &fd), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    is_fifo(fd);
    close(fd);
    make_file(fd);
    pid_t child = OK(fork());
    if (!child) {
        CHECK_EQ(dup2(path, fd), fd);
        is_path(fd);
        _exit(0);
    }
    wait_ok(child);
    CHECK(flistxattr(fd, got, sizeof(got)) >= 0);
    CHECK_EQ(dup2(null, fd), fd);
    struct stat st;
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISCHR(st.st_mode));
    return done();
}
