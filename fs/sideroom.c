// SPDX-License-Identifier: MIT
// Room for attributes in a directory, which is to hold records of owners by name (fs/side.c). Two
// things make some: records that belong to no entry, as killed processes leave them, are removed;
// and those that say only an owner are gathered in one attribute (fs/sidedir.c).
#include <linux/fs.h>

#include "host.h"
#include "meta.h"
#include "xattr.h"

struct garbage {
    size_t size; // of list
    char list[XATTR_LIST_SIZE];
    char entries[16384] __attribute__((aligned(8)));
};

// Blanks the record names of g->list that belong to an entry of directory fd.
static bool keep_entries(struct garbage *g, int fd)
{
    char name[SIDE_NAME_SIZE];
    long n = HOST3(__NR_lseek, fd, 0, SEEK_SET);
    while (n >= 0 && (n = HOST3(__NR_getdents64, fd, g->entries, sizeof g->entries)) > 0) {
        for (long at = 0; at < n;) {
            const struct dirent64 *e = (const void *)(g->entries + at);
            at += e->reclen;
            side_name(e->name, name);
            for (size_t i = 0; i < g->size; i += strlen(g->list + i) + 1)
                if (!strcmp(g->list + i, name))
                    g->list[i] = ' ';
        }
    }
    return n == 0;
}

// The hash that a record's name ends with; of a name that is none, anything.
static u64 hash_of_record(const char *record)
{
    u64 h = 0;
    for (const char *s = record + sizeof SIDE_PREFIX - 1; *s; s++)
        h = h << 4 | (u64)((*s & 15) + (*s > '9' ? 9 : 0));
    return h;
}

// Blanks those that somebody is at work on: of a name that is about to come, its record is there
// first. Returns the locks that it has taken for the others, a bit each.
static u64 keep_busy(struct task *t, struct garbage *g)
{
    _Static_assert(META_LOCKS <= 64, "a bit for each lock");
    u64 taken = 0;
    for (size_t i = 0; i < g->size; i += strlen(g->list + i) + 1) {
        if (!strcmp(g->list + i, SIDE_SETS))
            g->list[i] = ' ';
        if (!str_starts(g->list + i, SIDE_PREFIX))
            continue;
        u64 index = hash_of_record(g->list + i) % META_LOCKS;
        u32 *lock = &t->instance->name_lock[index];
        if (taken >> index & 1)
            continue;
        if (reserved_claim(lock, t->tid))
            taken |= 1UL << index;
        else
            g->list[i] = ' '; // the caller's own, too
    }
    return taken;
}

static bool remove_records(const struct parent *dir, const struct garbage *g)
{
    bool removed = false;
    for (size_t i = 0; i < g->size; i += strlen(g->list + i) + 1)
        if (str_starts(g->list + i, SIDE_PREFIX) && host_removexattr_at(dir, g->list + i) >= 0)
            removed = true;
    return removed;
}

// Removes the records that belong to no entry of the directory that p lies in. False: there were
// none.
static bool collect(struct task *t, const struct parent *p)
{
    struct parent dir = side_directory(p);
    struct garbage *g = arena_alloc(sizeof *g);
    bool removed = false;
    if (!g)
        return false;
    long fd = temp_open(t, p->fd, ".", O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    long n = fd < 0 ? fd : host_listxattr_at(&dir, g->list, sizeof g->list - 1);
    g->size = n > 0 ? (size_t)n : 0;
    if (n > 0 && keep_entries(g, (int)fd)) {
        u64 taken = keep_busy(t, g);
        // Once more, now that none of these names can come or go.
        removed = keep_entries(g, (int)fd) && remove_records(&dir, g);
        for (u64 left = taken; left; left &= left - 1)
            reserved_release(&t->instance->name_lock[__builtin_ctzl(left)]);
    }
    if (fd >= 0)
        temp_close(t, (int)fd);
    arena_free(g, sizeof *g);
    return removed;
}

bool side_make_room(struct task *t, int mount, const struct parent *p, int step)
{
    return step ? side_gather(t, mount, p, true) : collect(t, p);
}

// Records are gathered while there is room for that: in a full directory some would have to go
// first. So who has written one asks how many there are. What a record and the sets take of ext4's
// 4,000 bytes; other file systems have room beyond these.
#define RECORD_BYTES 64
#define FEW_RECORDS 16
#define GATHERED_FROM 3300
#define GATHERED_TO 3900

void side_keep_room(struct task *t, int mount, const struct parent *p)
{
    struct parent dir = side_directory(p);
    long n = host_listxattr_at(&dir, NULL, 0) / (long)SIDE_NAME_SIZE;
    if (n < FEW_RECORDS)
        return;
    long used = n * RECORD_BYTES + MAX(host_getxattr_at(&dir, SIDE_SETS, NULL, 0), 0);
    if (used >= GATHERED_FROM && used < GATHERED_TO)
        side_gather(t, mount, p, false);
}
