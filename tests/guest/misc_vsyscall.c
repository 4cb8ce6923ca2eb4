// SPDX-License-Identifier: MIT
// The vsyscall page of old programs: whatever the kernel does with a call there, an answer or
// SIGSEGV, it does the same here. The vDSO answers as the system calls do.
// covers: time, gettimeofday, getcpu, clock_gettime
#include "sig.h"
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/time.h>

static sigjmp_buf out;

static void handler(int sig)
{
    siglongjmp(out, sig);
}

int main(void)
{
    long (*const vtime)(long *) = (void *)0xffffffffff600400;
    int (*const vgettimeofday)(struct timeval *, void *) = (void *)0xffffffffff600000;
    int (*const vgetcpu)(unsigned *, unsigned *, void *) = (void *)0xffffffffff600800;
    struct timeval tv;
    unsigned cpu = 9999, node;
    long t;

    signal(SIGSEGV, handler);
    if (sigsetjmp(out, 1)) {
        puts("no vsyscall page");
        return done();
    }
    t = vtime(NULL);
    CHECK(t >= time(NULL) - 2 && t <= time(NULL) + 2);
    CHECK(vgettimeofday(&tv, NULL) == 0 && tv.tv_sec >= t && tv.tv_sec <= t + 2);
    CHECK(vgetcpu(&cpu, &node, NULL) == 0 && cpu < 9999);
    puts("vsyscall page");
    // It may be executed, not read.
    if (sigsetjmp(out, 1) == 0)
        printf("reads %x\n", *(volatile unsigned char *)0xffffffffff600000);
    else
        puts("cannot be read");
    return done();
}
