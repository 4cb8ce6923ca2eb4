// SPDX-License-Identifier: MIT
// The floating-point part of the signal frame is live: a handler sees the interrupted MXCSR and xmm
// there, and what it writes is loaded by sigreturn.
// covers: rt_sigreturn
#include "sig.h"
#include "vec.h"

static struct vec *expected;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    struct _libc_fpstate *fp = ((ucontext_t *)ctx)->uc_mcontext.fpregs;

    (void)sig, (void)si;
    CHECK(fp->mxcsr == 0x5f80 && fp->cwd == 0x27f);
    CHECK(memcmp(fp->_xmm, expected->b + 160, 256) == 0);
    for (int i = 0; i < 16; i++)
        fp->_xmm[i].element[1] ^= 0xffffffff;
    fp->mxcsr = 0x3f80;
}

int main(void)
{
    struct vec in, out;

    catch_info(SIGUSR1, handler, 0);
    for (int n = 0; n < 20; n++) {
        vec_fill(&in, n);
        expected = &in;
        CHECK_EQ(vec_call(&in, &out, SYS_tgkill, getpid(), tid(), SIGUSR1, 0), 0);
        for (int i = 0; i < 16; i++)
            for (int k = 4; k < 8; k++)
                in.b[160 + 16 * i + k] ^= 0xff;
        in.b[25] = 0x3f;
        VEC_CHECK(&in, &out);
    }
    return done();
}
