// SPDX-License-Identifier: MIT
// The host-call section: every `syscall` instruction of lxcore is in this file. It is the range
// that syscall user dispatch allows, so host calls are not caught themselves; a build check proves
// that there is no other. C sees it through include/host.h.
#include "arguments.inc"

	.cfi_sections .debug_frame
	.section .hostcall, "ax", @progbits
	.globl	hostcall_start
hostcall_start:

// Moves C arguments (nr, a0..a5 with a5 on the stack) to where the kernel takes them.
.macro KERNEL_ARGS
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
.endm

// The code behind a system call is fetched anew, and the processor predicts no jumps in the first
// line of 64 bytes: one that is taken there is dear (docs/costs.md). Puts `entry` where `point`, the
// first jump behind its call, begins a line.
.macro LINE_AT point, entry
	.p2align 6
	.skip	(128 - (\point - \entry)) & 63, 0xcc
.endm

// After a system call the processor may predict that a `ret` goes where it went in the kernel. Such
// a `ret` is dear where that is no address of the process's, once for all that follow (docs/costs.md).
// These calls give it others; lxcore's own returns take a few, those of the guest's libc the rest.
#define RETURNS 8
.macro IF_FRESH label
	cmpl	$0, host_fresh_returns(%rip)
	jne	\label
.endm
.macro FRESH_RETURNS
	.rept RETURNS
	call	9f
	int3
9:	.cfi_adjust_cfa_offset 8
	.endr
	add	$(8 * RETURNS), %rsp
	.cfi_adjust_cfa_offset -(8 * RETURNS)
.endm

// long host_call(long nr, long a0, ..., long a5): a call that a signal does not cut short for
// lxcore's purposes (the signal is noted and delivered at the door's exit). At host_call_done, as at
// host_intr_done and host_intr_abort below, only RAX, RSP and the registers that a function preserves
// hold anything.
	.globl	host_call, host_call_done
	.type	host_call, @function
	LINE_AT	8f, host_call
host_call:
	.cfi_startproc
	KERNEL_ARGS
	syscall
host_call_done:
	IF_FRESH 7f
8:	ret
7:	FRESH_RETURNS
	ret
	.cfi_endproc
	.size	host_call, .-host_call

// long host_call_intr(...): returns -LX_ERESTART, without having made the call, when a signal is
// noted before it; the signal handler sends a thread that it finds in [host_intr_begin,
// host_intr_syscall] to host_intr_abort. The kernel puts a restartable call back at the `syscall`,
// so the same range also means "to be restarted" (signals, rule 3 in docs/signals.md).
	.globl	host_call_intr, host_intr_begin, host_intr_syscall, host_intr_done, host_intr_abort
	.type	host_call_intr, @function
	LINE_AT	8f, host_call_intr
host_call_intr:
	.cfi_startproc
host_intr_begin:
	KERNEL_ARGS
	cmpw	$0, %gs:T_NOTED
	jne	host_intr_abort
host_intr_syscall:
	syscall
host_intr_done:
	IF_FRESH 7f
8:	ret
7:	FRESH_RETURNS
	ret
host_intr_abort:
	mov	$-LX_ERESTART, %rax
	ret
	.cfi_endproc
	.size	host_call_intr, .-host_call_intr

// From the door, with nothing on the runtime stack: makes the guest's call with the arguments that it
// gave, and goes back to the door, where the guest's registers are as they were but for the result.
// As host_call_intr, but no function returns behind the `syscall`.
	.globl	host_pass, host_pass_syscall, host_pass_done
	.type	host_pass, @function
	LINE_AT	8f, host_pass
host_pass:
	.cfi_startproc
	CFA_IN_TASK(T_RSP)
	REGISTERS_IN_TASK
	movl	%gs:T_ORIG_RAX, %eax
	LOAD_ARGUMENTS
	cmpw	$0, %gs:T_NOTED
	jne	door_again
host_pass_syscall:
	syscall
host_pass_done:
	cmp	$-24, %rax			// EMFILE
	je	door_full
	IF_FRESH 7f
	mov	%rax, %gs:T_RAX
8:	jmp	door_check
7:	mov	%rax, %gs:T_RAX
	.rept RETURNS
	call	9f
	int3
9:
	.endr
	jmp	door_return			// which leaves the stack empty
	.cfi_endproc
	.size	host_pass, .-host_pass

// What the kernel returns to after one of lxcore's own handlers.
	.globl	host_restorer
	.type	host_restorer, @function
host_restorer:
	mov	$15, %eax
	syscall
	ud2
	.size	host_restorer, .-host_restorer

// long host_clone(long flags, void *stack, int *ptid, int *ctid, long tls, struct task *child)
// With a stack (CLONE_VM) the child starts at task_child_start(child) on it and leaves by the
// door; without one it returns 0 here like fork.
	.globl	host_clone
	.type	host_clone, @function
host_clone:
	.cfi_startproc
	mov	%rcx, %r10
	mov	%r9, %rax
	push	%r12
	.cfi_adjust_cfa_offset 8
	mov	%rax, %r12
	mov	%rsi, %r9		// remembered: was a stack given
	mov	$56, %eax
	syscall
	test	%rax, %rax
	jnz	1f
	test	%r9, %r9
	jnz	host_child
1:	pop	%r12
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	host_clone, .-host_clone

// long host_clone3(struct clone_args *args, size_t size, struct task *child): the same for clone3.
// The stack in args, if any, is lxcore's.
	.globl	host_clone3
	.type	host_clone3, @function
host_clone3:
	.cfi_startproc
	push	%r12
	.cfi_adjust_cfa_offset 8
	mov	%rdx, %r12
	mov	$435, %eax
	syscall
	test	%rax, %rax
	jnz	1f
	test	%r12, %r12
	jnz	host_child
1:	pop	%r12
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	host_clone3, .-host_clone3

host_child:
	xor	%ebp, %ebp
	mov	%r12, %rdi
	call	task_child_start
	jmp	door_return

// void host_exit_thread(void *block, size_t size, int status, uptr *spare): gives up the thread's
// block, its runtime stack included, and ends the thread without touching it any more: its address
// goes to *spare, for another thread to use at once, or, without that, it is unmapped. All signals
// are blocked by the caller.
	.globl	host_exit_thread
	.type	host_exit_thread, @function
host_exit_thread:
	mov	%edx, %r12d
	test	%rcx, %rcx
	jz	1f
	mov	%rdi, (%rcx)
	jmp	2f
1:	mov	$11, %eax
	syscall
2:	mov	%r12d, %edi
	mov	$60, %eax
	syscall
	ud2
	.size	host_exit_thread, .-host_exit_thread

	ret				// the last `syscall` must not end the range
	.globl	hostcall_end
hostcall_end:

	.section .note.GNU-stack, "", @progbits
