// SPDX-License-Identifier: MIT
// The file of known attributes (fs/attrcache.c), which outlives instances.
#ifndef LX_CLI_ATTRS_H
#define LX_CLI_ATTRS_H

#include "launch.h"

// Opens it beside the cache of rewritten code, where that can be had.
void attrs_prepare(struct launch *l);

#endif
