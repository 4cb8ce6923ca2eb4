// SPDX-License-Identifier: MIT
// See rewriter.h. Files come over a socket, one in a message. One that changed a moment ago waits, for
// it could change again without its times showing it; when the instance ends, such files are left.
#define _GNU_SOURCE
#include "rewriter.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "fail.h"
#include "rewrite.h"

#define WAITING_MAX 64
#define YOUNG_S 3 // seconds; the cache does not take files that changed less than two seconds ago

void rewriter_prepare(struct launch *l)
{
    int pair[2];
    l->cache_fd = cache_open(l->options->verbose);
    if (l->cache_fd < 0)
        return;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        fail_errno("socketpair");
    l->rewrite_fd = pair[0];
    l->requests_fd = pair[1];
    l->memory->has_cache = 1;
}

// The next file; -1: none yet, -2: nobody is left to ask.
static int receive(int requests)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(requests, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n == 0)
        return -2;
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return -1;
    int fd;
    __builtin_memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static bool is_young(int fd)
{
    struct stat st;
    return !fstat(fd, &st) && time(NULL) - st.st_ctime < YOUNG_S;
}

static _Noreturn void work(int cache, int requests)
{
    int waiting[WAITING_MAX], count = 0;
    struct pollfd p = {.fd = requests, .events = POLLIN};
    for (;;) {
        if (poll(&p, 1, count ? 1000 : -1) > 0) {
            int fd = receive(requests);
            if (fd == -2)
                _exit(0);
            if (fd >= 0 && is_young(fd) && count < WAITING_MAX) {
                waiting[count++] = fd;
            } else if (fd >= 0) {
                cache_add(cache, fd, NULL);
                close(fd);
            }
            continue;
        }
        for (int i = count; i-- > 0;) {
            if (is_young(waiting[i]))
                continue;
            cache_add(cache, waiting[i], NULL);
            close(waiting[i]);
            waiting[i] = waiting[--count];
        }
    }
}

void rewriter_start(const struct launch *l, int requests)
{
    sigset_t none;
    if (fork())
        return;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "lxrun-rewrite");
    setpriority(PRIO_PROCESS, 0, 10); // the guest goes first
    work(l->cache_fd, requests);
}
