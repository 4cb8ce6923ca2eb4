// SPDX-License-Identifier: MIT
// Names of POSIX message queues: what may be in them and how long they may be, what /proc shows of
// a descriptor, bad addresses, a removed queue and one of the same name.
// covers: mq_open, mq_unlink
#include "check.h"
#include <mqueue.h>
#include <sys/resource.h>

static long raw_open(const void *text, int flags, const void *attr)
{
    return syscall(SYS_mq_open, text, flags, 0600, attr);
}

static long raw_unlink(const void *text)
{
    return syscall(SYS_mq_unlink, text);
}

static const char *link_of(int fd)
{
    static char text[600];
    char path[40];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = OK(readlink(path, text, sizeof(text) - 1));
    text[n] = 0;
    return text;
}

static void lengths(void)
{
    static const int sizes[] = {1, 100, 200, 225, 255};
    char n[5000], pid[20], shown[300];

    snprintf(pid, sizeof(pid), "%d.", getpid());
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(n, 'x', sizeof(n));
        memcpy(n, pid, strlen(pid));
        n[sizes[i]] = 0;
        if (sizes[i] == 1) {
            n[0] = '\x01';
            raw_unlink(n); // left by a run that was killed
        }
        int fd = OK(raw_open(n, O_CREAT | O_EXCL | O_RDWR, NULL));
        CHECK_ERR(raw_open(n, O_CREAT | O_EXCL | O_RDWR, NULL), EEXIST);
        snprintf(shown, sizeof(shown), "/%.255s", n);
        if (sizes[i] <= 225)
            CHECK_STR(link_of(fd), shown);
        // One that differs in the last byte only is another.
        n[sizes[i] - 1]++;
        CHECK_ERR(raw_open(n, O_RDWR, NULL), ENOENT);
        CHECK_ERR(raw_unlink(n), ENOENT);
        n[sizes[i] - 1]--;
        CHECK_EQ(raw_unlink(n), 0);
        snprintf(shown, sizeof(shown), "/%.255s (deleted)", n);
        if (sizes[i] <= 225)
            CHECK_STR(link_of(fd), shown);
        close(fd);
    }
    memset(n, 'x', sizeof(n));
    n[256] = 0;
    CHECK_ERR(raw_open(n, O_CREAT | O_RDWR, NULL), ENAMETOOLONG);
    CHECK_ERR(raw_open(n, O_RDWR, NULL), ENAMETOOLONG);
    CHECK_ERR(raw_unlink(n), ENAMETOOLONG);
    n[100] = '/';
    CHECK_ERR(raw_open(n, O_CREAT | O_RDWR, NULL), EACCES);
    CHECK_ERR(raw_unlink(n), EACCES);
    n[256] = 'x', n[4096] = 0;
    CHECK_ERR(raw_open(n, O_CREAT | O_RDWR, NULL), ENAMETOOLONG);
    CHECK_ERR(raw_unlink(n), ENAMETOOLONG);
}

static void errors(const char *name)
{
    static const char *const wrong[] = {"/a", "a/", "a/b", ".", "..", "/"};
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8}, bad = {.mq_maxmsg = -1};

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK_ERR(raw_open(wrong[i], O_RDWR | O_CREAT, NULL), EACCES);
        CHECK_ERR(raw_open(wrong[i], O_RDWR, NULL), EACCES);
        CHECK_ERR(raw_unlink(wrong[i]), EACCES);
    }
    CHECK_ERR(raw_open("", O_RDWR | O_CREAT, NULL), ENOENT);
    CHECK_ERR(raw_unlink(""), ENOENT);
    CHECK_ERR(raw_open(bad_ptr, O_RDWR | O_CREAT, NULL), EFAULT);
    CHECK_ERR(raw_open(name, O_RDWR | O_CREAT, bad_ptr), EFAULT);
    CHECK_ERR(raw_open(name, O_RDWR, bad_ptr), EFAULT);
    CHECK_ERR(raw_open(bad_ptr, O_RDWR, bad_ptr), EFAULT);
    CHECK_ERR(raw_unlink(bad_ptr), EFAULT);
    CHECK_ERR(raw_open(name, O_RDWR | O_CREAT, &bad), EINVAL);
    CHECK_ERR(raw_unlink(name), ENOENT);
    CHECK_ERR(raw_open(name, O_RDWR, &bad), ENOENT);
    // Of one that is there nobody asks how it should be.
    int fd = OK(raw_open(name, O_RDWR | O_CREAT, &attr));
    int again = OK(raw_open(name, O_RDONLY | O_CREAT | O_NONBLOCK, &bad));
    CHECK_ERR(raw_open(name, O_RDONLY, bad_ptr), EFAULT);
    CHECK_ERR(raw_open(name, O_WRONLY | O_RDWR, NULL), EINVAL);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR);
    CHECK_EQ(fcntl(again, F_GETFL), O_RDONLY | O_NONBLOCK);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(mq_getattr(again, &bad) == 0 && bad.mq_maxmsg == 1 && bad.mq_msgsize == 8);
    CHECK_EQ(close(again), 0);
    // The lowest number is given, and none that is in the way.
    CHECK_EQ(raw_open(name, O_RDONLY, NULL), again);
    CHECK_EQ(close(again), 0);
    struct rlimit full = {(rlim_t)again, 4096};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &full), 0);
    CHECK_ERR(raw_open(name, O_RDONLY, NULL), EMFILE);
    CHECK_EQ(raw_unlink(name), 0);
    CHECK_ERR(raw_unlink(name), ENOENT);
    full.rlim_cur = 1024;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &full), 0);
    CHECK_EQ(close(fd), 0);
}

// A removed queue lives on for who has it, and another gets its name.
static void removed(const char *name)
{
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
    struct stat old, new;
    char buf[8];

    int first = OK(raw_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, &attr));
    CHECK_EQ(fchmod(first, 0640), 0);
    CHECK_EQ(mq_notify(first, &none), 0);
    CHECK_EQ(raw_unlink(name), 0); // which takes no notification away
    CHECK_ERR(mq_notify(first, &none), EBUSY);
    int second = OK(raw_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, &attr));
    CHECK_EQ(mq_send(first, "first", 5, 0), 0);
    CHECK_ERR(mq_receive(second, buf, sizeof(buf), NULL), EAGAIN);
    CHECK_EQ(mq_receive(first, buf, sizeof(buf), NULL), 5);
    CHECK(fstat(first, &old) == 0 && fstat(second, &new) == 0);
    CHECK(old.st_ino != new.st_ino &&old.st_dev == new.st_dev);
    CHECK(old.st_nlink == 0 && new.st_nlink == 1);
    CHECK((old.st_mode & 07777) == 0640 && (new.st_mode & 07777) == 0600);
    CHECK(old.st_uid == geteuid() && new.st_uid == geteuid());
    // An open that fails takes none away either.
    CHECK_EQ(mq_notify(second, &none), 0);
    CHECK_ERR(raw_open(name, O_RDWR | O_CREAT | O_EXCL, &attr), EEXIST);
    CHECK_ERR(raw_open(name, O_RDWR | O_WRONLY, &attr), EINVAL);
    CHECK_ERR(mq_notify(second, &none), EBUSY);
    CHECK_EQ(raw_unlink(name), 0);
    close(first);
    close(second);
}

int main(void)
{
    char name[32];

    umask(022);
    snprintf(name, sizeof(name), "mq-names-%d", getpid());
    lengths();
    errors(name);
    removed(name);
    return done();
}
