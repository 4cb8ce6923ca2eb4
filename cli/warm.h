// SPDX-License-Identifier: MIT
// What a distribution starts with: its libc, loader, shell and small programs. The rewriter goes
// through them when a root is first used and nothing else is to be done, so that the cache has them
// before they are asked for.
#ifndef LX_CLI_WARM_H
#define LX_CLI_WARM_H

#include <limits.h>
#include <stdbool.h>

struct warming {
    int cache, root;
    bool ends; // nothing is left to do
    unsigned group, name;
    char mark[NAME_MAX]; // in the cache: this root was gone through
};

// root: the directory; -1: the instance has no root of its own.
void warm_begin(struct warming *w, int cache, int root);
// The next file that the cache does not have, open to be read. -1: that was all; the root is
// marked.
int warm_next(struct warming *w);

#endif
