// SPDX-License-Identifier: MIT
// Hard links of what has its owner by name (fs/side.c). All names of an inode have one owner, mode
// and attributes, but nobody knows where the others lie. So what is changed of one with several
// names is kept by its number and time of birth, in an attribute of the directory where the mount's
// files begin,
//     user.lxrun.i.<hash of number and birth>  =  uid:gid:mode:type[;name=value...]
// and holds from then on in place of any name's record, until the last name is gone. So one
// setxattr is a change for all names. The record of the name that was used is written as well: a
// copy of the tree has other inodes.
//
// Nearly no tree has any. So the mount table remembers whether that directory had one when it was
// first asked, or has got one since. Where there is no room, or the host tells no birth, each name
// has what its own record says.
#include "host.h"
#include "meta.h"
#include "overlay.h"
#include "xattr.h"

// In mount_entry.flags, and for the store in instance.store_flags.
#define LINKS_KNOWN 0x10000000u // the directory was looked through
#define LINKS_USED 0x08000000u  // it has such records
#define LINKS_ALL 0x04000000u   // everybody goes by that

#define OWNER_SIZE 64

// Where the records of a mount's inodes are, the same for every bind of a part of it.
static struct parent where(struct task *t, int mount, u32 **flags)
{
    struct mount_entry *e = mount_at(t, MAX(mount, 0));
    *flags = &t->instance->store_flags;
    if (e->base == BASE_STORE)
        return (struct parent){.fd = reserved_fd(t, RESERVED_STORE), .name = "."};
    if (e->base >= 0)
        mount = e->base;
    *flags = &mount_at(t, MAX(mount, 0))->flags;
    return (struct parent){.fd = mount_root_fd(t, MAX(mount, 0)), .name = "."};
}

static bool is_used(struct task *t, int mount)
{
    u32 *flags;
    struct parent dir = where(t, mount, &flags);
    if (!(*flags & LINKS_KNOWN))
        __atomic_fetch_or(flags,
                          LINKS_KNOWN | (side_lists(&dir, SIDE_LINK_PREFIX) ? LINKS_USED : 0),
                          __ATOMIC_RELAXED);
    return *flags & LINKS_USED;
}

// The layers of an overlay one by one, any other mount itself. 0: no more.
static int first_of(struct task *t, int mount)
{
    return is_overlay(t, mount) ? mount_at(t, mount)->top : MAX(mount, 0);
}

static bool next_of(struct task *t, int mount, int *at)
{
    *at = is_overlay(t, mount) ? mount_at(t, *at)->below : 0;
    return *at;
}

bool side_links_used(struct task *t, int mount)
{
    int at = first_of(t, mount);
    do
        if (is_used(t, at))
            return true;
    while (next_of(t, mount, &at));
    return false;
}

static bool name_of(const struct statx *st, char *name)
{
    if (!(st->stx_mask & STATX_BTIME))
        return false;
    side_link_name(st, name);
    return true;
}

// Of the inode at p, if that still is number ino.
static bool find_name(const struct parent *p, u64 ino, char *name)
{
    struct statx st;
    int flags = AT_SYMLINK_NOFOLLOW | (*p->name ? 0 : AT_EMPTY_PATH);
    return host_statx(p->fd, p->name, flags, STATX_INO | STATX_BTIME, &st) >= 0 &&
           st.stx_ino == ino && name_of(&st, name);
}

static bool read_at(struct task *t, int mount, const char *name, u32 host_mode, struct statx *st,
                    char *more)
{
    char small[OWNER_SIZE], *value = small;
    const char is[2] = {side_type(host_mode), 0};
    u32 *flags;
    struct parent dir = where(t, mount, &flags);
    long n = host_getxattr_at(&dir, name, small, sizeof small - 1);
    if (n == -ERANGE) {
        value = arena_alloc(OWNER_SIZE + MORE_SIZE);
        n = value ? host_getxattr_at(&dir, name, value, OWNER_SIZE + MORE_SIZE - 1) : -ENOMEM;
    }
    if (n > 0)
        value[n] = 0;
    const char *s = value;
    bool found = n > 0 && side_read(&s, is, st->stx_ino, st, more);
    if (value && value != small)
        arena_free(value, OWNER_SIZE + MORE_SIZE);
    return found;
}

bool side_link_get(struct task *t, int mount, const struct parent *p, u32 host_mode,
                   struct statx *st, char *more)
{
    char name[SIDE_LINK_SIZE];
    if (!side_links_used(t, mount) || !find_name(p, st->stx_ino, name))
        return false;
    int at = first_of(t, mount);
    do
        if (is_used(t, at) && read_at(t, at, name, host_mode, st, more))
            return true;
    while (next_of(t, mount, &at));
    return false;
}

// A removal by one who may remove all looks at nothing where there are no records. It announces
// itself (name_change_begin()) before it asks for LINKS_USED, which is set here before it is asked
// who has: so each either looks, or is waited for.
bool side_links_first(struct task *t, int mount)
{
    u32 *flags;
    where(t, first_of(t, mount), &flags);
    if (__atomic_load_n(flags, __ATOMIC_ACQUIRE) & LINKS_ALL)
        return false;
    __atomic_fetch_or(flags, LINKS_KNOWN | LINKS_USED, __ATOMIC_SEQ_CST);
    name_changes_wait(t);
    __atomic_fetch_or(flags, LINKS_ALL, __ATOMIC_RELEASE);
    return true;
}

long side_link_put(struct task *t, int mount, const struct parent *p, const struct meta_named *m)
{
    char name[SIDE_LINK_SIZE], *text;
    struct statx st = m->host;
    u32 *flags;
    int at = first_of(t, mount);
    struct parent dir = where(t, at, &flags);
    if (!find_name(p, m->host.stx_ino, name))
        return -EOPNOTSUPP;
    text = arena_alloc(OWNER_SIZE + MORE_SIZE);
    if (!text)
        return -ENOMEM;
    long n = fmt(text, OWNER_SIZE, "%u:%u:%o:%c", m->guest.stx_uid, m->guest.stx_gid,
                 m->guest.stx_mode & MODE_BITS, side_type(m->host.stx_mode));
    bool more = META_MORE(&m->guest) & MORE_ATTRS;
    if (more && m->more)
        str_copy(text + n, m->more, MORE_SIZE);
    else if (more)
        side_record(t, mount, p, m->host.stx_mode, &st, text + n);
    long r = host_setxattr_at(&dir, name, text, strlen(text), 0);
    arena_free(text, OWNER_SIZE + MORE_SIZE);
    return r;
}

static void let_go(struct task *t, struct link_going *g)
{
    if (g->name_lock)
        reserved_release(g->name_lock);
    if (meta_by_name(g->was.stx_mode))
        meta_unlock_inode(t, &g->was, g->lock);
    g->lock = g->name_lock = NULL;
}

void side_link_going(struct task *t, int mount, const struct parent *p, const struct statx *was,
                     struct link_going *g)
{
    *g = (struct link_going){.was = *was, .p = p};
    for (;;) {
        bool named = meta_by_name(g->was.stx_mode);
        struct statx now;
        if (named) {
            g->lock = meta_lock_inode(t, &g->was);
            g->name_lock = meta_lock_name(t, p);
        }
        name_change_begin(t, p);
        g->announced = !is_used(t, first_of(t, mount));
        if (g->announced)
            return;
        name_change_end(t, p);
        if (!named)
            g->name_lock = meta_lock_name(t, p);
        if (host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &now) <
            0)
            return;
        bool same = now.stx_ino == g->was.stx_ino && meta_by_name(now.stx_mode) == named;
        if (!same)
            let_go(t, g); // another's by now
        g->was = now;
        g->last = named && now.stx_nlink == 1;
        if (same)
            return;
    }
}

void side_link_gone(struct task *t, int mount, struct link_going *g, bool gone)
{
    char name[SIDE_LINK_SIZE];
    u32 *flags;
    if (g->announced)
        name_change_end(t, g->p);
    if (gone && g->last && name_of(&g->was, name)) {
        struct parent dir = where(t, first_of(t, mount), &flags);
        host_removexattr_at(&dir, name);
    }
    let_go(t, g);
}
