// SPDX-License-Identifier: MIT
// Users and groups of the guest, read from its own /etc/passwd and /etc/group.
#ifndef LX_CLI_USERS_H
#define LX_CLI_USERS_H

#include "cred.h"

struct user {
    char name[128], home[512], shell[512];
    u32 uid, gid;
    u32 ngroups;
    u32 groups[CRED_GROUPS_MAX];
};

// Finds "USER" or "USER:GROUP" (names or numbers) in the tree below root_fd; NULL is root. Ends
// the process for a name that is not there. A number needs no entry.
void user_find(struct user *u, int root_fd, const char *text);
// The identity of a fresh login of u.
void user_cred(const struct user *u, struct cred *c);

#endif
