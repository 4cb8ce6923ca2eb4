// SPDX-License-Identifier: MIT
// ptrace(2) among guests (docs/ptrace.md). The host's ptrace is underneath; what it would show of
// lxcore is turned into what the guest has (task/tracer.c).
#include <linux/audit.h>
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <asm/ptrace-abi.h>

#include "host.h"
#include "reach.h"
#include "siginfo.h"
#include "signal.h"
#include "syscall_rows.h"
#include "tracee.h"
#include "tracer.h"
#include "uaccess.h"

#define MASK_SIZE 8
#define PTRACE_KILL 8
#define PTRACE_ATTACH 16
#define PTRACE_DETACH 17
// Newer than some installed headers.
#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif

#define OPTIONS (0xffu | PTRACE_O_EXITKILL)

// ---- Becoming a tracer ----

static long attach(struct task *t, long request, s32 pid, uptr addr, unsigned long options)
{
    bool seizes = request == PTRACE_SEIZE;
    if (seizes && (addr || (options & ~(unsigned long)OPTIONS)))
        return -EIO;
    u32 tgid = pid > 0 ? reach_thread(t, (u32)pid) : 0;
    if (!tgid)
        return reach_none((u32)pid);
    if (tgid == t->proc->tgid || !tracee_possible(t))
        return -EPERM;
    long r = reach_may_inspect(t, tgid);
    if (!r)
        r = tracer_host(request, (u32)pid, 0, seizes ? options & HOST_OPTIONS_AT_ONCE : 0);
    if (r)
        return r;
    t->instance->traces = 1;
    if (seizes)
        tracer_seized(t, (u32)pid, (u32)options);
    else
        tracer_know((u32)pid);
    return 0;
}

static long set_options(const struct tracee *e, unsigned long options)
{
    struct tracee changed = *e;
    if (options & ~(unsigned long)OPTIONS)
        return -EINVAL;
    long r = tracer_host(PTRACE_SETOPTIONS, e->tid, 0, options & HOST_OPTIONS);
    if (r || !e->at)
        return r;
    changed.task.trace.options = (u32)options;
    return tracer_poke(e, e->at + offsetof(struct task, trace), &changed.task.trace,
                       sizeof changed.task.trace);
}

// ---- Registers ----

static long get_user(const struct tracee *e, uptr offset, uptr data)
{
    struct user_regs r;
    if (offset % 8)
        return -EIO;
    if (offset >= sizeof r)
        return tracer_host(PTRACE_PEEKUSR, e->tid, offset, data);
    tracer_regs(e, &r);
    return copy_to_guest(data, (u64 *)&r + offset / 8, 8);
}

static long set_user(struct tracee *e, uptr offset, u64 value)
{
    struct user_regs r;
    if (offset % 8)
        return -EIO;
    if (offset >= sizeof r)
        return tracer_host(PTRACE_POKEUSR, e->tid, offset, value);
    tracer_regs(e, &r);
    ((u64 *)&r)[offset / 8] = value;
    return tracer_set_regs(e, &r);
}

// With a part of the registers, the others stay.
static long put_regs(struct tracee *e, uptr data, size_t n)
{
    struct user_regs r;
    tracer_regs(e, &r);
    if (copy_from_guest(&r, data, n))
        return -EFAULT;
    return tracer_set_regs(e, &r);
}

static long reg_set(struct tracee *e, bool get, uptr type, uptr data)
{
    struct user_regs r;
    struct iovec v;
    if (type != NT_PRSTATUS)
        return tracer_host(get ? PTRACE_GETREGSET : PTRACE_SETREGSET, e->tid, type, data);
    if (copy_from_guest(&v, data, sizeof v))
        return -EFAULT;
    if (v.iov_len % 8)
        return -EINVAL;
    v.iov_len = MIN(v.iov_len, sizeof r);
    tracer_regs(e, &r);
    long error = get ? copy_to_guest((uptr)v.iov_base, &r, v.iov_len)
                     : put_regs(e, (uptr)v.iov_base, v.iov_len);
    return error ? error : copy_to_guest(data, &v, sizeof v);
}

// ---- What the thread has stopped for ----

static bool in_signal_stop(const struct tracee *e)
{
    return tracer_in_stop(e) && e->task.trace.stop == TRACE_SIGNAL;
}

static long get_siginfo(struct task *t, const struct tracee *e, uptr data)
{
    siginfo_t info = {.si_signo = SIGTRAP};
    const struct trace *s = &e->task.trace;
    long r = 0;
    if (in_signal_stop(e))
        r = tracer_peek(e, (uptr)s->info, &info, sizeof info);
    else if (tracer_in_stop(e))
        info.si_code = s->status, info.si_pid = (s32)e->tid, info.si_uid = t->cred.ruid;
    else
        r = tracer_host(PTRACE_GETSIGINFO, e->tid, 0, (uptr)&info);
    if (r)
        return r;
    siginfo_to_guest(t, &info);
    return copy_to_guest(data, &info, sizeof info);
}

static long set_siginfo(const struct tracee *e, uptr data)
{
    siginfo_t info;
    if (!in_signal_stop(e))
        return tracer_host(PTRACE_SETSIGINFO, e->tid, 0, data);
    if (copy_from_guest(&info, data, sizeof info))
        return -EFAULT;
    return tracer_poke(e, (uptr)e->task.trace.info, &info, sizeof info);
}

static long get_message(const struct tracee *e, uptr data)
{
    if (!tracer_in_stop(e) || e->task.trace.stop != TRACE_EVENT)
        return tracer_host(PTRACE_GETEVENTMSG, e->tid, 0, data);
    return copy_to_guest(data, &e->task.trace.message, sizeof e->task.trace.message);
}

// The host's list of what waits, with the senders in guest terms.
static long peek_infos(struct task *t, const struct tracee *e, uptr args, uptr data)
{
    siginfo_t info;
    long n = tracer_host(PTRACE_PEEKSIGINFO, e->tid, args, data);
    for (long i = 0; i < n; i++, data += sizeof info) {
        if (copy_from_guest(&info, data, sizeof info))
            return -EFAULT;
        siginfo_to_guest(t, &info);
        if (copy_to_guest(data, &info, sizeof info))
            return -EFAULT;
    }
    return n;
}

// kernel/ptrace.c: ptrace_get_syscall_info(); the length of what there is.
static long get_call(const struct tracee *e, size_t size, uptr data)
{
    struct ptrace_syscall_info i = {.op = PTRACE_SYSCALL_INFO_NONE, .arch = AUDIT_ARCH_X86_64};
    struct user_regs r;
    size_t length = offsetof(struct ptrace_syscall_info, entry);
    const struct trace *s = &e->task.trace;
    bool filter = s->stop == TRACE_EVENT && s->status == (PTRACE_EVENT_SECCOMP << 8 | SIGTRAP);
    tracer_regs(e, &r);
    i.instruction_pointer = r.rip;
    i.stack_pointer = r.rsp;
    if (tracer_in_stop(e) && (s->stop == TRACE_ENTRY || filter)) {
        const u64 args[] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
        i.op = filter ? PTRACE_SYSCALL_INFO_SECCOMP : PTRACE_SYSCALL_INFO_ENTRY;
        i.entry.nr = r.orig_rax;
        memcpy(i.entry.args, args, sizeof args);
        i.seccomp.ret_data = (u32)s->message;
        length = filter ? offsetof(struct ptrace_syscall_info, seccomp.ret_data) + sizeof(u32)
                        : offsetof(struct ptrace_syscall_info, entry) + sizeof i.entry;
    } else if (tracer_in_stop(e) && s->stop == TRACE_LEAVE) {
        i.op = PTRACE_SYSCALL_INFO_EXIT;
        i.exit.rval = (s64)r.rax;
        i.exit.is_error = r.rax > (u64)-4096;
        length = offsetof(struct ptrace_syscall_info, exit.is_error) + sizeof i.exit.is_error;
    }
    return copy_to_guest(data, &i, MIN(size, length)) ? -EFAULT : (long)length;
}

// ---- The mask ----

static u64 mask_of(const struct tracee *e)
{
    const struct task *c = &e->task;
    if (c->trace.pends & PENDS_MASK)
        return c->trace.mask;
    return c->noted ? (c->noted_mask & ~SIG_ALWAYS) | (c->sigmask & SIG_ALWAYS) : c->sigmask;
}

static long get_mask(const struct tracee *e, uptr size, uptr data)
{
    u64 mask = e->at ? mask_of(e) : 0;
    return size != MASK_SIZE ? -EINVAL : copy_to_guest(data, &mask, sizeof mask);
}

static long set_mask(struct tracee *e, uptr size, uptr data)
{
    struct task *c = &e->task;
    u64 mask, before = c->real_mask, host = before;
    if (size != MASK_SIZE)
        return -EINVAL;
    if (copy_from_guest(&mask, data, sizeof mask))
        return -EFAULT;
    if (!e->at)
        return tracer_is_ending(e) ? 0 : -EIO;
    mask &= ~SIG_UNBLOCKABLE;
    if (tracer_on_way(e))
        return tracer_set_mask_later(e, mask);
    if (c->trace.pends & PENDS_MASK) { // which it was told to do when it was on its way here
        c->trace.mask = mask;
        TRACER_POKE(e, trace);
    }
    c->sigmask = mask;
    c->noted_mask = c->real_mask = signal_real_mask(mask);
    long r = TRACER_POKE(e, sigmask);
    if (r)
        return r;
    if (c->noted)
        return TRACER_POKE(e, noted_mask);
    TRACER_POKE(e, real_mask);
    tracer_host(PTRACE_GETSIGMASK, e->tid, MASK_SIZE, (uptr)&host);
    if (host != before) // lxcore has all blocked for a clone, and unblocks by record
        return 0;
    return tracer_host(PTRACE_SETSIGMASK, e->tid, MASK_SIZE, (uptr)&c->real_mask);
}

// ---- The call ----

// lxcore's memory is not the guest's.
static long word(struct task *t, struct tracee *e, long request, uptr addr, uptr data)
{
    tracer_wants_text(t, e);
    return guest_range_ok(addr, 8) ? tracer_host(request, e->tid, addr, data) : -EIO;
}

static long go_on(struct task *t, struct tracee *e, enum trace_mode mode, u64 sig)
{
    return sig > 64 ? -EIO : tracer_go_on(t, e, mode, (u32)sig);
}

// Of a thread that has stopped.
static long serve(struct task *t, struct tracee *e, long request, uptr addr, u64 data)
{
    switch (request) {
    case PTRACE_CONT:
        return go_on(t, e, TRACE_CONT, data);
    case PTRACE_SYSCALL:
        return go_on(t, e, TRACE_SYSCALL, data);
    case PTRACE_SYSEMU:
        return go_on(t, e, TRACE_EMULATE, data);
    case PTRACE_SINGLESTEP:
        tracer_wants_text(t, e);
        return go_on(t, e, TRACE_STEP, data);
    case PTRACE_DETACH:
        return data > 64 ? -EIO : tracer_detach(e, (u32)data);
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
        return word(t, e, request, addr, data);
    case PTRACE_PEEKUSR:
        return get_user(e, addr, data);
    case PTRACE_POKEUSR:
        return set_user(e, addr, data);
    case PTRACE_GETREGS: {
        struct user_regs r;
        tracer_regs(e, &r);
        return copy_to_guest(data, &r, sizeof r);
    }
    case PTRACE_SETREGS:
        return put_regs(e, data, sizeof(struct user_regs));
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
        return reg_set(e, request == PTRACE_GETREGSET, addr, data);
    case PTRACE_SETOPTIONS:
    case PTRACE_OLDSETOPTIONS:
        return set_options(e, data);
    case PTRACE_GETSIGINFO:
        return get_siginfo(t, e, data);
    case PTRACE_SETSIGINFO:
        return set_siginfo(e, data);
    case PTRACE_GETEVENTMSG:
        return get_message(e, data);
    case PTRACE_GET_SYSCALL_INFO:
        return get_call(e, addr, data);
    case PTRACE_GETSIGMASK:
        return get_mask(e, addr, data);
    case PTRACE_SETSIGMASK:
        return set_mask(e, addr, data);
    case PTRACE_LISTEN:
        return tracer_in_stop(e) ? -EIO : tracer_host(request, e->tid, addr, data);
    case PTRACE_PEEKSIGINFO:
        return peek_infos(t, e, addr, data);
    case PTRACE_GETFPREGS:
    case PTRACE_SETFPREGS:
    case PTRACE_GET_RSEQ_CONFIGURATION:
        return tracer_host(request, e->tid, addr, data);
    }
    return -EIO;
}

long sys_ptrace(struct task *t, long request, long id, uptr addr, unsigned long data)
{
    struct tracee e;
    s32 pid = (s32)id; // kernel: find_get_task_by_vpid() takes no more of it
    switch (request) {
    case PTRACE_TRACEME:
        return tracee_begin(t);
    case PTRACE_ATTACH:
    case PTRACE_SEIZE:
        return attach(t, request, pid, addr, data);
    case PTRACE_INTERRUPT:
        return tracer_interrupt(t, (u32)pid);
    case PTRACE_KILL:
        return tracer_host(request, (u32)pid, addr, data);
    }
    if (pid <= 0)
        return -ESRCH;
    if (tracer_still_runs(t, (u32)pid))
        return -ESRCH;
    long r = tracer_look((u32)pid, &e);
    return r ? r : serve(t, &e, request, addr, data);
}
