// SPDX-License-Identifier: MIT
// The side store: owner and mode of what cannot carry user attributes (xattr(7)): symlinks, FIFOs,
// sockets and device nodes. Each has a record in an attribute of the directory that it lies in,
//     user.lxrun.o.<hash of the name>  =  uid:gid:mode:type:<check>
// where check is a hash of name, and target of a symlink. Records so survive cp -a, rsync -X and
// tar --xattrs, and one that was left by another file is not taken for this one's.
//
// Without a record the owner is that of the directory, or the one that its attribute names for them
// (fs/sidedir.c), so that most entries need none. A record is written before its entry comes, and
// removed behind one that is gone. Where an entry takes the place of another, that of both names
// holds two records in the meantime, each with its inode's number:
//     uid:gid:mode:type:<check>@inode uid:gid:mode:type:<check>@inode
// So a process killed on the way leaves each entry with the owner that it had, or is to have; but
// not in a full directory, which is cleared of the records that belong to no entry, then of those
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

// Type and check of an entry as the end of its record says them. target: a symlink's, n bytes.
static void identity_of(const char *entry, u32 type, const char *target, size_t n, char *out,
                        size_t size)
{
    fmt(out, size, "%c:%08x",
        type == S_IFLNK    ? 'l'
        : type == S_IFSOCK ? 's'
                           : 'p',
        side_check(entry, target, n));
}

// The same of an inode that is at `at`, which need not be the entry yet.
static bool identity(const char *entry, const struct parent *at, u32 host_mode, char *out,
                     size_t size)
{
    char target[LX_PATH_MAX];
    u32 type = host_mode & S_IFMT;
    long n = type == S_IFLNK ? host_readlinkat(at->fd, at->name, target, sizeof target) : 0;
    if (n < 0)
        return false;
    identity_of(entry, type, target, (size_t)n, out, size);
    return true;
}

static struct parent directory_of(const struct parent *p)
{
    return (struct parent){.fd = p->fd, .name = "."};
}

#define VALUE_SIZE 256 // two records

// Reads one record up to a space or the end. is: what it must say of the entry.
static bool read_record(const char **value, const char *is, u64 ino, struct statx *st)
{
    const char *s = *value, *end = s;
    u32 uid, gid, mode;
    size_t n = strlen(is);
    while (*end && *end != ' ')
        end++;
    *value = end + (*end == ' ');
    if (!attr_number(&s, 10, ':', &uid) || !attr_number(&s, 10, ':', &gid) ||
        !attr_number(&s, 8, ':', &mode) || strncmp(s, is, n) != 0)
        return false;
    s += n;
    u64 of = 0;
    if (*s == '@')
        while (*++s >= '0' && *s <= '9')
            of = of * 10 + (u64)(*s - '0');
    if (s != end || (of && of != ino))
        return false;
    st->stx_uid = uid;
    st->stx_gid = gid;
    st->stx_mode = (u16)((st->stx_mode & S_IFMT) | (mode & MODE_BITS));
    return true;
}

bool side_record(const struct parent *p, u32 host_mode, struct statx *st)
{
    char name[SIDE_NAME_SIZE], value[VALUE_SIZE], is[16];
    struct parent dir = directory_of(p);
    side_name(p->name, name);
    long n = host_getxattr_at(&dir, name, value, sizeof value - 1);
    if (n <= 0 || !identity(p->name, p, host_mode, is, sizeof is))
        return false;
    value[n] = 0;
    for (const char *s = value; *s;)
        if (read_record(&s, is, st->stx_ino, st))
            return true;
    return false;
}

// What inode `at` has under name `to` without a record. *st: the host's view, its owner mapped.
static void without_record(const struct parent *to, const struct parent *at, struct statx *st)
{
    char value[ATTR_SIZE];
    struct parent dir = directory_of(to);
    struct attr a;
    if (device_stat(at, st))
        return;
    if ((st->stx_mode & S_IFMT) == S_IFIFO)
        st->stx_mode &= (u16)~S_ISVTX; // the host's means something else (side_stat)
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
    bool marked = side_is_marked(host_mode);
    if (marked)
        st->stx_mode &= (u16)~S_ISVTX;
    if (!node)
        without_record(p, p, st);
    return !marked || !attr_changed_within(st, UNFINISHED_FOR);
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

static long write_value(const struct parent *to, const char *value, size_t n)
{
    char name[SIDE_NAME_SIZE];
    struct parent dir = directory_of(to);
    side_name(to->name, name);
    return host_setxattr_at(&dir, name, value, n, 0);
}

static int format(char *out, size_t size, const struct statx *new, const char *is)
{
    u32 mode = new->stx_mode &MODE_BITS;
    return fmt(out, size, "%u:%u:%o:%s", new->stx_uid, new->stx_gid, mode, is);
}

long side_put(const struct parent *to, const struct parent *at, u32 host_mode,
              const struct statx *new)
{
    char value[ATTR_SIZE], is[16];
    if (!identity(to->name, at, host_mode, is, sizeof is))
        return -ENOENT;
    return write_value(to, value, (size_t)format(value, sizeof value, new, is));
}

static bool is_full(long r)
{
    return r == -ENOSPC || r == -E2BIG || r == -EDQUOT;
}

static void record_written(struct task *t)
{
    __atomic_fetch_add(&t->instance->record_changes, 1, __ATOMIC_RELEASE);
}

// Writes a record, making room where there is none.
static long put(struct task *t, const struct parent *to, const struct parent *at,
                const struct meta_named *m)
{
    const struct statx *new = &m->guest;
    long r = side_put(to, at, m->host.stx_mode, new);
    if (is_full(r) && side_collect(t, to))
        r = side_put(to, at, m->host.stx_mode, new);
    record_written(t);
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

// Does the entry need a record? *def: what it would have without one.
static bool needs_record(const struct meta_named *m, const struct statx *def)
{
    return side_is_marked(m->host.stx_mode) || !same(def, &m->guest);
}

long meta_name_write(struct task *t, int mount, const struct meta_named *m, const struct parent *at,
                     const struct parent *to)
{
    struct statx def = m->host;
    if (!meta_is_kept(t, mount))
        return 0;
    without_record(to, at, &def);
    if ((m->guest.stx_mode & S_IFMT) != (m->host.stx_mode & S_IFMT))
        device_mark(to);
    if (!needs_record(m, &def)) {
        meta_name_drop(to);
        return 0;
    }
    long r = put(t, to, at, m);
    if (is_full(r) && same_mode(&def, &m->guest) && side_dir_give(t, mount, to, &m->guest))
        return 0;
    return r;
}

// Adds the record of an inode at `at`, for the time that it may have name `to` or not yet.
static bool add_record(const struct meta_named *m, const struct parent *at, const struct parent *to,
                       char *value, size_t *n)
{
    char is[16];
    struct statx def = m->host;
    without_record(to, at, &def);
    if (!needs_record(m, &def))
        return true;
    if (!identity(to->name, at, m->host.stx_mode, is, sizeof is))
        return false;
    if (*n)
        value[(*n)++] = ' ';
    *n += (size_t)format(value + *n, VALUE_SIZE - *n, &m->guest, is);
    *n += (size_t)fmt(value + *n, VALUE_SIZE - *n, "@%lu", (unsigned long)m->host.stx_ino);
    return true;
}

long meta_name_both(struct task *t, int mount, const struct meta_named *now,
                    const struct meta_named *next, const struct parent *at, const struct parent *to)
{
    char value[VALUE_SIZE];
    size_t n = 0;
    if (!meta_is_kept(t, mount))
        return 0;
    if ((next->guest.stx_mode & S_IFMT) != (next->host.stx_mode & S_IFMT))
        device_mark(to);
    if (!add_record(next, at, to, value, &n) || !add_record(now, to, to, value, &n))
        return -ENOENT;
    if (!n) {
        meta_name_drop(to);
        return 0;
    }
    long r = write_value(to, value, n);
    record_written(t);
    return is_full(r) ? meta_name_write(t, mount, next, at, to) : r == -EOPNOTSUPP ? -EPERM : r;
}

long side_store(struct task *t, int mount, const struct parent *p, const struct statx *new)
{
    struct meta_named m = {.guest = *new};
    long r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &m.host);
    if (r < 0)
        return r;
    u32 type = m.host.stx_mode & S_IFMT, want = meta_host_mode(new->stx_mode &MODE_BITS);
    bool other = type != S_IFLNK && (m.host.stx_mode & MODE_BITS) != want;
    bool told = want == (new->stx_mode &MODE_BITS);
    meta_map_owner(t, mount, &m.host);
    // What the record is to say comes before the host's mode, which others see without it. Where
    // the host cannot change that (before Linux 6.6) the record tells.
    if (other && !told)
        m.host.stx_mode = (u16)(type | want);
    else if (other && HOST4(__NR_fchmodat2, p->fd, p->name, want, AT_SYMLINK_NOFOLLOW) >= 0)
        m.host.stx_mode = (u16)(type | want);
    r = meta_name_write(t, mount, &m, p, p);
    if (r >= 0 && other && !told)
        HOST4(__NR_fchmodat2, p->fd, p->name, want, AT_SYMLINK_NOFOLLOW);
    return r;
}

// ---- New entries ----

// Writes the record of an entry that is about to be made, unless there is one of that name.
static long record_first(struct task *t, int mount, const struct parent *p, const char *value,
                         size_t size, const struct statx *def, const struct statx *new)
{
    struct statx there;
    long r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there);
    if (r >= 0 && !meta_bury(t, mount, p))
        return -EEXIST;
    if (r < 0 && r != -ENOENT)
        return r;
    r = write_value(p, value, size);
    if (is_full(r) && side_collect(t, p))
        r = write_value(p, value, size);
    if (is_full(r) && same_mode(def, new) && side_dir_give(t, mount, p, new))
        r = 0;
    record_written(t);
    return r;
}

long meta_naming_begin(struct task *t, int mount, const struct parent *p, const struct meta_new *n,
                       const char *target, struct meta_naming *naming)
{
    char value[ATTR_SIZE], is[16];
    u32 type = n->mode & S_IFMT;
    struct statx def = {.stx_mode =
                            (u16)(type | (type == S_IFLNK ? 0777 : meta_host_mode(n->mode)))};
    struct statx new = {.stx_mode = (u16)n->mode, .stx_uid = n->uid, .stx_gid = n->gid};
    naming->lock = NULL;
    naming->recorded = naming->needed = false;
    naming->kept = meta_is_kept(t, mount);
    if (!naming->kept)
        return 0;
    without_record(p, p, &def);
    naming->needed = !same(&def, &new);
    if (!naming->needed && !naming->mode_later)
        return 0;
    naming->lock = meta_lock(t, side_fnv(p->name, strlen(p->name), FNV_START));
    identity_of(p->name, type, target, strlen(target), is, sizeof is);
    size_t size = (size_t)format(value, sizeof value, &new, is);
    long r = record_first(t, mount, p, value, size, &def, &new);
    naming->recorded = r >= 0;
    if (r == -EOPNOTSUPP || r == -EPERM || (is_full(r) && !naming->needed))
        r = 0; // shows the host's view
    if (r < 0 && naming->lock)
        reserved_release(naming->lock);
    return r < 0 ? r : 0;
}

long meta_naming_end(struct task *t, const struct parent *p, struct meta_naming *naming,
                     long result)
{
    struct statx there;
    if (result >= 0 && naming->kept && !naming->needed && !meta_names_none(t, p))
        meta_name_drop(p); // what may have been left under the name, or was for the moment
    if (result < 0 && naming->recorded &&
        host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there) == -ENOENT)
        meta_name_drop(p);
    if (naming->lock)
        reserved_release(naming->lock);
    return result;
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
