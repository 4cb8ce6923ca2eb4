// SPDX-License-Identifier: MIT
// long vdso_enter(uptr function, long a, long b, long c): function(a, b, c), a function of the
// host's vDSO. T_VDSO is not 0 meanwhile; a fault there makes the signal handler go on at
// vdso_fixup, which returns -38 (ENOSYS). What the C caller expects to be preserved is on the
// stack, for the function may have been left in its middle.
#include "layout.h"

	.text
	.globl	vdso_enter, vdso_fixup
	.type	vdso_enter, @function
vdso_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	sub	$8, %rsp
	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%rsp, %gs:T_VDSO
	call	*%rax
1:	movq	$0, %gs:T_VDSO
	add	$8, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
vdso_fixup:
	mov	%gs:T_VDSO, %rsp
	mov	$-38, %rax
	cld
	jmp	1b
	.size	vdso_enter, .-vdso_enter

	.section .note.GNU-stack, "", @progbits
