// SPDX-License-Identifier: MIT
// rt_sigaction itself: old actions come back bit for bit, unknown flags are cleared, SIGKILL and
// SIGSTOP stay, bad numbers, sizes and pointers; masks lose SIGKILL and SIGSTOP.
// covers: rt_sigaction
#include "sig.h"

struct ksa {
    uint64_t handler, flags, restorer, mask;
};

static long act(int sig, const void *new, void *old)
{
    return syscall(SYS_rt_sigaction, sig, new, old, 8);
}

int main(void)
{
    const uint64_t known = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART |
                           SA_NODEFER | SA_RESETHAND | 0x800 /* SA_EXPOSE_TAGBITS */ |
                           0x04000000 /* SA_RESTORER */;

    for (int sig = 1; sig <= 64; sig++) {
        struct ksa a = {0x1234560 + sig, SA_RESTART | SA_ONSTACK | 0x04000000, 0x99990 + sig, ~0ul};
        struct ksa old = {1, 1, 1, 1}, dfl = {0};

        if (sig == SIGKILL || sig == SIGSTOP) {
            CHECK_ERR(act(sig, &a, NULL), EINVAL);
            CHECK(act(sig, NULL, &old) == 0 && old.handler == 0);
            continue;
        }
        CHECK(act(sig, NULL, &old) == 0);
        CHECK(act(sig, &a, &dfl) == 0 && memcmp(&old, &dfl, sizeof(old)) == 0);
        CHECK(act(sig, NULL, &old) == 0);
        a.mask &= ~(1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1));
        CHECK_EQ(old.handler, a.handler);
        CHECK_EQ(old.flags, a.flags);
        CHECK_EQ(old.restorer, a.restorer);
        CHECK_EQ(old.mask, a.mask);
        // Unknown bits are how a program asks what the kernel knows.
        a.flags = 0xffffffff;
        CHECK(act(sig, &a, NULL) == 0 && act(sig, NULL, &old) == 0);
        CHECK_EQ(old.flags, known);
        CHECK(act(sig, &dfl, NULL) == 0);
    }
    struct ksa ign = {.handler = (uint64_t)SIG_IGN}, old;

    CHECK_ERR(act(0, &ign, NULL), EINVAL);
    CHECK_ERR(act(65, &ign, NULL), EINVAL);
    CHECK_ERR(act(-1, &ign, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, &ign, &old, 4), EINVAL);
    CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, &ign, &old, 128), EINVAL);
    CHECK_ERR(act(SIGUSR1, (void *)8, NULL), EFAULT);
    CHECK_ERR(act(SIGUSR1, &ign, (void *)8), EFAULT);
    CHECK(act(SIGUSR1, NULL, &old) == 0 && old.handler == ign.handler); // set nevertheless
    return done();
}
