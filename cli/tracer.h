// SPDX-License-Identifier: MIT
// The tracer of engine `ptrace` (tracer.c).
#ifndef LX_CLI_TRACER_H
#define LX_CLI_TRACER_H

#include <sys/types.h>

#include "instance.h"

// Starts the tracer, a child of the caller. *link: its end of a socket, for tracer_join().
pid_t tracer_start(const struct instance *in, int *link);
// In the process that becomes the program: from here on it and all its descendants are traced.
void tracer_join(pid_t tracer, int link);

#endif
