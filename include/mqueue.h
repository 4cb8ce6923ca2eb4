// SPDX-License-Identifier: MIT
// POSIX message queues. A queue is one of the host's, under a name that says of which root it is,
// and to the host its owner is the host user, its mode 0600. Whose it is to the guest stands in its
// record (ipc.h). Opening and removing are in syscalls/mqueue.c.
#ifndef LX_MQUEUE_H
#define LX_MQUEUE_H

#include "fs.h"

#define QUEUE_NAME 255 // bytes that a name may have, the guest's as the host's

// The host's name of the guest's, which is no longer than that.
void mqueue_name(struct task *t, const char *name, char host[QUEUE_NAME + 1]);
// If a link in the host's /proc shows a queue of the guest's root: its name there, with what
// follows. NULL: it shows none.
const char *mqueue_shown(struct task *t, const char *link);

// Does *st, as the host sees it, show a queue?
static inline bool mqueue_is(const struct task *t, const struct statx *st)
{
    return device_of(st) == t->instance->queue_dev && (st->stx_mode & S_IFMT) == S_IFREG;
}
// *st becomes the guest's view.
void mqueue_stat(struct task *t, struct statx *st);
// Owner and mode become those of *new.
long mqueue_set(struct task *t, const struct statx *new);

#endif
