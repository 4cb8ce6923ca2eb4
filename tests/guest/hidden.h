// SPDX-License-Identifier: MIT
// For tests of what lxcore keeps in extended attributes: the guest is to see none of it.
#ifndef GUEST_HIDDEN_H
#define GUEST_HIDDEN_H

#include "check.h"
#include <sys/xattr.h>

static const char own[] = "user.containers.override_stat";

// path itself, not followed, shows no attribute.
static inline void nothing(const char *path)
{
    char list[512], text[64];

    CHECK_EQ(llistxattr(path, NULL, 0), 0);
    CHECK_EQ(llistxattr(path, list, sizeof(list)), 0);
    CHECK_ERR(lgetxattr(path, own, text, sizeof(text)), ENODATA);
    CHECK_ERR(lgetxattr(path, own, NULL, 0), ENODATA);
}

#endif
