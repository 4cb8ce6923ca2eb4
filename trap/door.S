// SPDX-License-Identifier: MIT
// The one door: every way of catching a system call ends at door_enter with the guest's registers
// as they were at the `syscall`, but for %rcx, which holds the address behind it. The signal
// side of the door's two windows is in trap/signal.c.
//
// Rules here: nothing is pushed on the guest's stack (red zone, tiny stacks), no vector state is
// touched, and between door_check and door_end the guest's registers are complete in the task, so
// that a signal there is delivered as if it came in the guest.
#include "arguments.inc"
#include "fixup.inc"

// Rarely set, and lxcore's own code could not run with them.
#define EFLAGS_TROUBLE (EFLAGS_TF | EFLAGS_DF | EFLAGS_AC)

// What the dispatcher's caller has not preserved, but for %rax.
.macro LOAD_CLOBBERED
	LOAD_ARGUMENTS
	mov	%gs:T_R11, %r11
	mov	%gs:T_RCX, %rcx
.endm

// Those of the guest that a call leaves as they are.
.macro SAVE_REGISTERS
	mov	%rdi, %gs:T_RDI
	mov	%rsi, %gs:T_RSI
	mov	%rdx, %gs:T_RDX
	mov	%r10, %gs:T_R10
	mov	%r8, %gs:T_R8
	mov	%r9, %gs:T_R9
	mov	%rbx, %gs:T_RBX
	mov	%rbp, %gs:T_RBP
	mov	%r12, %gs:T_R12
	mov	%r13, %gs:T_R13
	mov	%r14, %gs:T_R14
	mov	%r15, %gs:T_R15
.endm

	.cfi_sections .debug_frame

// At LX_GATE, the address that slots of rewritten code know.
	.section .gate, "ax"
	.globl	door_enter, door_full, door_again, door_return, door_check, door_end
	.type	door_enter, @function
door_enter:
	.cfi_startproc
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rcx
	mov	%rsp, %gs:T_RSP
	mov	%gs:T_STACK, %rsp
	CFA_IN_TASK(T_RSP)
	movl	$1, %gs:T_INSIDE	// before dispatch() looks at what is wanted of the thread
	pushfq				// the runtime stack is empty: one slot below its top
	mov	%rcx, %gs:T_RIP
	mov	%rcx, %gs:T_RCX
	mov	%rax, %gs:T_RAX
	mov	%rax, %gs:T_ORIG_RAX
	SAVE_REGISTERS
	mov	%rax, %rsi
	pop	%rax
	mov	%rax, %gs:T_EFLAGS
	mov	%rax, %r11
	and	$~2, %r11		// see dispatch_lost() in trap/signal.c
	mov	%r11, %gs:T_R11
	test	$EFLAGS_TROUBLE, %eax
	jnz	2f
	REGISTERS_IN_TASK
1:	mov	%gs:T_SELF, %rdi
	call	dispatch
	// A C function has preserved the registers that door_return loads, and host_pass does.
7:	cmp	$LX_PASS_ON, %rax
	je	host_pass
	cmp	$-LX_ERESTART, %rax
	je	door_again
	mov	%rax, %gs:T_RAX
	jmp	door_check
2:	and	$~EFLAGS_TROUBLE, %rax
	push	%rax
	popfq
	jmp	1b
door_full:				// from host_pass: EMFILE
	mov	%gs:T_SELF, %rdi
	call	dispatch_full
	jmp	7b
door_again:				// the guest is to make its call again: -LX_ERESTART
	subq	$2, %gs:T_RIP		// at the guest's `syscall`
	jmp	door_check

// The way out, with all registers as they are in the task; comes from wherever lxcore is done with
// the guest (rt_sigreturn, a signal, a new thread, a new program).
door_return:
	mov	%gs:T_STACK, %rsp
	mov	%gs:T_RBX, %rbx
	mov	%gs:T_RBP, %rbp
	mov	%gs:T_R12, %r12
	mov	%gs:T_R13, %r13
	mov	%gs:T_R14, %r14
	mov	%gs:T_R15, %r15
// The way out of a call, by which those registers are the guest's already that C functions preserve.
door_check:
	movl	$0, %gs:T_INSIDE	// before the look; see task/engine.c
	cmpq	$0, %gs:T_NOTED
	jne	4f
5:	LOAD_CLOBBERED
	testl	$EFLAGS_TROUBLE, %gs:T_EFLAGS
	jnz	3f
	// popfq costs as much as all the rest. These are the flags that C code has changed: OF by an
	// addition that overflows when it was set, the others by SAHF.
	movb	%gs:T_EFLAGS, %ah
	movb	%gs:T_EFLAGS + 1, %al
	and	$8, %al
	add	$0x78, %al
	sahf
	mov	%gs:T_RAX, %rax
	mov	%gs:T_RSP, %rsp
	jmp	*%gs:T_RIP
3:	pushq	%gs:T_EFLAGS
	mov	%gs:T_RAX, %rax
	popfq
	mov	%gs:T_RSP, %rsp
	jmp	*%gs:T_RIP
// Something is in the word at T_NOTED: is it for now?
4:	cmpw	$0, %gs:T_NOTED
	jne	6f
	cmpl	$0, %gs:T_WANTED
	jne	6f
	testb	$KEEPS_STOP, %gs:T_KEEPS
	jnz	6f
	testb	$KEEPS_GS, %gs:T_KEEPS
	jz	5b
	// The guest's own GS base, and from there on no way to the task: the rest comes from the stack.
	mov	%gs:T_STACK, %rsp
	pushq	$USER_DS
	pushq	%gs:T_RSP
	pushq	%gs:T_EFLAGS
	pushq	$USER_CS
	pushq	%gs:T_RIP
	pushq	%gs:T_RAX
	LOAD_CLOBBERED
	mov	%gs:T_GUEST_GS, %rax
	wrgsbase %rax
	pop	%rax
	iretq
door_end:
6:	mov	%gs:T_SELF, %rdi
	call	signal_attend
	jmp	door_return
	.cfi_endproc
	.size	door_enter, .-door_enter

// The same for a cpuid in rewritten text (include/rewrite.h), at LX_GATE_CPUID: %rdx, which is one of
// its results, holds the address behind it. It is no call, and changes no other register.
	.org	LX_GATE_CPUID - LX_GATE, 0xcc
	.type	door_cpuid, @function
door_cpuid:
	.cfi_startproc
	.cfi_def_cfa %rsp, 0
	.cfi_register %rip, %rdx
	mov	%rsp, %gs:T_RSP
	mov	%gs:T_STACK, %rsp
	CFA_IN_TASK(T_RSP)
	movl	$1, %gs:T_INSIDE
	pushfq
	mov	%rdx, %gs:T_RIP
	mov	%rcx, %gs:T_RCX
	mov	%r11, %gs:T_R11
	mov	%rax, %gs:T_RAX
	movq	$-1, %gs:T_ORIG_RAX
	SAVE_REGISTERS
	pop	%rax
	mov	%rax, %gs:T_EFLAGS
	REGISTERS_IN_TASK
	test	$EFLAGS_TROUBLE, %eax
	jz	1f
	and	$~EFLAGS_TROUBLE, %rax
	push	%rax
	popfq
1:	mov	%gs:T_SELF, %rdi
	call	cpuid_at_door
	// Programs wait by CPUID, as they may (Intel SDM 9.3), until code that another thread has
	// changed is what runs. IRET does the same, and stays in a virtual machine.
	mov	%rsp, %rax
	pushq	$USER_DS
	push	%rax
	pushfq
	pushq	$USER_CS
	lea	2f(%rip), %rax
	push	%rax
	iretq
2:	jmp	door_return
	.cfi_endproc
	.size	door_cpuid, .-door_cpuid

	.text
// void signal_clear_ac(void): misaligned accesses do not fault any more.
	.globl	signal_clear_ac
	.type	signal_clear_ac, @function
signal_clear_ac:
	pushfq
	andl	$~EFLAGS_AC, (%rsp)
	popfq
	ret
	.size	signal_clear_ac, .-signal_clear_ac

// void signal_resume(const struct sigcontext_64 *c): leaves a handler for where a host call of lxcore
// ends (host/hostcall.S: host_call_done), with the registers that hold anything there. Nothing is
// read from the handler's stack once it is left: another handler may begin on it.
	.globl	signal_resume
	.type	signal_resume, @function
signal_resume:
	mov	SC_R12(%rdi), %r12
	mov	SC_R13(%rdi), %r13
	mov	SC_R14(%rdi), %r14
	mov	SC_R15(%rdi), %r15
	mov	SC_RBP(%rdi), %rbp
	mov	SC_RBX(%rdi), %rbx
	mov	SC_RAX(%rdi), %rax
	mov	SC_RIP(%rdi), %rcx
	mov	SC_RSP(%rdi), %rsp
	jmp	*%rcx
	.size	signal_resume, .-signal_resume

// long uaccess_copy(void *dst, const void *src, size_t n): copies, returns the bytes not copied. Most
// copies are a few words, for which `rep movsb` takes long to begin; a fault among those goes on
// with it, so that all bytes before the bad one are copied.
	.globl	uaccess_copy
	.type	uaccess_copy, @function
uaccess_copy:
	mov	%rdx, %rcx
	cmp	$144, %rdx		// a struct stat
	ja	6f
	cmp	$32, %rdx
	jb	2f
1:	mov	(%rsi), %rax		// a struct sigaction is all of this
	mov	8(%rsi), %r8
	mov	16(%rsi), %r9
	mov	24(%rsi), %r10
	mov	%rax, (%rdi)
	mov	%r8, 8(%rdi)
	mov	%r9, 16(%rdi)
	mov	%r10, 24(%rdi)
	sub	$32, %rcx
	je	7f
	add	$32, %rsi
	add	$32, %rdi
	cmp	$32, %rcx
	jae	1b
2:	cmp	$8, %rcx
	jb	4f
3:	mov	(%rsi), %rax
	mov	%rax, (%rdi)
	add	$8, %rsi
	add	$8, %rdi
	sub	$8, %rcx
	cmp	$8, %rcx
	jae	3b
4:	cmp	$4, %rcx
	jb	5f
	mov	(%rsi), %eax
	mov	%eax, (%rdi)
	add	$4, %rsi
	add	$4, %rdi
	sub	$4, %rcx
5:	test	%ecx, %ecx
	je	7f
6:	rep movsb
7:	mov	%rcx, %rax
	ret
	FIXUP	1b, 5b, 6b
	FIXUP	6b, 7b, 7b
	.size	uaccess_copy, .-uaccess_copy

// long uaccess_str(char *dst, const char *src, size_t n): copies a string with its end, at most n
// bytes; returns its length, n when no end came, -14 (EFAULT) on a fault. By words, as above; what
// stands behind the end in dst then is of no meaning.
	.globl	uaccess_str
	.type	uaccess_str, @function
uaccess_str:
	mov	$0x0101010101010101, %r9
	mov	$0x8080808080808080, %r10
	xor	%eax, %eax
	sub	$8, %rdx
	jmp	2f
1:	add	$8, %rax
2:	cmp	%rdx, %rax
	jg	4f
3:	mov	(%rsi,%rax), %rcx
	mov	%rcx, (%rdi,%rax)
	mov	%rcx, %r8		// the first zero byte gets its highest bit set
	not	%r8
	and	%r10, %r8
	sub	%r9, %rcx
	and	%r8, %rcx
	je	1b
	tzcnt	%rcx, %rcx
	shr	$3, %ecx
	add	%rcx, %rax
	ret
4:	add	$8, %rdx		// or a word that is not all there
5:	cmp	%rdx, %rax
	je	9f
6:	movb	(%rsi,%rax), %cl
7:	movb	%cl, (%rdi,%rax)
	test	%cl, %cl
	je	9f
	inc	%rax
	jmp	5b
8:	mov	$-14, %rax
9:	ret
	FIXUP	3b, 4b, 4b
	FIXUP	6b, 7b, 8b
	.size	uaccess_str, .-uaccess_str

	.section .note.GNU-stack, "", @progbits
