// SPDX-License-Identifier: MIT
// Which engine catches the guest's system calls: the names, and what this host can do.
#ifndef LX_CLI_ENGINE_H
#define LX_CLI_ENGINE_H

#include "instance.h"

#define ENGINE_AUTO (-1)

// enum engine or ENGINE_AUTO; fails for a name that is none.
int engine_parse(const char *name);
const char *engine_name(enum engine e);
// The engine itself, or for ENGINE_AUTO the best that the host can do. Fails, with a sentence,
// where it cannot. nested: the host is lxrun.
enum engine engine_choose(int wanted, bool nested);

#endif
