// SPDX-License-Identifier: MIT
// lxuml.so, which is loaded before User-Mode Linux' own libraries (LD_PRELOAD): its ptrace(), where
// the processor has more registers than that kernel knows of.
//
// It keeps a process's vector registers in 2,696 bytes, and has them set by PTRACE_SETREGSET. Linux
// tells as much of them as is asked for, but takes only all that the processor can have (Linux:
// arch/x86/kernel/fpu/regset.c, xstateregs_set()): with AMX that is 11 KB, and anything shorter is
// EFAULT, at which that kernel ends. What it does not know of is given as zeros here. It is in its
// initial state, as the area's header says: of AMX, who has not asked for it has none, and that
// kernel lets nobody ask.
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char area[65536]; // behind what was given, zeros; one thread traces
static size_t size;      // of all registers; 0: what it gives was enough until now

static long set_registers(pid_t pid, const struct iovec *given)
{
    if (!size) {
        struct iovec all = {area, sizeof area};
        if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, &all))
            return -1;
        memset(area, 0, sizeof area);
        size = all.iov_len;
    }
    struct iovec all = {area, size};
    if (given->iov_len >= size) {
        errno = EFAULT;
        return -1;
    }
    memcpy(area, given->iov_base, given->iov_len);
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}

// As ptrace(2) and glibc have it.
long ptrace(enum __ptrace_request request, ...)
{
    va_list args;
    va_start(args, request);
    pid_t pid = va_arg(args, pid_t);
    void *addr = va_arg(args, void *), *data = va_arg(args, void *);
    va_end(args);

    bool registers = request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE;
    if (registers && size)
        return set_registers(pid, data);
    long word, result;
    bool peek = request >= PTRACE_PEEKTEXT && request <= PTRACE_PEEKUSER;
    result = syscall(SYS_ptrace, request, pid, addr, peek ? &word : data);
    if (result < 0)
        return registers && errno == EFAULT ? set_registers(pid, data) : result;
    if (!peek)
        return result;
    errno = 0;
    return word;
}
