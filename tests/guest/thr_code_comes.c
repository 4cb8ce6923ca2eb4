// SPDX-License-Identifier: MIT
// System calls from code that appears while threads run: each thread runs it at once, wherever it
// was. Whatever translates calls has to be there before the code is; and no call that blocks
// meanwhile ends early.
// covers: mmap, mprotect, mremap, clone, umask, read, poll, epoll_wait, nanosleep, rt_sigtimedwait
#include "sig.h"
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#define MASK 0351 // of this process alone

typedef long (*code)(long arg);

static _Atomic(code) new_code;
static atomic_int ready, ran, stop;
static int pipes[2];

// mov $umask, %eax; syscall; ret
static const unsigned char bytes[] = {0xb8, SYS_umask, 0, 0, 0, 0x0f, 0x05, 0xc3};

static void run_new(void)
{
    code f;

    while (!(f = new_code))
        ;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(f(MASK), MASK);
    ran++;
}

static void *spins(void *arg)
{
    (void)arg;
    ready++;
    run_new();
    return NULL;
}

static void *calls(void *arg)
{
    (void)arg;
    ready++;
    while (!new_code)
        getppid();
    run_new();
    return NULL;
}

static void handler(int sig)
{
    (void)sig;
    getppid();
}

static void *is_signalled(void *arg)
{
    (void)arg;
    ready++;
    while (!new_code)
        raise(SIGUSR1);
    run_new();
    return NULL;
}

static void *reads(void *arg)
{
    char c;

    (void)arg;
    ready++;
    CHECK_EQ(read(pipes[0], &c, 1), 1);
    run_new();
    return NULL;
}

static void *polls(void *arg)
{
    struct pollfd p = {pipes[0], POLLIN, 0};
    struct epoll_event e = {.events = EPOLLIN};
    int ep = epoll_create1(0);

    (void)arg;
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, pipes[0], &e), 0);
    ready++;
    CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
    CHECK_EQ(poll(&p, 1, -1), 1);
    run_new();
    close(ep);
    return NULL;
}

static void *sleeps(void *arg)
{
    sigset_t set;

    (void)arg;
    sigfillset(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    ready++;
    CHECK_EQ(nanosleep(&(struct timespec){0, 3000000}, NULL), 0);
    set = sigset_of(SIGUSR2);
    CHECK_ERR(sigtimedwait(&set, NULL, &(struct timespec){0, 3000000}), EAGAIN);
    run_new();
    return NULL;
}

static void *makes_threads(void *arg)
{
    (void)arg;
    ready++;
    while (!stop) {
        pthread_t t;
        void *(*f)(void *) = new_code ? spins : sleeps;
        CHECK_EQ(pthread_create(&t, NULL, f, NULL), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    }
    run_new();
    return NULL;
}

static void *forks(void *arg)
{
    (void)arg;
    ready++;
    while (!stop) {
        pid_t pid = fork();
        if (!pid) {
            code f = new_code;
            _exit(f && f(MASK) != MASK);
        }
        wait_ok(pid);
    }
    run_new();
    return NULL;
}

static void publish(void *p)
{
    new_code = (code)p;
}

static void *writable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    memcpy(p, bytes, sizeof bytes);
    return p;
}

static void by_mprotect(void)
{
    void *p = writable();
    CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
    publish(p);
}

static void by_file(void)
{
    int fd = open("code", O_RDWR | O_CREAT | O_TRUNC, 0700);
    CHECK_EQ(write(fd, bytes, sizeof bytes), (long)sizeof bytes);
    void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    close(fd);
    unlink("code");
    publish(p);
}

static void by_anonymous(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    memcpy(p, bytes, sizeof bytes);
    publish(p);
}

static int in_child(void *arg)
{
    (void)arg;
    by_mprotect();
    // While the parent's thread waits, the others do not.
    while (ran < 3)
        ;
    return 0;
}

static void by_vfork_child(void)
{
    static char stack[65536];
    pid_t pid = clone(in_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    wait_ok(pid);
}

static void (*const ways[])(void) = {by_mprotect, by_file, by_anonymous, by_vfork_child};
static void *(*const threads[])(void *) = {spins, calls,  reads,         spins, is_signalled,
                                           polls, sleeps, makes_threads, forks, calls};
#define THREADS ((int)(sizeof threads / sizeof threads[0]))

static void round_of(int n)
{
    pthread_t t[THREADS];

    CHECK_EQ(pipe(pipes), 0);
    block(SIGCHLD); // it ends an epoll_wait(), even where it is ignored
    umask(MASK);
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&t[i], NULL, threads[i], NULL), 0);
    while (ready < THREADS)
        sched_yield();
    if (n % 3)
        sleep_us(n * 37 % 4000);
    ways[n % 4]();
    run_new();
    sleep_us(1000);
    stop = 1;
    CHECK_EQ(write(pipes[1], "xx", 2), 2);
    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(t[i], NULL), 0);
    CHECK(ran > THREADS);
}

int main(void)
{
    for (int n = 0; n < 40; n++) {
        pid_t pid = fork();
        if (!pid) {
            round_of(n);
            _exit(0);
        }
        wait_ok(pid);
    }
    return done();
}
