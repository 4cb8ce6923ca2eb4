// SPDX-License-Identifier: MIT
// Drives whose names are not told apart by case (fs/nocase.c).
#ifndef LX_NOCASE_H
#define LX_NOCASE_H

#include "fs.h"

// Where a directory says it, in a drive with case=dir; the guest's name is WSL's.
#define CASE_XATTR "system.wsl_case_sensitive"
#define CASE_HOST "user.lxrun.x.system.wsl_case_sensitive"

// Are two names, ended, one for Windows?
bool nocase_same(const char *a, const char *b);
// Puts the name that is there in the place of the last one of loc, in such a mount. 1: another; 0:
// it is as written, or not there.
long nocase_find(struct task *t, struct loc *loc);
// A new directory at p is as the one that it lies in.
void nocase_inherit(struct task *t, int mount, const struct parent *p);

#endif
