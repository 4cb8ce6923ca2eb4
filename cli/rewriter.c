// SPDX-License-Identifier: MIT
// See rewriter.h. Files come over a socket, one in a message. One that changed a moment ago waits,
// for it could change again without its times showing it; when the instance ends, such files are
// left. While there is nothing else to do, the list of warm.c is gone through.
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
#include "warm.h"

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

struct waiting {
    int fd[WAITING_MAX], count;
};

// Rewrites a file, or lets it wait. False: that failed.
static bool take(struct waiting *w, int cache, int fd)
{
    int error = rewrite_file(cache, fd);
    if (error == -EAGAIN && w->count < WAITING_MAX) {
        w->fd[w->count++] = fd;
        return true;
    }
    close(fd);
    return !error;
}

static void try_again(struct waiting *w, int cache)
{
    for (int i = w->count; i-- > 0;) {
        if (rewrite_file(cache, w->fd[i]) == -EAGAIN)
            continue;
        close(w->fd[i]);
        w->fd[i] = w->fd[--w->count];
    }
}

static _Noreturn void work(int cache, int requests, int root)
{
    struct waiting waiting = {.count = 0};
    struct warming warming;
    struct pollfd p = {.fd = requests, .events = POLLIN};
    warm_begin(&warming, cache, root);
    for (;;) {
        if (poll(&p, 1, waiting.count ? 1000 : warming.ends ? -1 : 0) > 0) {
            int fd = receive(requests);
            if (fd == -2)
                _exit(0);
            if (fd >= 0)
                take(&waiting, cache, fd);
        } else if (waiting.count) {
            try_again(&waiting, cache);
        } else if (!warming.ends) {
            int fd = warm_next(&warming);
            if (fd >= 0 && !take(&waiting, cache, fd))
                warming.ends = true; // a cache that takes nothing
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
    work(l->cache_fd, requests, l->mount_fd[0]);
}
