// SPDX-License-Identifier: MIT
// Thread cancellation with musl, which looks whether the interrupted program counter stands at its
// `syscall` instruction.
// covers: tgkill, rt_sigaction, rt_sigreturn
// link: musl
#include "thr_cancel.c"
