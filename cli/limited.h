// SPDX-License-Identifier: MIT
// Limits of tmpfs mounts: the host's kernel keeps them, for tmpfs mounts of its own, each in a
// mount namespace that nothing else sees. A process holds it open by its working directory.
#ifndef LX_CLI_LIMITED_H
#define LX_CLI_LIMITED_H

#include "launch.h"

// In the supervisor: answers a guest's request, if there is one (instance.h: struct tmpfs_request).
void limited_serve(struct launch *l);
// Has it no children left but holders?
bool limited_alone(void);
// Ends them.
void limited_end(void);

#endif
