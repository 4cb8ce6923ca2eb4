// SPDX-License-Identifier: MIT
// System V IPC objects of the instance, and POSIX message queues (mqueue.h): who owns them in the
// guest's terms. To the host all of them belong to the host user, with mode 0600, under keys and
// names of the instance's root. A queue's id is the number of its inode.
#ifndef LX_IPC_H
#define LX_IPC_H

#include <asm/ipcbuf.h>

#include "task.h"

enum { IPC_READ = 0444, IPC_WRITE = 0222 };

// The host's key for a guest's and back; IPC_PRIVATE stays what it is.
s32 ipc_key(const struct task *t, s32 key);
// The record of an object; NULL: there is none, so the object is not there for the guest.
struct ipc_record *ipc_find(struct task *t, int kind, s32 id);
// Makes the record of an object that the caller has created, or that has none though it is whole
// (mode: what its bits say): another instance's where the table is not shared (ipc_apart). NULL:
// the table is full.
struct ipc_record *ipc_add(struct task *t, int kind, s32 id, u32 mode, bool created);
void ipc_drop(struct ipc_record *r);
// A queue has lost its name.
void ipc_unlinked(struct task *t, struct ipc_record *r);
// For reserved_wait(): nobody else opens or removes a message queue.
u32 *ipc_queue_lock(struct task *t);
// ipc/util.c: ipcperms(); want holds mode bits, in any of their three places. 0 or -EACCES.
long ipc_may(const struct task *t, const struct ipc_record *r, u32 want);
// Is the caller owner or creator, or has cap? 0 or -EPERM.
long ipc_owner(const struct task *t, const struct ipc_record *r, int cap);
// ipc_find and ipc_may for calls that use an object. 0, -EINVAL or -EACCES.
long ipc_use(struct task *t, int kind, s32 id, u32 want);
// Fills in what the guest sees of the host's ipc64_perm.
void ipc_show(const struct task *t, const struct ipc_record *r, struct ipc64_perm *p);

#endif
