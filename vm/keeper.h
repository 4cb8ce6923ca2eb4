// SPDX-License-Identifier: MIT
// The keeper of a running VM (vm.h), and what its parts share.
#ifndef LX_VM_KEEPER_H
#define LX_VM_KEEPER_H

#include <poll.h>

#include "machine.h"

// Becomes the keeper of the VM that o describes: listens on `socket`, says so on `ready` by one
// byte, ends with the VM. `settings`: what a client that joins must agree to.
_Noreturn void keeper_run(const struct vm_options *o, const char *socket, const char *log,
                          const char *settings, int ready);

// Frames on their way to init.
extern struct buffer to_vm;
// A number for a new session; none has it twice.
uint32_t session_number(void);

// ---- forward.c: ports of the VM's localhost on the host's ----

// Something in the VM listens on these n ports: the host's are listened on, others no more.
void forward_ports(const uint16_t *ports, size_t n);
// Around the keeper's ppoll(2): puts what is to be waited for into fds, which has `room`, and
// returns how many there are; looks at what has come of it, in the same array.
nfds_t forward_poll(struct pollfd *fds, nfds_t room);
void forward_polled(const struct pollfd *fds);
// A frame of one of its sessions; false: of somebody else's.
bool forward_frame(const struct frame *f);

#endif
