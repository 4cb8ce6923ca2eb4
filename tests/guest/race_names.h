// SPDX-License-Identifier: MIT
// For tests in which a thread exchanges names for as long as they look at what has them.
#ifndef GUEST_RACE_NAMES_H
#define GUEST_RACE_NAMES_H

#include "check.h"
#include <pthread.h>

static volatile int stop;
static int swaps, top; // how often, and the directory that they are in

// names: pairs, behind them NULL.
static void *exchange(void *names)
{
    while (!stop) {
        for (const char *const *n = names; *n; n += 2)
            CHECK_EQ(renameat2(top, n[0], top, n[1], RENAME_EXCHANGE), 0);
        swaps++;
    }
    return NULL;
}

static inline ino_t inode(int fd)
{
    struct stat st;
    CHECK_EQ(fstat(fd, &st), 0);
    return st.st_ino;
}

#endif
