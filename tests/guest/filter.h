// SPDX-License-Identifier: MIT
// Small helpers of the tests of seccomp filters.
#ifndef GUEST_FILTER_H
#define GUEST_FILTER_H

#include "sig.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define OP(op, value) BPF_STMT(op, value)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)                                                                           \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
// Goes `over` so many instructions unless A is value.
#define UNLESS(value, over) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, over)
#define SAY(value) BPF_STMT(BPF_RET | BPF_K, value)

static inline long filter(const struct sock_filter *code, size_t n, unsigned flags)
{
    struct sock_fprog program = {(unsigned short)n, (struct sock_filter *)code};

    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define FILTER(code) filter(code, sizeof(code) / sizeof((code)[0]), 0)

// One that says that of a call, and lets all others pass.
static inline long filter_call(int nr, u32 said)
{
    const struct sock_filter code[] = {LOAD(nr), UNLESS((u32)nr, 1), SAY(said),
                                       SAY(SECCOMP_RET_ALLOW)};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return FILTER(code);
}

#endif
