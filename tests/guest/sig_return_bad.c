// SPDX-License-Identifier: MIT
// sigreturn from a frame that a handler has damaged. What the kernel finds bad in the vector area
// is SIGSEGV with SI_KERNEL, at the registers and under the mask of the frame, with clean
// vectors; an area without the marks of the extended one counts as the
// first 512 bytes alone; without an area everything is clean.
// covers: rt_sigreturn, rt_sigaction, sigaltstack
#include "sig.h"
#include "vec.h"
#include <sys/mman.h>

// Offsets in the vector area.
enum {
    MXCSR = 24,
    MAGIC1 = 464,
    EXTENDED = 468,
    FEATURES = 472,
    XSTATE = 480,
    BV = 512,
    XCOMP = 520
};

static const struct damage {
    const char *name;
    enum { GOOD, FAULTS } result;
    uint64_t left; // components that arrive, if GOOD
    int at;        // of a 32-bit word that is changed
    uint32_t keep, set;
} damages[] = {
    {"none", GOOD, VEC_MASK, 0, ~0u, 0},
    {"magic 1", GOOD, 3, MAGIC1, 0, 1},
    {"magic 2", GOOD, 3, -1, 0, 1},
    {"size 575", GOOD, 3, XSTATE, 0, 575},
    {"size huge", GOOD, 3, XSTATE, ~0u, 0x10000},
    {"extended size less", GOOD, 3, EXTENDED, 0, 576},
    {"features without AVX", GOOD, VEC_MASK & ~4, FEATURES, ~4u, 0},
    {"features without x87", GOOD, VEC_MASK & ~1, FEATURES, ~1u, 0},
    {"features without SSE", GOOD, VEC_MASK & ~2, FEATURES, ~2u, 0},
    {"features none", GOOD, 0, FEATURES, 0, 0},
    {"features unknown", GOOD, VEC_MASK, FEATURES + 4, ~0u, 0x40000000},
    {"header without SSE", GOOD, VEC_MASK & ~2, BV, ~2u, 0},
    {"header empty", GOOD, 0, BV, 0, 0},
    {"header unknown", FAULTS, 0, BV + 4, ~0u, 0x20000000},
    {"header reserved", FAULTS, 0, XCOMP + 8, ~0u, 1},
    {"header reserved, last", GOOD, VEC_MASK, BV + 60, ~0u, 1},
    {"header compact bits without bit 63", FAULTS, 0, XCOMP, ~0u, 1},
    {"MXCSR reserved bit", FAULTS, 0, MXCSR, ~0u, 0x10000},
    {"magic 1 and MXCSR", FAULTS, 0, -2, 0, 0},
    {"not aligned", FAULTS, 0, -3, 0, 8},
    {"nowhere", FAULTS, 0, -4, 0, 0},
    {"not canonical", FAULTS, 0, -5, 0, 0},
    {"half there", FAULTS, 0, -6, 0, 0},
    {"end missing", FAULTS, 0, -7, 0, 0},
    {"no area", GOOD, 0, -8, 0, 0},
};

static const struct damage *d;
static struct vec in;
static char *page; // two of them, the second not there
static char alt[65536], other[65536];
static volatile int faulted;
static long expected_rip;

static void damage(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;
    char *area = (char *)uc->uc_mcontext.fpregs;
    uint32_t size, extended, *word = (uint32_t *)(area + d->at);

    (void)sig, (void)si;
    memcpy(&size, area + XSTATE, 4);
    memcpy(&extended, area + EXTENDED, 4);
    GREG(ctx, RBX) = 4711;
    GREG(ctx, RAX) = -512; // any value is as good as another
    expected_rip = GREG(ctx, RIP);
    sigaddset(&uc->uc_sigmask, SIGUSR2);
    uc->uc_stack.ss_sp = other;
    switch (d->at) {
    case -1:
        word = (uint32_t *)(area + size);
        break;
    case -2:
        *(uint32_t *)(area + MAGIC1) = 0;
        *(uint32_t *)(area + MXCSR) |= 0x10000;
        return;
    case -3:
        memmove(area + 8, area, extended);
        uc->uc_mcontext.fpregs = (void *)(area + 8);
        return;
    case -4:
        uc->uc_mcontext.fpregs = (void *)4096;
        return;
    case -5:
        uc->uc_mcontext.fpregs = (void *)(1l << 60);
        return;
    case -6:
    case -7:
        page += d->at == -6 ? 4096 - 640 : (4096 - size) & ~63;
        memcpy(page, area, d->at == -6 ? 640 : size & ~63);
        uc->uc_mcontext.fpregs = (void *)page;
        return;
    case -8:
        uc->uc_mcontext.fpregs = NULL;
        return;
    }
    *word = (*word & d->keep) | d->set;
}

// As after a jump here with clean registers.
static int vectors_are_clean(void)
{
    struct vec now, clean;

    memset(&now, 0, sizeof(now));
    memset(&clean, 0, sizeof(clean));
    __asm__ volatile("xsave64 (%0)" : : "r"(&now), "a"(VEC_MASK), "d"(0) : "memory");
    clean.b[0] = 0x7f, clean.b[1] = 3, clean.b[24] = 0x80, clean.b[25] = 0x1f;
    // What is clean need not have been written.
    if (!(now.b[512] & 1))
        memset(now.b + 32, 0, 128), now.b[0] = 0x7f, now.b[1] = 3;
    return now.b[0] == 0x7f && now.b[1] == 3 && memcmp(now.b + 24, clean.b + 24, 4) == 0;
}

static void on_fault(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *uc = ctx;

    CHECK(vectors_are_clean());
    CHECK_EQ(sig, SIGSEGV);
    CHECK_EQ(si->si_code, SI_KERNEL);
    CHECK_EQ((long)si->si_addr, 0);
    CHECK_EQ(GREG(ctx, RBX), 4711);
    CHECK_EQ(GREG(ctx, RAX), 0); // the call's result
    CHECK_EQ(GREG(ctx, RIP), expected_rip);
    CHECK(sigismember(&uc->uc_sigmask, SIGUSR2));
    CHECK_EQ(uc->uc_mcontext.fpregs->mxcsr, 0x1f80);
    CHECK_EQ(uc->uc_mcontext.fpregs->cwd, 0x37f);
    faulted = 1;
}

static void clean_range(void *arg, int at, int len)
{
    static const struct {
        int component, at, end;
    } legacy[] = {{0, 0, 2}, {0, 32, 160}, {1, 160, 416}};
    struct vec *v = arg;
    uint32_t size, offset, c, b;
    int component = -1;

    for (int i = 0; i < 3; i++)
        if (at >= legacy[i].at && at < legacy[i].end)
            component = legacy[i].component;
    for (int i = 2; i < 8 && at >= 576; i++) {
        __cpuid_count(0xd, i, size, offset, c, b);
        if ((int)offset == at)
            component = i;
    }
    if (component < 0 || (d->left >> component & 1))
        return;
    memset(v->b + at, 0, len);
    if (at == 0)
        v->b[0] = 0x7f, v->b[1] = 3;
}

static void run(void)
{
    struct vec want, out;
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    long rbx, r;

    CHECK(sigaltstack(&ss, NULL) == 0);
    catch_info(SIGUSR1, damage, 0);
    catch_info(SIGSEGV, on_fault, 0);
    vec_fill(&in, 5);
    want = in;
    vec_ranges(clean_range, &want);
    if (d->at == -8 || (d->at == FEATURES && !(d->left & 2)))
        want.b[24] = 0x80, want.b[25] = 0x1f;
    r = vec_call(&in, &out, SYS_tgkill, getpid(), tid(), SIGUSR1, 0);
    __asm__ volatile("" : "=b"(rbx));
    CHECK_EQ(r, d->result == FAULTS ? 0 : -512);
    CHECK_EQ(faulted, d->result == FAULTS);
    CHECK(is_blocked(SIGUSR2));
    if (faulted) // whether the alternate stack has changed depends on the kernel (6.12)
        return;
    CHECK(sigaltstack(NULL, &ss) == 0 && ss.ss_sp == other);
    VEC_CHECK(&want, &out);
}

static void run_default(void)
{
    catch_info(SIGUSR1, damage, 0);
    raise(SIGUSR1);
}

int main(void)
{
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED && munmap(page + 4096, 4096) == 0);
    for (d = damages; d < damages + sizeof(damages) / sizeof(*damages); d++) {
        int status = status_of(run);

        printf("%s: %d\n", d->name, status);
        CHECK_EQ(status, 0);
        status = status_of(run_default);
        printf("%s, no handler: %d\n", d->name, status);
        CHECK_EQ(status, d->result == FAULTS ? SIGSEGV : 0);
    }
    return done();
}
