// SPDX-License-Identifier: MIT
// A program may use GS for itself: arch_prctl sets and tells its base, it survives calls, signals,
// fork and clone.
// covers: arch_prctl
// trap: not ptrace,nested: the tracer, or the outer lxrun, leads the guest to the door, which finds its thread by the GS base
#include "sig.h"
#include <asm/prctl.h>

static unsigned long area[4] = {0, 4711, 0, 0}, other[4] = {0, 99, 0, 0};

static unsigned long gs8(void)
{
    unsigned long v;

    __asm__ volatile("mov %%gs:8, %0" : "=r"(v));
    return v;
}

static void handler(int sig)
{
    (void)sig;
    CHECK(gs8() == 4711 && getppid() > 0 && gs8() == 4711);
}

static void *thread(void *arg)
{
    unsigned long v = 1;

    CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0);
    CHECK(v == (unsigned long)area); // clone copies it
    CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, other) == 0 && gs8() == 99);
    for (int i = 0; i < 1000; i++) {
        CHECK_ERR(open("absent", O_RDONLY), ENOENT);
        CHECK_EQ(gs8(), 99);
    }
    return arg;
}

int main(void)
{
    unsigned long v;
    pthread_t th;
    pid_t pid;

    CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, area) == 0);
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &v) == 0 && v == (unsigned long)area);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(gs8(), 4711);
        CHECK_ERR(open("absent", O_RDONLY), ENOENT);
    }
    signal(SIGUSR1, handler);
    for (int i = 0; i < 100; i++)
        raise(SIGUSR1);
    CHECK_EQ(gs8(), 4711);
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    CHECK_EQ(gs8(), 4711);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(gs8(), 4711);
        raise(SIGUSR1);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(gs8(), 4711);
    CHECK_ERR(syscall(SYS_arch_prctl, ARCH_SET_GS, 1ul << 60), EPERM);
    CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0) == 0);
    return done();
}
