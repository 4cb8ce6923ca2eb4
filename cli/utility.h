// SPDX-License-Identifier: MIT
// The program in the utility VM (vm.h) instead of on the translation layer.
#ifndef LX_CLI_UTILITY_H
#define LX_CLI_UTILITY_H

#include "options.h"

// Runs it there, and returns the exit status.
int utility_run(const struct options *o);

#endif
