// SPDX-License-Identifier: MIT
// The tracer of engine `ptrace` (tracer.c).
#ifndef LX_CLI_TRACER_H
#define LX_CLI_TRACER_H

#include <sys/types.h>

#include "instance.h"

struct tracer {
    pid_t pid; // 0: there is none
    int link;  // a socket to it, for tracer_join()
    int alive; // a pipe whose other end it holds
};

// Starts the tracer, a child of the caller.
void tracer_start(struct tracer *t, const struct instance *in);
// In the process that becomes the program: from here on it and all its descendants are traced.
void tracer_join(const struct tracer *t);

#endif
