// SPDX-License-Identifier: MIT
// The side store: owner and mode of what cannot carry user attributes (xattr(7)): symlinks, FIFOs,
// sockets and device nodes. Each has a record in an attribute of the directory that it lies in,
//     user.lxrun.o.<hash of the name>  =  uid:gid:mode:type:<check>
// where check is a hash of name, and target of a symlink. Records so survive cp -a, rsync -X and
// tar --xattrs, and one that was left by another file is not taken for this one's. What attributes
// such an inode has stand behind its record (fs/sidexattr.c).
//
// Without a record the owner is that of the directory, or the one that its attribute names for them
// (fs/sidedir.c), so that most entries need none. A record is written before its entry comes, and
// removed behind one that is gone. Where an entry takes the place of another, that of both names
// holds two records in the meantime, each with its inode's number:
//     uid:gid:mode:type:<check>@inode uid:gid:mode:type:<check>@inode
// So a process killed on the way leaves each entry with the owner that it had, or is to have; but
// not in a full directory, in which room is made (fs/sideroom.c).
#include <linux/xattr.h>

#include "devlink.h"
#include "host.h"
#include "meta.h"
#include "xattr.h"

// Type and check of an entry as the end of its record says them. target: a symlink's, n bytes.
static void identity_of(const char *entry, u32 type, const char *target, size_t n, char *out,
                        size_t size)
{
    fmt(out, size, "%c:%08x", side_type(type), side_check(entry, target, n));
}

bool side_identity(const char *entry, const struct parent *at, u32 host_mode,
                   char out[SIDE_IDENTITY_SIZE])
{
    char target[LX_PATH_MAX];
    u32 type = host_mode & S_IFMT;
    long n = type == S_IFLNK ? host_readlinkat(at->fd, at->name, target, sizeof target) : 0;
    if (n < 0)
        return false;
    identity_of(entry, type, target, (size_t)n, out, SIDE_IDENTITY_SIZE);
    return true;
}

#define VALUE_SIZE 256                                 // two records
#define TEXT_SIZE (size_t)(VALUE_SIZE + 2 * MORE_SIZE) // with their attributes

bool side_read(const char **value, const char *is, u64 ino, struct statx *st, char *more)
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
    if ((s != end && *s != ';') || (of && of != ino))
        return false;
    META_MORE(st) &= ~(u64)MORE_ATTRS;
    if (*s == ';')
        META_MORE(st) |= MORE_ATTRS;
    if (more)
        str_copy(more, s, (size_t)MIN(end - s + 1, MORE_SIZE));
    st->stx_uid = uid;
    st->stx_gid = gid;
    st->stx_mode = (u16)((st->stx_mode & S_IFMT) | (mode & MODE_BITS));
    return true;
}

// Of a text of n bytes; there is room for an end.
static bool find_record(char *value, long n, const struct parent *p, u32 host_mode,
                        struct statx *st, char *more)
{
    char is[SIDE_IDENTITY_SIZE];
    if (n <= 0 || !side_identity(p->name, p, host_mode, is))
        return false;
    value[n] = 0;
    for (const char *s = value; *s;)
        if (side_read(&s, is, st->stx_ino, st, more))
            return true;
    return false;
}

bool side_named(const struct parent *p, u32 host_mode, struct statx *st, char *more)
{
    char name[SIDE_NAME_SIZE], value[VALUE_SIZE];
    struct parent dir = side_directory(p);
    side_name(p->name, name);
    long n = host_getxattr_at(&dir, name, value, sizeof value - 1);
    if (n != -ERANGE)
        return find_record(value, n, p, host_mode, st, more);
    char *large = arena_alloc(TEXT_SIZE);
    if (!large)
        return false;
    n = host_getxattr_at(&dir, name, large, TEXT_SIZE - 1);
    bool found = find_record(large, n, p, host_mode, st, more);
    arena_free(large, TEXT_SIZE);
    return found;
}

bool side_record(struct task *t, int mount, const struct parent *p, u32 host_mode, struct statx *st,
                 char *more)
{
    return side_link_get(t, mount, p, host_mode, st, more) || side_named(p, host_mode, st, more);
}

// What inode `at` has under name `to` without a record. *st: the host's view, its owner mapped from
// `owner`. target: that of a symlink that is not there yet; NULL: `at` is there.
static void without_record(struct task *t, int mount, const struct parent *to,
                           const struct parent *at, u32 owner, const char *target, struct statx *st)
{
    char is[SIDE_IDENTITY_SIZE];
    char value[ATTR_SIZE];
    struct parent dir = side_directory(to);
    struct attr a;
    if (device_stat(at, st))
        return;
    if ((st->stx_mode & S_IFMT) == S_IFIFO)
        st->stx_mode &= (u16)~S_ISVTX; // the host's means something else (side_stat)
    if (mount_at(t, MAX(mount, 0))->drive.on)
        drive_view(t, mount, at, owner, st);
    if (!attr_parse(value, host_getxattr_at(&dir, META_XATTR, value, sizeof value), &a))
        return;
    st->stx_uid = a.has_names ? a.names_uid : a.uid;
    st->stx_gid = a.has_names ? a.names_gid : a.gid;
    if (!side_set_any(&dir)) // a host call, where the directory has an attribute
        return;
    if (target)
        identity_of(to->name, st->stx_mode & S_IFMT, target, strlen(target), is, sizeof is);
    else if (!side_identity(to->name, at, st->stx_mode, is))
        return;
    side_set_get(&dir, is, st);
}

void side_without_record(struct task *t, int mount, const struct parent *p, u32 owner,
                         struct statx *st)
{
    without_record(t, mount, p, p, owner, NULL, st);
}

// What its attributes mean: an access ACL permits something, chown takes capabilities away.
static void apply_more(struct task *t, int mount, const struct parent *p, u32 host_mode,
                       struct statx *st)
{
    struct acl_new acl;
    struct statx record = *st;
    char *more = arena_alloc(MORE_SIZE);
    if (!more)
        return;
    if (side_record(t, mount, p, host_mode, &record, more)) {
        long n = more_get(more, XATTR_NAME_POSIX_ACL_ACCESS, acl.value, sizeof acl.value);
        META_MORE(st) |= acl_permits(&t->cred, acl.value, n, st);
        if (more_get(more, XATTR_NAME_CAPS, NULL, 0) >= 0)
            META_MORE(st) |= CAPS_HOLD;
    }
    arena_free(more, MORE_SIZE);
}

bool side_stat(struct task *t, int mount, const struct parent *p, u32 owner, struct statx *st)
{
    u32 host_mode = st->stx_mode;
    bool node = device_stat(p, st); // the record, if there is one, comes after the link's own text
    if (side_record(t, mount, p, host_mode, st, NULL)) {
        if (META_MORE(st) & MORE_ATTRS)
            apply_more(t, mount, p, host_mode, st);
        return true;
    }
    bool marked = side_is_marked(host_mode);
    if (marked)
        st->stx_mode &= (u16)~S_ISVTX;
    if (!node)
        without_record(t, mount, p, p, owner, NULL, st);
    return !marked || !attr_changed_within(st, UNFINISHED_FOR);
}

// ---- Writing ----

static long write_value(const struct parent *to, const char *value, size_t n)
{
    char name[SIDE_NAME_SIZE];
    struct parent dir = side_directory(to);
    side_name(to->name, name);
    return host_setxattr_at(&dir, name, value, n, 0);
}

static int format(char *out, size_t size, const struct statx *new, const char *is)
{
    u32 mode = new->stx_mode &MODE_BITS;
    return fmt(out, size, "%u:%u:%o:%s", new->stx_uid, new->stx_gid, mode, is);
}

// One record or two, as they are put together.
struct text {
    size_t n;
    char *large; // NULL: in small
    char small[VALUE_SIZE];
};

static void text_done(struct text *v)
{
    if (v->large)
        arena_free(v->large, TEXT_SIZE);
}

// The attributes that the inode at `at` has.
static bool add_more(struct text *v, const struct parent *at, const struct meta_named *m)
{
    struct statx st = m->host;
    if (!v->large) {
        v->large = arena_alloc(TEXT_SIZE);
        if (!v->large)
            return false;
        memcpy(v->large, v->small, v->n);
    }
    char *end = v->large + v->n;
    *end = 0;
    if (m->more)
        str_copy(end, m->more, MORE_SIZE);
    else
        side_record(m->t, m->mount, at, m->host.stx_mode, &st, end);
    v->n += strlen(end);
    return true;
}

// numbered: for the time that the inode may have name `to` or not yet.
static bool add_record(struct text *v, const struct parent *to, const struct parent *at,
                       const struct meta_named *m, bool numbered)
{
    char record[ATTR_SIZE], is[SIDE_IDENTITY_SIZE];
    if (!side_identity(to->name, at, m->host.stx_mode, is))
        return false;
    size_t n = (size_t)format(record, sizeof record, &m->guest, is);
    if (numbered)
        n += (size_t)fmt(record + n, sizeof record - n, "@%lu", (unsigned long)m->host.stx_ino);
    char *end = v->large ? v->large + v->n : v->small + v->n;
    if (v->n) {
        *end++ = ' ';
        v->n++;
    }
    memcpy(end, record, n);
    v->n += n;
    return !(META_MORE(&m->guest) & MORE_ATTRS) || add_more(v, at, m);
}

static long write_text(const struct parent *to, const struct text *v)
{
    return write_value(to, v->large ? v->large : v->small, v->n);
}

long side_put(const struct parent *to, const struct parent *at, const struct meta_named *m)
{
    struct text v = {.n = 0, .large = NULL};
    long r = add_record(&v, to, at, m, false) ? write_text(to, &v) : -ENOENT;
    text_done(&v);
    return r;
}

static void record_written(struct task *t)
{
    __atomic_fetch_add(&t->instance->record_changes, 1, __ATOMIC_SEQ_CST);
}

// Writes a record, making room where there is none.
static long write_with_room(struct task *t, int mount, const struct parent *to,
                            const struct text *v)
{
    long r = write_text(to, v);
    for (int step = 0; step < SIDE_ROOM_STEPS && side_is_full(r); step++)
        if (side_make_room(t, mount, to, step))
            r = write_text(to, v);
    record_written(t);
    if (r >= 0)
        side_keep_room(t, mount, to);
    return r;
}

static long put(struct task *t, int mount, const struct parent *to, const struct parent *at,
                const struct meta_named *m)
{
    struct text v = {.n = 0, .large = NULL};
    long r = add_record(&v, to, at, m, false) ? write_with_room(t, mount, to, &v) : -ENOENT;
    text_done(&v);
    return r == -EOPNOTSUPP ? -EPERM : r;
}

void meta_name_drop(const struct parent *p)
{
    char name[SIDE_NAME_SIZE];
    struct parent dir = side_directory(p);
    side_name(p->name, name);
    host_removexattr_at(&dir, name);
}

// Whoever writes a record counts that afterwards. So it was counted by now, or its writer sees that
// the name has changed (side_store), or it was there for whoever has looked.
void meta_name_unseen(struct task *t, const struct parent *p, u32 changes)
{
    struct statx there;
    if (records_changes(t) == changes)
        return;
    u32 *lock = meta_lock_name(t, p);
    if (host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there) < 0 ||
        !meta_by_name(there.stx_mode))
        meta_name_drop(p);
    if (lock)
        reserved_release(lock);
}

bool side_lists(const struct parent *dir, const char *prefix)
{
    char list[1024];
    long n = host_listxattr_at(dir, list, sizeof list - 1);
    if (n < 0)
        return n != -EOPNOTSUPP;
    list[n] = 0;
    for (const char *s = list; s < list + n; s += strlen(s) + 1)
        if (str_starts(s, prefix))
            return true;
    return false;
}

bool meta_names_none(struct task *t, const struct parent *p)
{
    u32 changes = records_changes(t);
    enum records known = records_known(t, p);
    if (known != RECORDS_UNKNOWN)
        return known == RECORDS_NONE;
    struct parent dir = side_directory(p);
    known = side_lists(&dir, SIDE_PREFIX) ? RECORDS_SOME : RECORDS_NONE;
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
    m->owner = host->stx_uid;
    m->more = NULL;
    m->t = t;
    m->mount = mount;
    meta_apply(t, mount, p, &m->guest, &a);
    meta_map_owner(t, mount, &m->host);
}

// Does the entry need a record? *def: what it would have without one.
static bool needs_record(const struct meta_named *m, const struct statx *def)
{
    return side_is_marked(m->host.stx_mode) || (META_MORE(&m->guest) & MORE_ATTRS) ||
           !same(def, &m->guest);
}

long meta_name_write(struct task *t, int mount, const struct meta_named *m, const struct parent *at,
                     const struct parent *to)
{
    struct statx def = m->host;
    if (!meta_is_kept(t, mount))
        return 0;
    without_record(t, mount, to, at, m->owner, NULL, &def);
    if ((m->guest.stx_mode & S_IFMT) != (m->host.stx_mode & S_IFMT))
        device_mark(to);
    if (!needs_record(m, &def)) {
        meta_name_drop(to);
        return 0;
    }
    return put(t, mount, to, at, m);
}

// The record of an inode at `at`, if it needs one under the name `to`.
static bool add_needed(struct text *v, const struct parent *to, const struct parent *at,
                       const struct meta_named *m)
{
    struct statx def = m->host;
    without_record(m->t, m->mount, to, at, m->owner, NULL, &def);
    return !needs_record(m, &def) || add_record(v, to, at, m, true);
}

long meta_name_both(struct task *t, int mount, const struct meta_named *now,
                    const struct meta_named *next, const struct parent *at, const struct parent *to)
{
    struct text v = {.n = 0, .large = NULL};
    long r;
    if (!meta_is_kept(t, mount))
        return 0;
    if ((next->guest.stx_mode & S_IFMT) != (next->host.stx_mode & S_IFMT))
        device_mark(to);
    if (!add_needed(&v, to, at, next) || !add_needed(&v, to, to, now)) {
        r = -ENOENT;
    } else if (!v.n) {
        meta_name_drop(to);
        r = 0;
    } else {
        r = write_text(to, &v);
        record_written(t);
    }
    text_done(&v);
    return side_is_full(r)    ? meta_name_write(t, mount, next, at, to)
           : r == -EOPNOTSUPP ? -EPERM
                              : r;
}

// Moves a symlink's time of change, and nothing else: it gets the owner that it has on the host.
// Of one that is somebody else's there, who shares the directory, inotify tells nothing then.
static void touch_link(const struct parent *p, u32 owner)
{
    if (HOST5(__NR_fchownat, p->fd, p->name, owner, -1, AT_SYMLINK_NOFOLLOW) < 0)
        HOST5(__NR_fchownat, p->fd, p->name, -1, -1, AT_SYMLINK_NOFOLLOW);
}

// Of an inode with several names. -EOPNOTSUPP: each has a record of its own.
static long store_linked(struct task *t, int mount, const struct parent *p, struct meta_named *m)
{
    struct statx was = m->host;
    u32 type = m->host.stx_mode & S_IFMT, want = meta_host_mode(m->guest.stx_mode & MODE_BITS);
    bool there = side_link_get(t, mount, p, m->host.stx_mode, &was, NULL);
    if (m->host.stx_nlink < 2 && !there)
        return -EOPNOTSUPP;
    long r = side_link_put(t, mount, p, m);
    if (r < 0)
        return there ? r : -EOPNOTSUPP;
    if (type == S_IFLNK)
        touch_link(p, m->owner);
    else if (host_chmod_at(p, want) >= 0)
        m->host.stx_mode = (u16)(type | want);
    meta_name_write(t, mount, m, p, p); // only copies of the tree go by it
    return 0;
}

static long store(struct task *t, int mount, const struct parent *p, const struct statx *new,
                  const char *more)
{
    struct meta_named m = {.guest = *new, .more = more, .t = t, .mount = mount};
    long r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &m.host);
    // Where the first record by inode is about to be written, who has not looked is done first.
    if (r >= 0 && m.host.stx_nlink > 1 && side_links_first(t, mount))
        r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &m.host);
    if (r < 0 || m.host.stx_ino != new->stx_ino)
        return MIN(r, 0); // changed, and then the name became another's
    u32 type = m.host.stx_mode & S_IFMT, want = meta_host_mode(new->stx_mode &MODE_BITS);
    m.owner = m.host.stx_uid;
    bool other = type != S_IFLNK && (m.host.stx_mode & MODE_BITS) != want;
    bool told = want == (new->stx_mode &MODE_BITS);
    meta_map_owner(t, mount, &m.host);
    if (m.host.stx_nlink > 1 || side_links_used(t, mount)) {
        r = store_linked(t, mount, p, &m);
        if (r != -EOPNOTSUPP)
            return r;
    }
    // What the record is to say comes before the host's mode, which others see without it.
    if (other && !told)
        m.host.stx_mode = (u16)(type | want);
    else if (other && host_chmod_at(p, want) >= 0)
        m.host.stx_mode = (u16)(type | want);
    r = meta_name_write(t, mount, &m, p, p);
    if (r >= 0 && type != S_IFLNK && !(other && told))
        host_chmod_at(p, want);
    else if (r >= 0 && type == S_IFLNK)
        touch_link(p, m.owner);
    return r;
}

long side_store(struct task *t, int mount, const struct parent *p, const struct statx *new,
                const char *more)
{
    struct statx now;
    struct name_watch before, behind;
    u32 *lock = meta_lock_name(t, p);
    bool ended = name_changes_ended(t, p, &before);
    long r = store(t, mount, p, new, more);
    // The name may have gone by a removal that has not looked, and has seen no record.
    if ((!name_changes_ended(t, p, &behind) || !ended || behind.count != before.count) &&
        (host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_INO, &now) < 0 ||
         now.stx_ino != new->stx_ino))
        meta_name_drop(p);
    if (lock)
        reserved_release(lock);
    return r;
}

// ---- New entries ----

// Its text. What a default ACL gives it stands behind that.
static bool text_of_new(struct text *v, const struct parent *p, const struct meta_new *n,
                        const char *target, const struct statx *new)
{
    char is[SIDE_IDENTITY_SIZE];
    struct acl_new acl;
    u32 type = n->mode & S_IFMT;
    if (type == S_IFCHR || type == S_IFBLK)
        type = S_IFLNK; // as the host has it
    identity_of(p->name, type, target, strlen(target), is, sizeof is);
    v->n = (size_t)format(v->small, sizeof v->small, new, is);
    const struct acl_new *access = acl_access(n->mode, n->acl, &acl);
    if (!access)
        return true;
    v->large = arena_alloc(TEXT_SIZE);
    if (!v->large)
        return false;
    memcpy(v->large, v->small, v->n);
    char *end = v->large + v->n;
    *end = 0;
    long r = more_set(end, XATTR_NAME_POSIX_ACL_ACCESS, access->value, access->size);
    v->n += strlen(end);
    return r >= 0;
}

// Writes the record of an entry that is about to be made, unless there is one of that name.
static long record_first(struct task *t, int mount, const struct parent *p, const struct text *v)
{
    struct statx there;
    long r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there);
    if (r >= 0 && !meta_bury(t, mount, p))
        return -EEXIST;
    if (r < 0 && r != -ENOENT)
        return r;
    return write_with_room(t, mount, p, v);
}

long meta_naming_begin(struct task *t, int mount, const struct parent *p, const struct meta_new *n,
                       const char *target, struct meta_naming *naming)
{
    struct text v = {.n = 0, .large = NULL};
    u32 type = n->mode & S_IFMT;
    struct statx def = {.stx_mode =
                            (u16)(type | (type == S_IFLNK ? 0777 : meta_host_mode(n->mode)))};
    struct statx new = {.stx_mode = (u16)n->mode, .stx_uid = n->uid, .stx_gid = n->gid};
    naming->lock = NULL;
    naming->recorded = naming->needed = false;
    naming->kept = meta_is_kept(t, mount);
    if (!naming->kept)
        return 0;
    if (type == S_IFCHR || type == S_IFBLK)
        def = new; // its target tells
    else
        without_record(t, mount, p, p, t->instance->host_uid, target, &def);
    naming->needed = !same(&def, &new) || acl_is_given(n->mode, n->acl);
    naming->lock = meta_lock_name(t, p);
    if (!naming->needed && !naming->mode_later)
        return 0;
    long r = text_of_new(&v, p, n, target, &new) ? record_first(t, mount, p, &v) : -ENOSPC;
    text_done(&v);
    naming->recorded = r >= 0;
    if (r == -EOPNOTSUPP || r == -EPERM || (side_is_full(r) && !naming->needed))
        r = 0; // shows the host's view
    if (r < 0 && naming->lock)
        reserved_release(naming->lock);
    return r < 0 ? r : 0;
}

long meta_naming_end(struct task *t, const struct parent *p, struct meta_naming *naming,
                     long result)
{
    if (result >= 0 && naming->kept && !naming->needed && !meta_names_none(t, p))
        meta_name_drop(p); // what may have been left under the name, or was for the moment
    if (result < 0 && naming->recorded)
        meta_name_drop(p); // what is there has come since, and has no record
    if (naming->lock)
        reserved_release(naming->lock);
    return result;
}

// ---- Objects known by a descriptor only ----

// is: what fd is open on.
static long locate(struct task *t, int fd, const struct statx *is, struct loc *loc,
                   struct parent *p)
{
    struct statx there;
    long r = loc_of_fd(t, fd, loc);
    if (r >= 0 && !loc->rel[0])
        r = -ENOENT; // the root of a mount
    if (r >= 0)
        r = parent_open(t, loc, p);
    if (r < 0)
        return r;
    r = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW, STATX_INO, &there);
    if (r >= 0 && !is_same_inode(is, &there))
        r = -ENOENT; // removed, and the name is another's
    if (r < 0)
        parent_done(t, p);
    return r;
}

// It may have got another name meanwhile, which moves its ctime; not on each file system where two
// names are exchanged.
#define LOCATE_TRIES 100
#define LOCATE_BLIND 3

long side_locate(struct task *t, int fd, struct loc *loc, struct parent *p)
{
    struct statx is, now;
    long r = host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &is);
    for (int tries = 0; r >= 0; is = now) {
        r = locate(t, fd, &is, loc, p);
        if (r != -ENOENT || !is.stx_nlink)
            return r;
        r = host_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &now);
        bool moved = memcmp(&is.stx_ctime, &now.stx_ctime, sizeof now.stx_ctime) != 0;
        if (r >= 0 && ++tries >= (moved ? LOCATE_TRIES : LOCATE_BLIND))
            return -ENOENT;
    }
    return r;
}
