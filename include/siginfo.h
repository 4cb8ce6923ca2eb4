// SPDX-License-Identifier: MIT
// What a siginfo_t says of its sender, in the guest's terms (task/siginfo.c).
#ifndef LX_SIGINFO_H
#define LX_SIGINFO_H

#include "task.h"

// The host kernel has put the sender's host uid into info: replaces it by the guest's.
void siginfo_to_guest(struct task *t, siginfo_t *info);

#endif
