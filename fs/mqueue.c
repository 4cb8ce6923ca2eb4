// SPDX-License-Identifier: MIT
// See include/mqueue.h.
#include "mqueue.h"

#include "attr.h"
#include "host.h"
#include "ipc.h"
#include "unixsock.h"

#define PREFIX 14 // "lxmq:01234567:"; with "=" at the end, a name that would be too long is a hash

void mqueue_name(struct task *t, const char *name, char host[QUEUE_NAME + 1])
{
    size_t n = strlen(name);
    bool is_long = n > QUEUE_NAME - PREFIX;
    fmt(host, PREFIX + 1, "lxmq:%08x%c", t->instance->abstract_prefix, is_long ? '=' : ':');
    if (is_long)
        unix_hash_name(name, (int)n, host + PREFIX);
    else
        memcpy(host + PREFIX, name, n + 1);
}

const char *mqueue_shown(struct task *t, const char *link)
{
    char prefix[PREFIX];
    if (!str_starts(link, "/lxmq:"))
        return NULL;
    fmt(prefix, sizeof prefix, "lxmq:%08x", t->instance->abstract_prefix);
    link++;
    bool ours = str_starts(link, prefix) && (link[PREFIX - 1] == ':' || link[PREFIX - 1] == '=');
    return ours ? link + PREFIX : NULL;
}

void mqueue_stat(struct task *t, struct statx *st)
{
    const struct ipc_record *r = ipc_find(t, IPC_QUEUE, (s32)st->stx_ino);
    if (!r)
        return;
    st->stx_uid = r->uid;
    st->stx_gid = r->gid;
    st->stx_mode = (u16)(S_IFREG | (r->mode & MODE_BITS));
}

long mqueue_set(struct task *t, const struct statx *new)
{
    struct ipc_record *r = ipc_find(t, IPC_QUEUE, (s32) new->stx_ino);
    if (!r)
        return -EPERM;
    r->uid = new->stx_uid;
    r->gid = new->stx_gid;
    u32 mode = __atomic_load_n(&r->mode, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&r->mode, &mode,
                                        (mode & IPC_UNLINKED) | (new->stx_mode &MODE_BITS), true,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ; // it was removed meanwhile
    return 0;
}
