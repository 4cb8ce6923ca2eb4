// SPDX-License-Identifier: MIT
// The only instructions of lxcore that touch vector and x87 registers, whose contents are the
// guest's all the time: they write them to a signal frame, load them from one, or make them what a
// handler begins with (trap/vectors.c).
#include "fixup.inc"

	.text

// long uaccess_xsave(void *area, u64 mask), uaccess_xrstor(const void *area, u64 mask),
// uaccess_fxrstor(const void *area): on guest memory; 0, or -14 (EFAULT) when that is bad: not
// there, or its contents not what the processor takes.
	.globl	uaccess_xsave, uaccess_xrstor, uaccess_fxrstor
	.type	uaccess_xsave, @function
	.type	uaccess_xrstor, @function
	.type	uaccess_fxrstor, @function
uaccess_xsave:
	mov	%rsi, %rax
	mov	%rsi, %rdx
	shr	$32, %rdx
1:	xsave64	(%rdi)
	xor	%eax, %eax
	ret
	.size	uaccess_xsave, .-uaccess_xsave
uaccess_xrstor:
	mov	%rsi, %rax
	mov	%rsi, %rdx
	shr	$32, %rdx
	xrstor64 (%rdi)
	xor	%eax, %eax
	ret
	.size	uaccess_xrstor, .-uaccess_xrstor
uaccess_fxrstor:
	fxrstor64 (%rdi)
	xor	%eax, %eax
	ret
2:	mov	$-14, %rax
	ret
	FIXUP	1b, 2b, 2b
	.size	uaccess_fxrstor, .-uaccess_fxrstor

// void vectors_reset(u64 mask): these components as a handler begins with them.
	.globl	vectors_reset
	.type	vectors_reset, @function
vectors_reset:
	mov	%edi, %eax
	mov	%rdi, %rdx
	shr	$32, %rdx
	xrstor64 clean_xsave(%rip)
	ret
	.size	vectors_reset, .-vectors_reset

	.section .rodata
	.balign	64
clean_xsave:
	.fill	24
	.long	0x1f80			// MXCSR
	.fill	576 - 28

	.section .note.GNU-stack, "", @progbits
