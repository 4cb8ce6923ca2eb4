// SPDX-License-Identifier: MIT
// What --stats prints: the calls of an instance up to now, and which way they came.
#ifndef LX_CLI_STATS_H
#define LX_CLI_STATS_H

#include <stdio.h>

#include "instance.h"

// Calls in all, how they came, how they were served, and the most frequent ones; while others go
// on.
void stats_print(const struct instance *in, FILE *out);

#endif
