// SPDX-License-Identifier: MIT
// A backtrace from a handler goes through the signal's frame to what was interrupted, and on to
// main: by a signal in a loop, at a fault, and in a call.
// covers: rt_sigaction, rt_sigreturn
// link: dynamic
#include "sig.h"
#include <unwind.h>

static volatile int runs;
static void *interrupted;
static int frames, signal_frames, found_pc, found_caller;

static __attribute__((noinline, noclone)) void cause(int sig)
{
    if (sig == SIGSEGV)
        __asm__ volatile("movb $0, (%0)" : : "a"(8l) : "memory");
    else
        CHECK(raise(sig) == 0);
    __asm__ volatile("");
}

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *arg)
{
    int before = 0;
    uintptr_t pc = _Unwind_GetIPInfo(context, &before);

    (void)arg;
    frames++;
    signal_frames += before; // its PC is that of an instruction, not behind a call
    found_pc |= (void *)pc == interrupted;
    found_caller |= _Unwind_FindEnclosingFunction((void *)(pc - 1)) == (void *)cause;
    return _URC_NO_REASON;
}

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)si;
    interrupted = (void *)GREG(ctx, RIP);
    frames = signal_frames = found_pc = found_caller = 0;
    CHECK_EQ(_Unwind_Backtrace(step, NULL), _URC_END_OF_STACK);
    CHECK(frames >= 5); // the handler, its return, cause, main, libc's start
    CHECK_EQ(signal_frames, 1);
    CHECK(found_pc && found_caller);
    if (sig == SIGSEGV)
        GREG(ctx, RIP) += 3;
    runs++;
}

int main(void)
{
    catch_info(SIGUSR1, handler, 0);
    catch_info(SIGSEGV, handler, 0);
    for (int i = 0; i < 20; i++) {
        cause(SIGUSR1);
        cause(SIGSEGV);
    }
    CHECK_EQ(runs, 40);
    return done();
}
