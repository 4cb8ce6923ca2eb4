// SPDX-License-Identifier: MIT
// The processes around the program: supervisor.c says which and why.
#ifndef LX_CLI_SUPERVISOR_H
#define LX_CLI_SUPERVISOR_H

#include "launch.h"

// Starts the program and stands in for it towards lxrun's caller. Returns the exit status.
int supervise(struct launch *l);

#endif
