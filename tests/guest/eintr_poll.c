// SPDX-License-Identifier: MIT
// poll, ppoll, select, pselect and the epoll waits: a handler always ends them with EINTR, also
// with SA_RESTART, with and without a timeout.
// covers: poll, ppoll, select, pselect6, epoll_create1, epoll_ctl, epoll_wait, epoll_pwait
// trap: not old: such a host has no epoll_pwait2
// covers: epoll_pwait2
#include "eintr.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static int p[2], ep;
static struct pollfd pfd;
static struct timespec ts;
static struct timeval tv;
static fd_set set;
static struct epoll_event ev;
static uint64_t none;
static struct {
    const void *mask;
    size_t size;
} sized = {&none, 8};

static void setup(void)
{
    pfd = (struct pollfd){p[0], POLLIN, 0};
    ts = (struct timespec){60, 0};
    tv = (struct timeval){60, 0};
    FD_ZERO(&set);
    FD_SET(p[0], &set);
}
static void nothing(void)
{
}

static long do_poll(void)
{
    return raw(SYS_poll, &pfd, 1, -1);
}
static long do_poll_timed(void)
{
    return raw(SYS_poll, &pfd, 1, 60000);
}
static long do_ppoll(void)
{
    return raw(SYS_ppoll, &pfd, 1, 0, 0, 8);
}
static long do_ppoll_timed(void)
{
    return raw(SYS_ppoll, &pfd, 1, &ts, &none, 8);
}
static long do_select(void)
{
    return raw(SYS_select, p[0] + 1, &set, 0, 0, 0);
}
static long do_select_timed(void)
{
    return raw(SYS_select, p[0] + 1, &set, 0, 0, &tv);
}
static long do_pselect(void)
{
    return raw(SYS_pselect6, p[0] + 1, &set, 0, 0, 0, &sized);
}
static long do_pselect_timed(void)
{
    return raw(SYS_pselect6, p[0] + 1, &set, 0, 0, &ts, 0);
}
static long do_epoll(void)
{
    return raw(SYS_epoll_wait, ep, &ev, 1, -1);
}
static long do_epoll_timed(void)
{
    return raw(SYS_epoll_wait, ep, &ev, 1, 60000);
}
static long do_epoll_pwait(void)
{
    return raw(SYS_epoll_pwait, ep, &ev, 1, -1, &none, 8);
}
static long do_epoll_pwait2(void)
{
    return raw(SYS_epoll_pwait2, ep, &ev, 1, &ts, &none, 8);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"poll", NEVER, do_poll, nothing, 0, setup},
        {"poll, timeout", NEVER, do_poll_timed, nothing, 0, setup},
        {"ppoll", NEVER, do_ppoll, nothing, 0, setup},
        {"ppoll, timeout and mask", NEVER, do_ppoll_timed, nothing, 0, setup},
        {"select", NEVER, do_select, nothing, 0, setup},
        {"select, timeout", NEVER, do_select_timed, nothing, 0, setup},
        {"pselect6, mask", NEVER, do_pselect, nothing, 0, setup},
        {"pselect6, timeout", NEVER, do_pselect_timed, nothing, 0, setup},
        {"epoll_wait", NEVER, do_epoll, nothing, 0, setup},
        {"epoll_wait, timeout", NEVER, do_epoll_timed, nothing, 0, setup},
        {"epoll_pwait, mask", NEVER, do_epoll_pwait, nothing, 0, setup},
        {"epoll_pwait2, timeout and mask", NEVER, do_epoll_pwait2, nothing, 0, setup},
    };

    CHECK(pipe(p) == 0 && (ep = epoll_create1(0)) >= 0);
    ev = (struct epoll_event){.events = EPOLLIN};
    CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev) == 0);
    EINTR_TEST(tests);
    return done();
}
