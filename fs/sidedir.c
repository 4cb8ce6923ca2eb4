// SPDX-License-Identifier: MIT
// Owners by name, for a directory as a whole: its attribute may name the owner of all entries that
// have no record (fs/side.c), behind its own: "uid:gid:mode:dir:uid:gid". That is so when the
// directory was given to another owner than what lies in it, and when the records of entries of one
// owner have filled it up.
#include "host.h"
#include "meta.h"

// ---- The entries whose owner goes by name ----

// Calls fn for each, until it says false. host: as the host sees it; st: what its record makes of
// that, where it has one.
typedef bool visit(void *arg, const struct parent *p, const struct statx *host,
                   const struct statx *st, bool recorded);

static bool look_at(int fd, const struct dirent64 *e, visit *fn, void *arg)
{
    struct parent p = {.fd = fd, .name = e->name};
    struct statx host, st;
    if (e->type != DT_LNK && e->type != DT_FIFO && e->type != DT_SOCK && e->type != DT_UNKNOWN)
        return true;
    if (host_statx(fd, e->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &host) < 0 ||
        !meta_by_name(host.stx_mode))
        return true;
    st = host;
    bool recorded = side_named(&p, host.stx_mode, &st, NULL);
    if (!recorded && device_stat(&p, &st))
        return true; // a node says its owner itself
    return fn(arg, &p, &host, &st, recorded);
}

static void visit_all(struct task *t, int dirfd, const char *name, visit *fn, void *arg)
{
    char buf[8192] __attribute__((aligned(8)));
    bool more = true;
    long n, fd = temp_open(t, dirfd, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                           WALK_RESOLVE);
    if (fd < 0)
        return;
    while (more && (n = HOST3(__NR_getdents64, fd, buf, sizeof buf)) > 0) {
        for (long at = 0; at < n && more;) {
            const struct dirent64 *e = (const void *)(buf + at);
            at += e->reclen;
            more = look_at((int)fd, e, fn, arg);
        }
    }
    temp_close(t, (int)fd);
}

static bool find_unrecorded(void *arg, const struct parent *p, const struct statx *host,
                            const struct statx *st, bool recorded)
{
    bool *found = arg;
    (void)p, (void)host, (void)st;
    *found = !recorded;
    return recorded;
}

bool side_dir_has_names(struct task *t, const struct parent *p)
{
    bool found = false;
    visit_all(t, p->fd, p->name, find_unrecorded, &found);
    return found;
}

// ---- One owner for all without a record ----

#define LISTED 256

struct entry {
    char name[256];
    struct statx host;
};

struct change {
    const char *but;      // the entry that there is no room for
    struct statx new;     // the owner to be named
    struct statx old;     // the one until now
    u32 given, others;    // entries with a record of the new owner; without any
    u32 dropped, written; // of each, the first so many are done
    bool too_many;
    struct entry give[LISTED], other[LISTED];
};

static bool note(void *arg, const struct parent *p, const struct statx *host,
                 const struct statx *st, bool recorded)
{
    struct change *c = arg;
    bool given = recorded && !side_is_marked(host->stx_mode) && !(META_MORE(st) & MORE_ATTRS) &&
                 st->stx_uid == c->new.stx_uid && st->stx_gid == c->new.stx_gid &&
                 ((st->stx_mode ^ host->stx_mode) & MODE_BITS) == 0;
    if ((recorded && !given) || !strcmp(p->name, c->but))
        return true;
    u32 *count = given ? &c->given : &c->others;
    struct entry *e = (given ? c->give : c->other) + *count;
    if (*count == LISTED) {
        c->too_many = true;
        return false;
    }
    str_copy(e->name, p->name, sizeof e->name);
    e->host = *host;
    ++*count;
    return true;
}

static bool drop_one(struct change *c, int fd)
{
    if (c->dropped == c->given)
        return false;
    struct parent p = {.fd = fd, .name = c->give[c->dropped++].name};
    meta_name_drop(&p);
    return true;
}

static long write_record(int fd, const struct entry *e, const struct statx *owner)
{
    struct parent p = {.fd = fd, .name = e->name};
    struct meta_named m = {.host = e->host, .guest = e->host};
    m.guest.stx_uid = owner->stx_uid;
    m.guest.stx_gid = owner->stx_gid;
    return side_put(&p, &p, &m);
}

static void undo(struct change *c, int fd)
{
    while (c->written) {
        struct parent p = {.fd = fd, .name = c->other[--c->written].name};
        meta_name_drop(&p);
    }
    while (c->dropped)
        write_record(fd, &c->give[--c->dropped], &c->new);
}

// The others get records of what they have, the directory names the new owner, and the records that
// say the same go. Those that have to go earlier, to make room, leave a wrong owner where a process
// is killed in between.
static bool give(struct change *c, int fd, struct attr *a)
{
    char value[ATTR_SIZE];
    struct parent self = {.fd = fd, .name = "."};
    long r = 0;
    while (r >= 0 && c->written < c->others) {
        r = write_record(fd, &c->other[c->written], &c->old);
        if (r >= 0)
            c->written++;
        else if (side_is_full(r) && drop_one(c, fd))
            r = 0;
    }
    a->has_names = c->new.stx_uid != a->uid || c->new.stx_gid != a->gid;
    a->names_uid = c->new.stx_uid;
    a->names_gid = c->new.stx_gid;
    size_t n = attr_format(value, a);
    while (r >= 0) {
        r = host_setxattr_at(&self, META_XATTR, value, n, 0);
        if (r >= 0)
            break;
        if (side_is_full(r) && drop_one(c, fd))
            r = 0;
    }
    if (r < 0) {
        undo(c, fd);
        return false;
    }
    while (drop_one(c, fd))
        ;
    return true;
}

bool side_dir_give(struct task *t, int mount, const struct parent *p, const struct statx *new)
{
    struct parent dir = {.fd = p->fd, .name = "."};
    struct meta_view v;
    const struct drive *d = &mount_at(t, MAX(mount, 0))->drive;
    bool done = false;
    if (d->on && (d->umask | d->fmask))
        return false; // the mode of an entry without a record is not the host's
    struct change *c = arena_alloc(sizeof *c);
    if (!c)
        return false;
    c->but = p->name;
    c->new = *new;
    if (meta_look(t, mount, &dir, &v) >= 0) {
        struct attr a = {.uid = v.guest.stx_uid,
                         .gid = v.guest.stx_gid,
                         .mode = v.guest.stx_mode & MODE_BITS,
                         .has_acl = v.has_acl,
                         .type = S_IFDIR};
        c->old.stx_uid = v.has_names ? v.names_uid : a.uid;
        c->old.stx_gid = v.has_names ? v.names_gid : a.gid;
        visit_all(t, p->fd, ".", note, c);
        // Where most entries are others' there is nothing to be won.
        done = !c->too_many && c->others < c->given && give(c, p->fd, &a);
        attrcache_forget(t, &v.host);
        meta_done(t, &v);
    }
    arena_free(c, sizeof *c);
    return done;
}
