// SPDX-License-Identifier: MIT
// The directory beside a root whose file system has no attributes of users (fs/attrstore.c).
#ifndef LX_CLI_ATTRSTORES_H
#define LX_CLI_ATTRSTORES_H

struct launch;

// Makes it where the guest's root needs one, and adds it behind all mounts. Where it cannot be
// made, owners and modes of files there cannot be changed (EPERM). The host's own tree needs none.
void attrstore_add(struct launch *l);
// The instance has ended: takes away what belonged to files without a name.
void attrstore_end(struct launch *l);

#endif
