// SPDX-License-Identifier: MIT
// Ping-pong: one operation is a byte (or a wake-up) there and back between two processes (for the
// futex: two threads) on one processor.
#include "micro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int in, out; // our ends

static void take(int fd)
{
    char c;
    if (read(fd, &c, 1) != 1)
        die("ping-pong: read");
}

static void give(int fd)
{
    if (write(fd, "x", 1) != 1)
        die("ping-pong: write");
}

// The partner answers until its end of the connection is closed, or until we are gone.
static void start_partner(int from, int to)
{
    pid_t us = getpid(), child;
    stay_on_one_cpu();
    child = fork();
    MUST(child);
    if (child)
        return;
    MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (getppid() != us)
        _exit(0);
    for (char c; read(from, &c, 1) == 1 && write(to, &c, 1) == 1;)
        ;
    _exit(0);
}

static void run_ping_pong(long n)
{
    while (n--) {
        give(out);
        take(in);
    }
}

static void prepare_pipe(void)
{
    int there[2], back[2];
    MUST(pipe(there));
    MUST(pipe(back));
    start_partner(there[0], back[1]);
    out = there[1];
    in = back[0];
}

static void prepare_unix(void)
{
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    start_partner(pair[1], pair[1]);
    in = out = pair[0];
}

static void prepare_tcp(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int one = 1, partner, listener = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listener);
    MUST(bind(listener, (void *)&at, size));
    MUST(getsockname(listener, (void *)&at, &size));
    MUST(listen(listener, 1));
    in = out = socket(AF_INET, SOCK_STREAM, 0);
    MUST(in);
    MUST(connect(in, (void *)&at, size));
    partner = accept(listener, NULL, NULL);
    MUST(partner);
    MUST(setsockopt(in, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    MUST(setsockopt(partner, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    start_partner(partner, partner);
}

static int epoll;

static void prepare_epoll(void)
{
    prepare_unix();
    struct epoll_event event = {.events = EPOLLIN};
    epoll = epoll_create1(0);
    MUST(epoll);
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, in, &event));
}

static void run_epoll(long n)
{
    struct epoll_event event;
    while (n--) {
        give(out);
        if (epoll_wait(epoll, &event, 1, -1) != 1)
            die("epoll_wait");
        take(in);
    }
}

// 0: our turn, 1: the partner's.
static _Atomic uint32_t turn;

static void futex(int what, uint32_t value)
{
    long result = RAW(SYS_futex, &turn, what | FUTEX_PRIVATE_FLAG, value, NULL);
    if (result < 0 && result != -EAGAIN && result != -EINTR)
        die("futex");
}

static void await(uint32_t mine)
{
    while (atomic_load(&turn) != mine)
        futex(FUTEX_WAIT, !mine);
}

static void pass_on(uint32_t to)
{
    atomic_store(&turn, to);
    futex(FUTEX_WAKE, 1);
}

static void *partner_thread(void *arg)
{
    for (;;) {
        await(1);
        pass_on(0);
    }
    return arg;
}

static void prepare_futex(void)
{
    pthread_t t;
    stay_on_one_cpu();
    if (pthread_create(&t, NULL, partner_thread, NULL))
        die("pthread_create");
}

static void run_futex(long n)
{
    while (n--) {
        pass_on(1);
        await(0);
    }
}

const struct work ipc_works[] = {
    {"pipe", run_ping_pong, prepare_pipe}, {"unix", run_ping_pong, prepare_unix},
    {"tcp", run_ping_pong, prepare_tcp},   {"futex", run_futex, prepare_futex},
    {"epoll", run_epoll, prepare_epoll},   {0},
};
