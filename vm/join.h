// SPDX-License-Identifier: MIT
// Finding the keeper of a VM, or starting it.
#ifndef LX_VM_JOIN_H
#define LX_VM_JOIN_H

#include "frames.h"
#include "vm.h"

// A connection to the keeper of the VM that o describes. What is to be said first goes to out.
int keeper_join(const struct vm_options *o, struct buffer *out);
// Says whether the VM that o describes has no keeper: its last one has ended in good order.
bool keeper_left(const struct vm_options *o);

#endif
