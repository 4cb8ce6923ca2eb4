// SPDX-License-Identifier: MIT
// Thread cancellation rests on signals and on the program counter around the `syscall` instruction:
// a cancelled thread leaves each blocking call, a call that has had its effect is not lost, and a
// disabled state holds. With musl the same: thr_cancel_musl.c.
// covers: tgkill, rt_sigaction, read, futex, nanosleep, wait4, accept, poll
#include "sig.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int p[2], listener;
static atomic_int cleaned, ready, passed;
static pid_t child;

static void cleanup(void *arg)
{
    (void)arg;
    cleaned++;
}

static void do_read(void)
{
    char c;
    (void)!read(p[0], &c, 1);
}
static void do_sleep(void)
{
    nanosleep(&(struct timespec){60, 0}, NULL);
}
static void do_poll(void)
{
    poll(NULL, 0, -1);
}
static void do_pause(void)
{
    pause();
}
static void do_wait(void)
{
    waitpid(child, NULL, 0);
}
static void do_accept(void)
{
    accept(listener, NULL, NULL);
}
static void do_suspend(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigsuspend(&none);
}
static void do_cond(void)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c = PTHREAD_COND_INITIALIZER;

    pthread_mutex_lock(&m);
    pthread_cond_wait(&c, &m);
}
static void do_open(void)
{
    close(open("fifo", O_RDONLY));
}

static void *thread(void *arg)
{
    pthread_cleanup_push(cleanup, NULL);
    ready = 1;
    ((void (*)(void))arg)();
    passed = 1;
    pthread_cleanup_pop(0);
    return NULL;
}

// Reads byte after byte; those it took are counted, whenever it is cancelled.
static atomic_int taken;
static void *counter(void *arg)
{
    char c;

    for (;;)
        if (read(p[0], &c, 1) == 1)
            taken++;
    return arg;
}

static void *disabled(void *arg)
{
    char c;

    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL) == 0);
    ready = 1;
    CHECK(read(p[0], &c, 1) == 1);
    return arg;
}

int main(void)
{
    void (*const calls[])(void) = {do_read,   do_sleep,   do_poll, do_pause, do_wait,
                                   do_accept, do_suspend, do_cond, do_open};
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "sock"};
    pthread_t th;
    void *ret;
    char c;
    int written = 0, left = 0;

    CHECK(pipe(p) == 0 && mkfifo("fifo", 0600) == 0);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(listener, 1) == 0);
    child = OK(fork());
    if (child == 0)
        for (;;)
            pause();
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        for (int early = 0; early < 2; early++) {
            cleaned = ready = passed = 0;
            CHECK(pthread_create(&th, NULL, thread, (void *)calls[i]) == 0);
            while (!early && !ready)
                sched_yield();
            if (!early)
                sleep_us(1000); // most often inside the call by now; either is fine
            CHECK(pthread_cancel(th) == 0);
            CHECK(pthread_join(th, &ret) == 0 && ret == PTHREAD_CANCELED);
            CHECK(!passed && cleaned <= 1 && cleaned == ready);
        }
    for (int i = 0; i < 100; i++) {
        CHECK(pthread_create(&th, NULL, counter, NULL) == 0);
        for (int k = 0; k < 20; k++) {
            CHECK(write(p[1], "x", 1) == 1);
            written++;
        }
        CHECK(pthread_cancel(th) == 0 && pthread_join(th, &ret) == 0 && ret == PTHREAD_CANCELED);
    }
    CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
    while (read(p[0], &c, 1) == 1)
        left++;
    // At most the byte that was read while the cancellation came is counted by neither.
    CHECK(taken + left <= written && taken + left >= written - 100);
    CHECK(fcntl(p[0], F_SETFL, 0) == 0);
    ready = 0;
    CHECK(pthread_create(&th, NULL, disabled, p) == 0);
    while (!ready)
        sched_yield();
    CHECK(pthread_cancel(th) == 0 && write(p[1], "x", 1) == 1);
    CHECK(pthread_join(th, &ret) == 0 && ret == p);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    return done();
}
