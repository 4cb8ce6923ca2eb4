// SPDX-License-Identifier: MIT
// The side store: owner and mode of what cannot carry user attributes (xattr(7)): symlinks, FIFOs,
// sockets and device nodes. Each has a record in an attribute of the directory that it lies in,
//     user.lxrun.o.<hash of the name>  =  uid:gid:mode:type:<check>
// where check is a hash of name, and target of a symlink. Records so survive cp -a, rsync -X and
// tar
// --xattrs, and one that was left by another file is not taken for this one's.
//
// Without a record the owner is that of the directory, or the one that its attribute names for them
// (fs/sidedir.c), so that most entries need none. Records are written beside an existing entry and
// removed behind a removed one: a process killed in between leaves a wrong owner at worst, that of
// the directory. A full directory is cleared of the records that belong to no entry, then of those
// that a common owner makes needless.
#include "devlink.h"
#include "host.h"
#include "meta.h"
#include "xattr.h"

bool meta_by_name(u32 host_mode)
{
    u32 type = host_mode & S_IFMT;
    return type == S_IFLNK || type == S_IFIFO || type == S_IFSOCK;
}

// Type and check of an entry as the end of its record says them. at: where the inode is, which need
// not be under that name yet.
static bool identity(const char *entry, const struct parent *at, u32 host_mode, char *out,
                     size_t size)
{
    char target[LX_PATH_MAX];
    char type = 'p';
    long n = 0;
    if ((host_mode & S_IFMT) == S_IFSOCK) {
        type = 's';
    } else if ((host_mode & S_IFMT) == S_IFLNK) {
        n = host_readlinkat(at->fd, at->name, target, sizeof target);
        if (n < 0)
            return false;
        type = 'l';
    }
    fmt(out, size, "%c:%08x", type, side_check(entry, target, (size_t)n));
    return true;
}

static struct parent directory_of(const struct parent *p)
{
    return (struct parent){.fd = p->fd, .name = "."};
}

bool side_record(const struct parent *p, u32 host_mode, struct statx *st)
{
    char name[SIDE_NAME_SIZE], value[ATTR_SIZE], is[16];
    struct parent dir = directory_of(p);
    u32 uid, gid, mode;
    side_name(p->name, name);
    long n = host_getxattr_at(&dir, name, value, sizeof value - 1);
    if (n <= 0)
        return false;
    value[n] = 0;
    const char *s = value;
    if (!attr_number(&s, 10, ':', &uid) || !attr_number(&s, 10, ':', &gid) ||
        !attr_number(&s, 8, ':', &mode) || !identity(p->name, p, host_mode, is, sizeof is) ||
        strcmp(s, is))
        return false;
    st->stx_uid = uid;
    st->stx_gid = gid;
    st->stx_mode = (u16)((st->stx_mode & S_IFMT) | (mode & MODE_BITS));
    return true;
}

// What inode `at` has under name `to` without a record. *st: the host's view, its owner mapped.
static void without_record(const struct parent *to, const struct parent *at, struct statx *st)
{
    char value[ATTR_SIZE];
    struct parent dir = directory_of(to);
    struct attr a;
    if (device_stat(at, st))
        return;
    if (attr_parse(value, host_getxattr_at(&dir, META_XATTR, value, sizeof value), &a)) {
        st->stx_uid = a.has_names ? a.names_uid : a.uid;
        st->stx_gid = a.has_names ? a.names_gid : a.gid;
    }
}

bool side_stat(const struct parent *p, struct statx *st)
{
    u32 host_mode = st->stx_mode;
    bool node = device_stat(p, st); // the record, if there is one, comes after the link's own text
    if (side_record(p, host_mode, st))
        return true;
    bool marked = (host_mode & (S_IFMT | S_ISVTX)) == (S_IFIFO | S_ISVTX);
    if (marked)
        st->stx_mode &= (u16)~S_ISVTX;
    if (!node)
        without_record(p, p, st);
    return !marked;
}

// ---- Making room ----

struct garbage {
    size_t size; // of list
    char list[XATTR_LIST_SIZE];
    char entries[16384] __attribute__((aligned(8)));
};

// Blanks the record names of g->list that belong to an entry of directory fd.
static bool keep_entries(struct garbage *g, int fd)
{
    char name[SIDE_NAME_SIZE];
    long n;
    while ((n = HOST3(__NR_getdents64, fd, g->entries, sizeof g->entries)) > 0) {
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

// Removes the records that belong to no entry of the directory that p lies in.
bool side_collect(struct task *t, const struct parent *p)
{
    struct parent dir = directory_of(p);
    struct garbage *g = arena_alloc(sizeof *g);
    bool removed = false;
    if (!g)
        return false;
    long fd = temp_open(t, p->fd, ".", O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    long n = fd < 0 ? fd : host_listxattr_at(&dir, g->list, sizeof g->list - 1);
    g->size = n > 0 ? (size_t)n : 0;
    if (n > 0 && keep_entries(g, (int)fd))
        for (size_t i = 0; i < g->size; i += strlen(g->list + i) + 1)
            if (str_starts(g->list + i, SIDE_PREFIX) && host_removexattr_at(&dir, g->list + i) >= 0)
                removed = true;
    if (fd >= 0)
        temp_close(t, (int)fd);
    arena_free(g, sizeof *g);
    return removed;
}

// ---- Writing ----

long side_put(const struct parent *to, const struct parent *at, u32 host_mode,
              const struct statx *new)
{
    char name[SIDE_NAME_SIZE], value[ATTR_SIZE], is[16];
    struct parent dir = directory_of(to);
    side_name(to->name, name);
    if (!identity(to->name, at, host_mode, is, sizeof is))
        return -ENOENT;
    u32 mode = new->stx_mode &MODE_BITS;
    int n = fmt(value, sizeof value, "%u:%u:%o:%s", new->stx_uid, new->stx_gid, mode, is);
    return host_setxattr_at(&dir, name, value, (size_t)n, 0);
}

// Writes a record, making room where there is none.
static long put(struct task *t, const struct parent *to, const struct parent *at,
                const struct meta_named *m)
{
    const struct statx *new = &m->guest;
    long r = side_put(to, at, m->host.stx_mode, new);
    if ((r == -ENOSPC || r == -E2BIG || r == -EDQUOT) && side_collect(t, to))
        r = side_put(to, at, m->host.stx_mode, new);
    __atomic_fetch_add(&t->instance->record_changes, 1, __ATOMIC_RELEASE);
    return r == -EOPNOTSUPP ? -EPERM : r;
}

void meta_name_drop(const struct parent *p)
{
    char name[SIDE_NAME_SIZE];
    struct parent dir = directory_of(p);
    side_name(p->name, name);
    host_removexattr_at(&dir, name);
}

bool meta_names_none(struct task *t, const struct parent *p)
{
    char list[1024];
    u32 changes = records_changes(t);
    enum records known = records_known(t, p);
    if (known != RECORDS_UNKNOWN)
        return known == RECORDS_NONE;
    struct parent dir = directory_of(p);
    long n = host_listxattr_at(&dir, list, sizeof list - 1);
    known = n < 0 && n != -EOPNOTSUPP ? RECORDS_SOME : RECORDS_NONE;
    for (long i = 0; i < n; i += (long)strlen(list + i) + 1)
        if (str_starts(list + i, SIDE_PREFIX))
            known = RECORDS_SOME;
    records_note(t, p, changes, known);
    return known == RECORDS_NONE;
}

static bool same_mode(const struct statx *a, const struct statx *b)
{
    return ((a->stx_mode ^ b->stx_mode) & MODE_BITS) == 0;
}

static bool same(const struct statx *a, const struct statx *b)
{
    return a->stx_uid == b->stx_uid && a->stx_gid == b->stx_gid && same_mode(a, b);
}

void meta_name_read(struct task *t, int mount, const struct parent *p, const struct statx *host,
                    struct meta_named *m)
{
    struct attr a;
    m->host = m->guest = *host;
    meta_apply(t, mount, p, &m->guest, &a);
    meta_map_owner(t, mount, &m->host);
}

// *recorded: a record was needed, and is there.
static long name_write(struct task *t, int mount, const struct meta_named *m,
                       const struct parent *at, const struct parent *to, bool *recorded)
{
    struct statx def = m->host;
    *recorded = false;
    if (!meta_is_kept(t, mount))
        return 0;
    without_record(to, at, &def);
    if ((m->guest.stx_mode & S_IFMT) != (m->host.stx_mode & S_IFMT))
        device_mark(to);
    if (same(&def, &m->guest)) {
        meta_name_drop(to);
        return 0;
    }
    long r = put(t, to, at, m);
    bool full = r == -ENOSPC || r == -E2BIG || r == -EDQUOT;
    if (full && same_mode(&def, &m->guest) && side_dir_give(t, mount, to, &m->guest))
        return 0;
    *recorded = r >= 0;
    return r;
}

long meta_name_write(struct task *t, int mount, const struct meta_named *m, const struct parent *at,
                     const struct parent *to)
{
    bool recorded;
    return name_write(t, mount, m, at, to, &recorded);
}

long side_store(struct task *t, int mount, const struct parent *p, const struct statx *new)
{
    struct meta_named m = {.guest = *new};
    long r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &m.host);
    if (r < 0)
        return r;
    u32 type = m.host.stx_mode & S_IFMT, want = meta_host_mode(new->stx_mode &MODE_BITS);
    if (type != S_IFLNK && (m.host.stx_mode & MODE_BITS) != want) {
        // Where the host cannot (before Linux 6.6) the record tells.
        if (HOST4(__NR_fchmodat2, p->fd, p->name, want, AT_SYMLINK_NOFOLLOW) >= 0)
            m.host.stx_mode = (u16)(type | want);
    }
    meta_map_owner(t, mount, &m.host);
    return meta_name_write(t, mount, &m, p, p);
}

long side_created(struct task *t, int mount, const struct parent *p, const struct meta_new *n)
{
    struct meta_named m = {0};
    u32 mode = n->mode, type = mode & S_IFMT;
    u32 host_mode = meta_create_mode(t, mount, n);
    bool marked = type == S_IFIFO && (host_mode & S_ISVTX);
    m.host.stx_mode = (u16)(type | (type == S_IFLNK ? 0777 : meta_host_mode(mode)));
    m.guest.stx_mode = (u16)mode;
    m.guest.stx_uid = n->uid;
    m.guest.stx_gid = n->gid;
    bool needs = false;
    long r = name_write(t, mount, &m, p, p, &needs);
    if (marked && !needs) // who looks does not have to wait for a record
        HOST4(__NR_fchmodat2, p->fd, p->name, meta_host_mode(mode), AT_SYMLINK_NOFOLLOW);
    return r;
}

// ---- Objects known by a descriptor only ----

long side_locate(struct task *t, int fd, struct loc *loc, struct parent *p)
{
    struct statx is, there;
    long r = loc_of_fd(t, fd, loc);
    if (r >= 0 && !loc->rel[0])
        r = -ENOENT; // the root of a mount
    if (r >= 0)
        r = parent_open(t, loc, p);
    if (r < 0)
        return r;
    r = host_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &is);
    if (r >= 0)
        r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_INO, &there);
    if (r >= 0 && (is.stx_ino != there.stx_ino || is.stx_dev_major != there.stx_dev_major ||
                   is.stx_dev_minor != there.stx_dev_minor))
        r = -ENOENT; // removed, and the name is another's
    if (r < 0)
        parent_done(t, p);
    return r;
}
