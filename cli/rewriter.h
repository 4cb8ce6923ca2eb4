// SPDX-License-Identifier: MIT
// The process that rewrites files for an instance: its programs ask for those that the cache does
// not have (include/rewrite.h).
#ifndef LX_CLI_REWRITER_H
#define LX_CLI_REWRITER_H

#include "launch.h"

// Opens the cache and makes the socket. Without a cache the instance runs on without one.
void rewriter_prepare(struct launch *l);
// In the supervisor: starts the process, which ends with the instance. It inherits what is asked
// for already.
void rewriter_start(const struct launch *l, int requests);

#endif
