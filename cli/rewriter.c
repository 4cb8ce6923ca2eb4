// SPDX-License-Identifier: MIT
// See rewriter.h. Files come over a socket, one in a message. One that changed a moment ago waits,
// for it could change again without its times showing it; when the instance ends, such files are
// left.
#define _GNU_SOURCE
#include "rewriter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cache.h"
#include "fail.h"
#include "rewrite.h"

#define WAITING_MAX 64

void rewriter_prepare(struct launch *l)
{
    int pair[2];
    if (l->memory->engine != ENGINE_REWRITE)
        return;
    l->cache_fd = cache_open();
    if (l->cache_fd < 0) {
        if (l->options->verbose)
            fprintf(stderr, "lxrun: no cache of rewritten code: %s\n", strerror(-l->cache_fd));
        return;
    }
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
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(requests, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n == 0)
        return -2;
    struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

// True: it changed a moment ago, and is to be tried again.
static bool must_wait(int cache, int fd)
{
    return rewrite_file(cache, fd) == -EAGAIN;
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
            if (fd >= 0 && must_wait(cache, fd) && count < WAITING_MAX)
                waiting[count++] = fd;
            else if (fd >= 0)
                close(fd);
            continue;
        }
        for (int i = count; i-- > 0;) {
            if (must_wait(cache, waiting[i]))
                continue;
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
