// SPDX-License-Identifier: MIT
// clone and clone3 without a libc around them: the child runs fn(arg) on the given stack (or, with
// none, on a copy of the parent's) and exits with its result.
#ifndef GUEST_CLONE_H
#define GUEST_CLONE_H

#include "sig.h"
#include <linux/sched.h>
#include <sys/mman.h>

long clone_call(unsigned long flags, void *stack_top, int *ptid, int *ctid, void *tls,
                int (*fn)(void *), void *arg);
long clone3_call(void *args, size_t size, int (*fn)(void *), void *arg);

// In the child only exit (60) of this thread: nothing else of the process is touched.
__asm__(".pushsection .text\n"
        ".globl clone_call, clone3_call\n"
        ".hidden clone_call, clone3_call\n"
        ".type clone_call, @function\n"
        ".type clone3_call, @function\n"
        "clone_call:\n"
        "    push %r12; push %r13\n"
        "    mov %r9, %r12\n"      // fn
        "    mov 24(%rsp), %r13\n" // arg
        "    mov %rcx, %r10\n"
        "    mov $56, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    pop %r13; pop %r12\n"
        "    ret\n"
        "clone3_call:\n"
        "    push %r12; push %r13\n"
        "    mov %rdx, %r12\n"
        "    mov %rcx, %r13\n"
        "    mov $435, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz 1f\n"
        "    pop %r13; pop %r12\n"
        "    ret\n"
        "1:  xor %ebp, %ebp\n"
        "    and $-16, %rsp\n"
        "    mov %r13, %rdi\n"
        "    call *%r12\n"
        "    mov %eax, %edi\n"
        "    mov $60, %eax\n"
        "    syscall\n"
        "    hlt\n"
        ".popsection\n");

// A fresh stack; its lowest address.
static inline char *new_stack(size_t size)
{
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

static inline int exit_code(pid_t pid)
{
    int st;

    CHECK_EQ(waitpid(pid, &st, __WALL), pid);
    CHECK(WIFEXITED(st));
    return WEXITSTATUS(st);
}

#endif
