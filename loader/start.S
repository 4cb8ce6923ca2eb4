// SPDX-License-Identifier: MIT
// lxcore's entry: from the stack that the kernel made, which becomes the guest's, to the first
// thread's runtime stack; leaves by the door into the guest's first instruction.
#include "layout.h"

	.text
	.globl	_start
	.type	_start, @function
_start:
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	start_early		// returns the first task
	mov	%rax, %rdi
	mov	%rbx, %rsi
	mov	T_STACK(%rax), %rsp
	call	start_guest
	jmp	door_return
	.size	_start, .-_start

	.section .note.GNU-stack, "", @progbits
