// SPDX-License-Identifier: MIT
// The engines, seen from lxcore: switching them on, and the SIGSYS that two of them raise. Its
// handler only moves the saved program counter to the door: translation never runs in signal
// context. docs/engines.md is the chapter.
#include <asm/prctl.h>
#include <linux/audit.h>

#include "host.h"
#include "memory.h"
#include "trap.h"
#include "uaccess.h"

// si_code of SIGSYS (siginfo.h has the second one since Linux 5.11).
#define CODE_SECCOMP 1
#define CODE_USER_DISPATCH 2
#define TRAP_PROTECTION 13 // X86_TRAP_GP: what a privileged instruction raises
#define TRAP_PAGE 14       // X86_TRAP_PF
#define PAGE_FETCH 0x10    // X86_PF_INSTR of its error code

extern const char door_enter[];

void trap_install(const struct task *t)
{
    struct instance *in = t->instance;
    long r = in->engine == ENGINE_SECCOMP ? trap_install_seccomp() : 0;
    if (r)
        die("--trap=seccomp: the kernel refuses the filter (errno %ld)", -r);
    if (in->engine == ENGINE_PTRACE) {
        in->trap.hostcall_start = (u64)hostcall_start;
        in->trap.hostcall_end = (u64)hostcall_end;
        __atomic_store_n(&in->trap.door, (u64)door_enter, __ATOMIC_RELEASE);
    }
}

void trap_arm(struct task *t)
{
    u32 engine = t->engine;
    t->armed = engine == ENGINE_SUD || (engine == ENGINE_REWRITE && !memory_is_clean());
    if (t->armed && t->stats)
        __atomic_fetch_add(&t->stats->armed, 1, __ATOMIC_RELAXED);
    long r = t->armed ? trap_arm_sud() : 0;
    if (r)
        die("--trap=sud: the kernel refuses syscall user dispatch (errno %ld)", -r);
}

bool trap_is_dispatch(const struct task *t, const siginfo_t *info)
{
    switch (t->engine) {
    case ENGINE_SECCOMP:
        return info->si_code == CODE_SECCOMP;
    case ENGINE_PTRACE:
        return false;
    default:
        return info->si_code == CODE_USER_DISPATCH;
    }
}

void trap_redirect(struct sigcontext_64 *c, u64 next_pc)
{
    struct task *t = task_of_stack();
    // A guest that steps itself must not step lxcore: the dispatcher puts the flag back.
    t->step = (u32)c->flags & EFLAGS_TF;
    c->flags &= ~(u64)EFLAGS_TF;
    if (t->stats)
        __atomic_fetch_add(&t->stats->trapped, 1, __ATOMIC_RELAXED);
    c->cx = next_pc;
    c->ip = (u64)door_enter;
}

// Is it at what a rewritten site becomes? Its second byte; 0: it is not.
static u8 trap_here(const struct sigcontext_64 *c)
{
    u8 insn[2];
    bool trap = c->trapno == TRAP_PROTECTION && !copy_from_guest(insn, c->ip, sizeof insn) &&
                insn[0] == REWRITE_TRAP && (insn[1] == SITE_CALL || insn[1] == SITE_CPUID);
    return trap ? insn[1] : 0;
}

u8 trap_site(const struct sigcontext_64 *c)
{
    u8 second = memory_near_images(c->ip, c->ip + 2) ? trap_here(c) : 0;
    return second && memory_is_site(c->ip) ? second : 0;
}

bool trap_cpuid(struct task *t, struct sigcontext_64 *c)
{
    // Whoever has CPUID fault (arch_prctl(2)) gets the fault as it is.
    if (t->instance->cpuid_faults && HOST2(__NR_arch_prctl, ARCH_GET_CPUID, 0) == 0)
        return false;
    // A step of the guest's own ends behind the instruction itself.
    if (!(c->flags & EFLAGS_TF) || !memory_put_back_site(c->ip))
        cpuid_serve(t->instance, c);
    return true;
}

bool trap_at_copy(const struct task *t, struct sigcontext_64 *c)
{
    bool fetch = c->trapno == TRAP_PAGE && (c->err & PAGE_FETCH) && c->cr2 == c->ip;
    uptr go_on;
    u8 insn[2];
    // Another thread was quicker: a `syscall` does not fault.
    if (t->armed && c->trapno == TRAP_PROTECTION && !copy_from_guest(insn, c->ip, sizeof insn) &&
        insn[0] == 0x0f && insn[1] == 0x05)
        return true;
    if (!t->armed || !(fetch || trap_here(c)) || !memory_mend_copy(c->ip, !fetch, &go_on))
        return false;
    c->ip = go_on;
    return true;
}

bool trap_at_guard(struct task *t, const struct sigcontext_64 *c)
{
    if (c->trapno != TRAP_PAGE || !(c->err & PAGE_FETCH) || !memory_hits_guard(c->cr2, c->cr2 + 1))
        return false;
    task_need_engine(t);
    return memory_open_guard(c->cr2);
}

void trap_sigsys(const siginfo_t *info, struct sigcontext_64 *c)
{
    // The number and the next instruction come from siginfo: kernel restarts change the frame's.
    c->ax = (u64)(s64)info->_sifields._sigsys._syscall;
    if (info->_sifields._sigsys._arch == AUDIT_ARCH_X86_64)
        trap_redirect(c, (u64)info->_sifields._sigsys._call_addr);
    else
        c->ax = (u64)-38; // int 0x80: ENOSYS; see docs/syscalls.md
}
