// SPDX-License-Identifier: MIT
// Engine `seccomp`: a filter (seccomp(2), SECCOMP_RET_TRAP) raises SIGSYS for every system call
// from outside the host-call section; trap/engine.c takes it. The kernel hands a filter on over
// fork, clone and execve and never takes it off, so it is installed once, and lxcore's fixed
// address makes it right in every later process.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "host.h"
#include "lib.h"
#include "trap.h"

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)                                                                           \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
#define IF(op, value, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (u32)(value), yes, no)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)

// Entries of the vsyscall page, which the kernel itself answers (arch/x86/entry/vsyscall): there
// the filter is asked with the entry's own address. A `syscall` in the page, of kernels that had
// one, would show the address behind it and be trapped.
#define VSYSCALL 0xffffffffff600000UL
#define VSYSCALL_ENTRIES 0xc00U

long trap_install_seccomp(void)
{
    // The program counter that a filter sees is the address behind the `syscall`, and it comes in
    // two halves. The section lies within one upper half (include/layout.h) and its last `syscall`
    // does not end it.
    const u64 start = (u64)hostcall_start, end = (u64)hostcall_end;
    struct sock_filter code[] = {
        LOAD_HIGH(instruction_pointer),
        IF(BPF_JEQ, start >> 32, 0, 5),
        LOAD(instruction_pointer),
        IF(BPF_JGE, start, 0, 8),
        IF(BPF_JGE, end, 7, 0),
        LOAD(arch), // of `syscall`; int 0x80 is the other architecture's
        IF(BPF_JEQ, AUDIT_ARCH_X86_64, 4, 5),
        IF(BPF_JEQ, VSYSCALL >> 32, 0, 4),
        LOAD(instruction_pointer),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~VSYSCALL_ENTRIES),
        IF(BPF_JEQ, VSYSCALL, 0, 1),
        RETURN(SECCOMP_RET_ALLOW),
        RETURN(SECCOMP_RET_TRAP),
    };
    struct sock_fprog program = {ARRAY_LEN(code), code};
    // What a process without privilege must give up first. The guest's own bit is lxcore's state.
    long r = host_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (r < 0)
        return r;
    // Without the flag, kernels before 5.16 slow the process down against Spectre variant 4.
    r = HOST3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program);
    if (r == -EINVAL) // before Linux 4.17
        r = HOST3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
    return r;
}
