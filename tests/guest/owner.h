// SPDX-License-Identifier: MIT
// For the tests of owners and modes.
#ifndef GUEST_OWNER_H
#define GUEST_OWNER_H

#include "check.h"

// What lstat(2) says of path; mode with the type.
static inline void is(const char *path, unsigned uid, unsigned gid, unsigned mode)
{
    struct stat st = stat_of(path);

    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, gid);
    CHECK_EQ(st.st_mode, mode);
}

#endif
