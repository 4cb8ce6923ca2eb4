// SPDX-License-Identifier: MIT
// Trees whose files show by the host's mode whether they have an attribute (fs/meta.c).
#ifndef LX_CLI_MARK_H
#define LX_CLI_MARK_H

#include <stdbool.h>

// Is the tree whose root directory is open as root marked?
bool mark_is_there(int root);
// The same; one that is not is made so, if that does not take long.
bool mark_tree(int root);

#endif
