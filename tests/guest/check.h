// SPDX-License-Identifier: MIT
// What the guest tests share: assertions that name their place, and a few ways to make and look
// at files. A test runs in an empty writable directory, cleans nothing, and ends by done().
// Failures go to stderr, so that stdout holds only what native Linux and lxrun must have in common.
#ifndef GUEST_CHECK_H
#define GUEST_CHECK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// _exit, not exit: the caller may be a forked child that holds a copy of the parent's stdout
// buffer.
static inline _Noreturn void check_failed(const char *file, int line, const char *expr,
                                          const char *why)
{
    const char *base = strrchr(file, '/');

    dprintf(2, "%s:%d: %s: %s\n", base ? base + 1 : file, line, expr, why);
    _exit(1);
}

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        int saved_ = errno;                                                                        \
        if (!(cond)) {                                                                             \
            char why_[64];                                                                         \
            snprintf(why_, sizeof(why_), "is false (errno %d before it)", saved_);                 \
            check_failed(__FILE__, __LINE__, #cond, why_);                                         \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(a, b)                                                                             \
    do {                                                                                           \
        long long a_ = (long long)(a), b_ = (long long)(b);                                        \
        if (a_ != b_) {                                                                            \
            char why_[128];                                                                        \
            snprintf(why_, sizeof(why_), "%lld (0x%llx), not %lld (0x%llx), errno %d", a_, a_, b_, \
                     b_, errno);                                                                   \
            check_failed(__FILE__, __LINE__, #a " == " #b, why_);                                  \
        }                                                                                          \
    } while (0)

#define CHECK_STR(a, b)                                                                            \
    do {                                                                                           \
        const char *s_ = (a);                                                                      \
        if (strcmp(s_, (b)) != 0)                                                                  \
            check_failed(__FILE__, __LINE__, #a " is " #b, s_);                                    \
    } while (0)

// The call fails with exactly this error.
#define CHECK_ERR(call, err)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (long)(call);                                                                    \
        if (r_ != -1 || errno != (err)) {                                                          \
            char why_[96];                                                                         \
            snprintf(why_, sizeof(why_), "returned %ld, errno %d, not errno %d", r_, errno,        \
                     (err));                                                                       \
            check_failed(__FILE__, __LINE__, #call, why_);                                         \
        }                                                                                          \
    } while (0)

// The value of a call that must not fail.
#define OK(call)                                                                                   \
    ({                                                                                             \
        errno = 0;                                                                                 \
        __typeof__(call) v_ = (call);                                                              \
        if (v_ == (__typeof__(call))-1)                                                            \
            check_failed(__FILE__, __LINE__, #call, strerror(errno));                              \
        v_;                                                                                        \
    })

// An address that is never mapped; volatile, so that the compiler cannot know.
__attribute__((unused)) static void *volatile bad_ptr = (void *)8;

static inline int done(void)
{
    puts("ok");
    return 0;
}

// Reaps a child that must have exited with 0; its own CHECKs have said why if it did not.
static inline void wait_ok(pid_t pid)
{
    int status;

    CHECK(pid > 0);
    CHECK_EQ(OK(waitpid(pid, &status, 0)), pid);
    CHECK_EQ(status, 0);
}

static inline void put_file(const char *path, const char *text)
{
    int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(close(fd), 0);
}

// The start of a file as a string; the buffer is reused by the next call.
static inline const char *get_fd(int fd)
{
    static char text[4096];
    ssize_t n = OK(pread(fd, text, sizeof(text) - 1, 0));

    text[n] = 0;
    return text;
}

static inline const char *get_file(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    const char *text = get_fd(fd);

    CHECK_EQ(close(fd), 0);
    return text;
}

static inline struct stat stat_of(const char *path)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        check_failed(__FILE__, __LINE__, path, strerror(errno));
    return st;
}

static inline int mode_of(const char *path)
{
    return stat_of(path).st_mode & 07777;
}

// For a child of root: becomes an ordinary user without other groups, for good.
static inline void become(uid_t uid, gid_t gid)
{
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(gid, gid, gid), 0);
    CHECK_EQ(setresuid(uid, uid, uid), 0);
}

#endif
