// SPDX-License-Identifier: MIT
// The vector and floating-point state as one block of memory: a pattern is loaded with XRSTOR, then
// something happens, then XSAVE tells what is there. Components: x87, SSE, AVX and the three of
// AVX-512, as far as the processor and the kernel have them.
#ifndef GUEST_VEC_H
#define GUEST_VEC_H

#include "check.h"
#include <cpuid.h>
#include <stdint.h>

#define VEC_MASK 0xe7u
#define VEC_CLOBBER                                                                                \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)",     \
        "st(5)", "st(6)", "st(7)", "memory", "cc"

struct vec {
    uint8_t b[4096];
} __attribute__((aligned(64)));

static uint64_t vec_features(void)
{
    uint32_t lo, hi;

    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return lo & VEC_MASK;
}

// Calls fn(arg, offset, length) for each byte range that holds register contents.
static inline void vec_ranges(void (*fn)(void *, int, int), void *arg)
{
    uint64_t have = vec_features();
    uint32_t size, offset, c, d;

    fn(arg, 0, 2);  // x87 control word
    fn(arg, 24, 4); // MXCSR
    for (int i = 0; i < 8; i++)
        fn(arg, 32 + 16 * i, 10); // st(i)
    fn(arg, 160, 256);            // xmm
    for (int i = 2; i < 8; i++)
        if (have >> i & 1) {
            __cpuid_count(0xd, i, size, offset, c, d);
            fn(arg, offset, size);
        }
}

static inline void vec_fill_range(void *arg, int at, int len)
{
    struct vec *v = arg;

    for (int i = at; i < at + len; i++)
        v->b[i] = (uint8_t)(v->b[4095] * 131 + i * 7 + (i >> 8) + 1);
}

// A state that differs in every register and for every seed.
static inline void vec_fill(struct vec *v, unsigned seed)
{
    uint64_t have = vec_features();

    memset(v, 0, sizeof(*v));
    v->b[4095] = seed;
    vec_ranges(vec_fill_range, v);
    v->b[4095] = 0;
    v->b[0] = 0x7f, v->b[1] = 0x02;                            // FCW: double precision
    v->b[4] = 0xff;                                            // all st(i) in use
    v->b[24] = 0x80, v->b[25] = 0x5f, v->b[26] = v->b[27] = 0; // MXCSR: round up
    memcpy(v->b + 512, &have, 8);                              // XSTATE_BV
}

struct vec_pair {
    const uint8_t *a, *b;
    int at;
};

static inline void vec_cmp_range(void *arg, int at, int len)
{
    struct vec_pair *p = arg;

    for (int i = at; i < at + len && p->at < 0; i++)
        if (p->a[i] != p->b[i])
            p->at = i;
}

// -1, or the offset of the first byte that differs (0 x87, 24 MXCSR, 32 st, 160 xmm, 576 ymm...).
static inline int vec_differ(const struct vec *a, const struct vec *b)
{
    struct vec_pair p = {a->b, b->b, -1};

    vec_ranges(vec_cmp_range, &p);
    return p.at;
}

// Loads `in`, makes the call, saves to `out`.
static inline long vec_call(const struct vec *in, struct vec *out, long nr, long a, long b, long c,
                            long d)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = 0;
    register long r9 __asm__("r9") = 0;
    long ret;

    memset(out, 0, sizeof(*out));
    __asm__ volatile("lea -128(%%rsp), %%rsp\n" // the caller's red zone
                     "push %%rax\n"
                     "push %%rdx\n"
                     "mov %[mask], %%eax\n"
                     "xor %%edx, %%edx\n"
                     "xrstor64 (%[in])\n"
                     "pop %%rdx\n"
                     "pop %%rax\n"
                     "syscall\n"
                     "push %%rax\n"
                     "mov %[mask], %%eax\n"
                     "xor %%edx, %%edx\n"
                     "xsave64 (%[out])\n"
                     "fninit\n"
                     "movl $0x1f80, -4(%%rsp)\n"
                     "ldmxcsr -4(%%rsp)\n"
                     "pop %%rax\n"
                     "lea 128(%%rsp), %%rsp\n"
                     : "=a"(ret), "+d"(c)
                     : "0"(nr), "D"(a), "S"(b), "r"(r10), "r"(r8),
                       "r"(r9), [in] "b"(in), [out] "r"(out), [mask] "i"(VEC_MASK)
                     : "rcx", "r11", VEC_CLOBBER);
    return ret;
}

#define VEC_CHECK(a, b)                                                                            \
    do {                                                                                           \
        int vec_at = vec_differ(a, b);                                                             \
        CHECK_EQ(vec_at, -1);                                                                      \
    } while (0)

#endif
