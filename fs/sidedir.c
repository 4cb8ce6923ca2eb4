// SPDX-License-Identifier: MIT
// Owners by name, for a directory as a whole. A record (fs/side.c) takes 64 bytes of the 4,000 that
// ext4 has for a directory's attributes. Before those are full (fs/sideroom.c: side_keep_room), the
// entries of which nothing is kept but an owner are gathered in one attribute,
//     user.lxrun.o.sets  =  uid:gid=*;uid:gid=AbCdEfGh...;uid:gid=...
// first the owner of all that are in no set, then the sets: four digits of 24 bits for each entry,
// of its name, type and target. The most frequent owner needs none. So a directory holds some nine
// hundred entries of other owners than most, and any number of that one; and chown -R changes any
// that has eighteen hundred.
//
// A record comes before the sets, and these before the directory's owner. So nothing is removed
// from them when an entry gets another owner or goes: who makes, renames or changes an entry asks
// what it would be without a record, and writes one where that is not the owner that it is to have.
// That holds, too, for an entry that has the digits of another one. One that the host makes would
// have to have the name and target of one that was there, or its digits by chance.
#include "host.h"
#include "meta.h"
#include "xattr.h"

#define SETS_SIZE 8192 // of the text, with its end: of more than what ext4 has room for
#define DIGITS SIDE_SETS_DIGITS
#define RECORDS 128
#define LIVES 4096
#define MEMBERS (LIVES + RECORDS)

static void put_digits(char *out, const char *is)
{
    u64 h = side_fnv(is, strlen(is), FNV_CHECK);
    h ^= h >> 24 ^ h >> 48;
    for (int i = 0; i < DIGITS; i++)
        out[i] = SIDE_SETS_BASE[h >> 6 * i & 63];
}

// The set that begins at *s: its owner, and where its members begin and end; *s moves behind it.
// False: there is none any more, or it is not understood.
static bool next_set(const char **s, u32 *uid, u32 *gid, const char **members, const char **end)
{
    const char *e = *s;
    if (!*e || !attr_number(&e, 10, ':', uid) || !attr_number(&e, 10, '=', gid))
        return false;
    *members = e;
    while (*e && *e != ';')
        e++;
    *end = e;
    *s = e + (*e == ';');
    return **members == '*' || (e - *members) % DIGITS == 0;
}

// Whose an entry with these digits is. False: the text says nothing.
static bool find(const char *text, const char *code, u32 *uid, u32 *gid)
{
    const char *members, *end;
    u32 u, g;
    bool found = false;
    while (next_set(&text, &u, &g, &members, &end)) {
        bool is = !found && *members == '*';
        for (const char *m = members; !is && m + DIGITS <= end; m += DIGITS)
            is = !memcmp(m, code, DIGITS);
        if (!is)
            continue;
        *uid = u;
        *gid = g;
        found = true;
        if (*members != '*')
            break;
    }
    return found;
}

bool side_set_any(const struct parent *dir)
{
    return host_getxattr_at(dir, SIDE_SETS, NULL, 0) > 0;
}

// Into text[SETS_SIZE].
static void read_sets(const struct parent *dir, char *text)
{
    long n = host_getxattr_at(dir, SIDE_SETS, text, SETS_SIZE - 1);
    text[n > 0 ? n : 0] = 0;
}

bool side_set_get(const struct parent *dir, const char *is, struct statx *st)
{
    char code[DIGITS];
    u32 uid, gid;
    char *text = arena_alloc(SETS_SIZE);
    if (!text)
        return false;
    put_digits(code, is);
    read_sets(dir, text);
    bool found = find(text, code, &uid, &gid);
    arena_free(text, SETS_SIZE);
    if (found) {
        st->stx_uid = uid;
        st->stx_gid = gid;
    }
    return found;
}

// ---- The entries whose owner goes by name ----

struct visit {
    long listed;
    char list[XATTR_LIST_SIZE]; // names of the directory's attributes
    char entries[8192] __attribute__((aligned(8)));
};

static bool may_have_record(const struct visit *v, const char *entry)
{
    char name[SIDE_NAME_SIZE];
    side_name(entry, name);
    for (long i = 0; i < v->listed; i += (long)strlen(v->list + i) + 1)
        if (!strcmp(v->list + i, name))
            return true;
    return v->listed < 0;
}

static bool look_at(const struct visit *v, int fd, const struct dirent64 *e, side_visitor *fn,
                    void *arg)
{
    struct parent p = {.fd = fd, .name = e->name};
    struct statx host, st;
    if (e->type != DT_LNK && e->type != DT_FIFO && e->type != DT_SOCK && e->type != DT_UNKNOWN)
        return true;
    if (host_statx(fd, e->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &host) < 0 ||
        !meta_by_name(host.stx_mode))
        return true;
    st = host;
    bool recorded = may_have_record(v, e->name) && side_named(&p, host.stx_mode, &st, NULL);
    if (!recorded && device_stat(&p, &st))
        return true; // a node says its owner itself
    return fn(arg, &p, &host, &st, recorded);
}

bool side_visit(struct task *t, int dirfd, const char *name, side_visitor *fn, void *arg)
{
    struct visit *v = arena_alloc(sizeof *v);
    bool more = true;
    if (!v)
        return false;
    long n = -1, fd = temp_open(t, dirfd, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                WALK_RESOLVE);
    if (fd >= 0)
        v->listed = host_listxattr_at(&(struct parent){.fd = (int)fd, .name = "."}, v->list,
                                      sizeof v->list - 1);
    while (fd >= 0 && more && (n = HOST3(__NR_getdents64, fd, v->entries, sizeof v->entries)) > 0) {
        for (long at = 0; at < n && more;) {
            const struct dirent64 *e = (const void *)(v->entries + at);
            at += e->reclen;
            more = look_at(v, (int)fd, e, fn, arg);
        }
    }
    if (fd >= 0)
        temp_close(t, (int)fd);
    arena_free(v, sizeof *v);
    return n == 0;
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
    if (side_set_any(p))
        return false; // they say whose all are
    side_visit(t, p->fd, p->name, find_unrecorded, &found);
    return found;
}

// ---- Gathering ----

struct member {
    u32 uid, gid;
    char code[DIGITS];
};

// An entry whose record says nothing but its owner.
struct recorded {
    char name[256];
    u16 host_mode;
    struct member as;
    bool stays; // for another entry has its digits
};

struct gathering {
    struct task *t;
    int mount;
    bool made;            // the directory has no attribute: the host's owners count
    u64 locks, own;       // bits of name_lock: taken for this; this thread's from before
    bool whole;           // all entries without a record are in `live`, and nobody changes one
    u32 records, dropped; // of these, the first so many are removed
    u32 lives, members;
    struct member def; // digits that none has
    char old[SETS_SIZE], text[SETS_SIZE];
    struct recorded record[RECORDS];
    struct member live[LIVES], member[MEMBERS];
};

// Changes of entries wait whose names share a lock that was to be had. This thread's own one, for
// the entry that there is no room for, and those of others at work are left alone.
static void lock_names(struct gathering *g)
{
    for (unsigned i = 0; i < META_LOCKS; i++) {
        u32 *lock = &g->t->instance->name_lock[i];
        if (__atomic_load_n(lock, __ATOMIC_RELAXED) == g->t->tid)
            g->own |= 1UL << i;
        else if (reserved_claim(lock, g->t->tid))
            g->locks |= 1UL << i;
    }
    g->whole = !~(g->own | g->locks);
}

static void unlock_names(struct gathering *g)
{
    for (u64 left = g->locks; left; left &= left - 1)
        reserved_release(&g->t->instance->name_lock[__builtin_ctzl(left)]);
}

static bool same_owner(const struct member *a, const struct member *b)
{
    return a->uid == b->uid && a->gid == b->gid;
}

static void owner_without(struct gathering *g, const struct parent *p, const struct statx *host,
                          struct member *m)
{
    struct statx st = *host;
    meta_map_owner(g->t, g->mount, &st);
    side_without_record(g->t, g->mount, p, host->stx_uid, &st);
    m->uid = st.stx_uid;
    m->gid = st.stx_gid;
}

static bool note(void *arg, const struct parent *p, const struct statx *host,
                 const struct statx *st, bool recorded)
{
    struct gathering *g = arg;
    char is[SIDE_IDENTITY_SIZE];
    struct member m = {g->def.uid, g->def.gid, ""};
    if (!side_identity(p->name, p, host->stx_mode, is)) {
        g->whole = false;
        return true;
    }
    put_digits(m.code, is);
    if (!recorded) {
        if (g->made)
            owner_without(g, p, host, &m);
        else
            find(g->old, m.code, &m.uid, &m.gid);
        g->whole = g->whole && g->lives < LIVES;
        if (g->lives < LIVES)
            g->live[g->lives++] = m;
        return true;
    }
    if (side_is_marked(host->stx_mode) || (META_MORE(st) & MORE_ATTRS) ||
        ((st->stx_mode ^ host->stx_mode) & MODE_BITS) || g->records == RECORDS ||
        !(g->locks >> meta_name_index(p) & 1))
        return true;
    struct recorded *r = &g->record[g->records++];
    str_copy(r->name, p->name, sizeof r->name);
    m.uid = st->stx_uid;
    m.gid = st->stx_gid;
    r->as = m;
    r->host_mode = host->stx_mode;
    for (u32 i = 0; i + 1 < g->records; i++)
        r->stays |= !memcmp(g->record[i].as.code, m.code, DIGITS);
    return true;
}

// Behind that: which records are of entries that have the digits of one without.
static bool note_stays(void *arg, const struct parent *p, const struct statx *host,
                       const struct statx *st, bool recorded)
{
    struct gathering *g = arg;
    char is[SIDE_IDENTITY_SIZE], code[DIGITS];
    (void)st;
    if (recorded || !side_identity(p->name, p, host->stx_mode, is))
        return true;
    put_digits(code, is);
    for (u32 i = 0; i < g->records; i++)
        g->record[i].stays |= !memcmp(g->record[i].as.code, code, DIGITS);
    return true;
}

static bool look(struct gathering *g, int fd)
{
    bool all = side_visit(g->t, fd, ".", note, g);
    g->whole = g->whole && all;
    if (g->lives == LIVES)
        return side_visit(g->t, fd, ".", note_stays, g) && all;
    for (u32 i = 0; i < g->records; i++)
        for (u32 k = 0; k < g->lives; k++)
            g->record[i].stays |= !memcmp(g->record[i].as.code, g->live[k].code, DIGITS);
    return all;
}

// Without an attribute of the directory an entry shows its host's owner, the guest's root for what
// is made now. Is that all of them, and the owner that the sets would name for others?
static bool all_are_roots(const struct gathering *g)
{
    struct member root = {.uid = 0};
    bool all = same_owner(&g->def, &root) && g->lives < LIVES;
    for (u32 i = 0; i < g->lives && all; i++)
        all = same_owner(&g->live[i], &root);
    return all;
}

static bool has_record(const struct gathering *g, u32 n, const char *code)
{
    for (u32 i = 0; i < n; i++)
        if (!g->record[i].stays && !memcmp(g->record[i].as.code, code, DIGITS))
            return true;
    return false;
}

// How many of the members are of m's owner.
static u32 count(const struct gathering *g, const struct member *m)
{
    u32 n = 0;
    for (u32 i = 0; i < g->members; i++)
        n += same_owner(&g->member[i], m);
    return n;
}

static void add_member(struct gathering *g, const struct member *m)
{
    if (g->members < MEMBERS)
        g->member[g->members++] = *m;
}

// What the sets are to hold when the first n records are gone. Where all entries without a record
// are known, they are made anew; else what they hold stays, since somebody may be about to make one
// of these.
static void choose(struct gathering *g, u32 n, struct member *def)
{
    const char *s = g->old, *members, *end;
    struct member m;
    g->members = 0;
    for (u32 i = 0; g->whole && i < g->lives; i++)
        add_member(g, &g->live[i]);
    while (!g->whole && next_set(&s, &m.uid, &m.gid, &members, &end))
        for (; members + DIGITS <= end; members += DIGITS) {
            memcpy(m.code, members, DIGITS);
            if (!has_record(g, n, m.code))
                add_member(g, &m);
        }
    for (u32 i = 0; i < n; i++)
        if (!g->record[i].stays)
            add_member(g, &g->record[i].as);
    *def = g->def;
    u32 most = g->whole ? count(g, def) : MEMBERS;
    for (u32 i = 0; i < g->members && most < g->members - i; i++) {
        bool again = i && same_owner(&g->member[i], &g->member[i - 1]);
        u32 c = again ? 0 : count(g, &g->member[i]);
        if (c > most) {
            most = c;
            *def = g->member[i];
        }
    }
}

// Writes that to g->text; its length. 0: it is too long.
static size_t compose(struct gathering *g, u32 n)
{
    struct member def;
    char *out = g->text, *end = g->text + SETS_SIZE - 64;
    choose(g, n, &def);
    out += fmt(out, 32, "%u:%u=*", def.uid, def.gid);
    for (u32 i = 0; i < g->members; i++) {
        struct member owner = g->member[i];
        if (!*owner.code || same_owner(&owner, &def))
            continue;
        out += fmt(out, 32, ";%u:%u=", owner.uid, owner.gid);
        for (u32 k = i; k < g->members; k++) {
            struct member *m = &g->member[k];
            if (!*m->code || !same_owner(m, &owner))
                continue;
            if (out >= end)
                return 0;
            memcpy(out, m->code, DIGITS);
            out += DIGITS;
            *m->code = 0; // done
        }
    }
    *out = 0;
    return (size_t)(out - g->text);
}

// Unless another instance, which has locks of its own, has changed one meanwhile.
static void drop_records(struct gathering *g, int fd, u32 to)
{
    for (; g->dropped < to; g->dropped++) {
        struct recorded *r = &g->record[g->dropped];
        struct parent p = {.fd = fd, .name = r->name};
        struct statx st = {.stx_mode = r->host_mode};
        if (!r->stays && side_named(&p, r->host_mode, &st, NULL) && st.stx_uid == r->as.uid &&
            st.stx_gid == r->as.gid)
            meta_name_drop(&p);
        else
            r->stays = true;
    }
}

static void restore(struct gathering *g, int fd)
{
    while (g->dropped) {
        const struct recorded *r = &g->record[--g->dropped];
        struct parent p = {.fd = fd, .name = r->name};
        struct meta_named m = {.more = NULL};
        if (r->stays ||
            host_statx(fd, r->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &m.host) < 0)
            continue;
        m.guest = m.host;
        m.guest.stx_uid = r->as.uid;
        m.guest.stx_gid = r->as.gid;
        side_put(&p, &p, &m);
    }
}

// As long as there is no room, records go, the first `to` at most. Whose those entries are stands
// nowhere until the sets are written, for the moment.
static long write_with_room(struct gathering *g, int fd, const char *name, const char *value,
                            size_t size, u32 to)
{
    struct parent self = {.fd = fd, .name = "."};
    for (;;) {
        long r = host_setxattr_at(&self, name, value, size, 0);
        if (!side_is_full(r) || g->dropped >= to)
            return r;
        drop_records(g, fd, g->dropped + 1);
    }
}

#define FEW 4 // members for which there is room where one record was

// a: the directory's attribute. The sets count only beside it, so it comes second where it is made.
static bool gather(struct gathering *g, int fd, const struct attr *a)
{
    struct parent self = {.fd = fd, .name = "."};
    char value[ATTR_SIZE];
    read_sets(&self, g->old);
    find(g->old, g->def.code, &g->def.uid, &g->def.gid);
    lock_names(g);
    if (!look(g, fd) || (!g->records && !(g->whole && *g->old)) ||
        (g->made && !g->whole && !all_are_roots(g)))
        return false;
    long r = 0;
    // Sets of a few more in the room of one record, then of all in the room of those few.
    for (u32 n = g->records; r >= 0; n = g->records) {
        size_t size = compose(g, n);
        r = size ? host_setxattr_at(&self, SIDE_SETS, g->text, size, 0) : -ENOSPC;
        if (side_is_full(r) && n > g->dropped + FEW) {
            n = g->dropped + FEW;
            size = compose(g, n);
            r = size ? write_with_room(g, fd, SIDE_SETS, g->text, size, n) : -ENOSPC;
        }
        if (r >= 0 && g->made) {
            r = write_with_room(g, fd, META_XATTR, value, attr_format(value, a), n);
            g->made = r < 0;
        }
        if (r >= 0)
            drop_records(g, fd, n);
        if (r >= 0 && n == g->records)
            return true;
    }
    restore(g, fd);
    return false;
}

// a: the attribute of directory fd. made: it has none yet. One thread of the instance gathers at a
// time.
static bool gather_in(struct task *t, int mount, int fd, const struct attr *a, bool made, bool wait)
{
    const struct drive *d = &mount_at(t, MAX(mount, 0))->drive;
    u32 *lock = &t->instance->gather_lock;
    if (d->on && (d->umask | d->fmask))
        return false; // the mode of an entry without a record is not the host's
    struct gathering *g = arena_alloc(sizeof *g); // zeros
    bool done = false;
    if (g && (wait ? reserved_wait(t, lock) : reserved_claim(lock, t->tid))) {
        g->t = t;
        g->mount = mount;
        g->made = made;
        g->def.uid = a->has_names ? a->names_uid : a->uid;
        g->def.gid = a->has_names ? a->names_gid : a->gid;
        done = gather(g, fd, a);
        unlock_names(g);
        reserved_release(lock);
    }
    if (g)
        arena_free(g, sizeof *g);
    return done;
}

static struct attr attr_of(const struct meta_view *v)
{
    return (struct attr){.uid = v->guest.stx_uid,
                         .gid = v->guest.stx_gid,
                         .mode = v->guest.stx_mode & MODE_BITS,
                         .type = S_IFDIR,
                         .has_names = v->has_names,
                         .names_uid = v->names_uid,
                         .names_gid = v->names_gid};
}

bool side_gather(struct task *t, int mount, const struct parent *p, bool wait)
{
    struct parent dir = {.fd = p->fd, .name = "."};
    struct meta_view v;
    struct statx st;
    struct attr a;
    char value[ATTR_SIZE];
    if (attr_parse(value, host_getxattr_at(&dir, META_XATTR, value, sizeof value), &a))
        return gather_in(t, mount, p->fd, &a, false, wait);
    // It gets one, for which its lock is needed. Who has that now may be waiting for the name's
    // lock that this thread has: then meta_look() goes on without it at last.
    if (!wait && (host_statx(p->fd, ".", 0, STATX_INO, &st) < 0 || meta_is_locked(t, &st)))
        return false;
    if (meta_look(t, mount, &dir, &v) < 0)
        return false;
    a = attr_of(&v);
    bool done = gather_in(t, mount, p->fd, &a, !v.has_attr, wait);
    attrcache_forget(t, &v.host);
    meta_done(t, &v);
    return done;
}

bool side_gather_seen(struct task *t, int mount, const struct parent *p, const struct meta_view *v)
{
    struct attr a = attr_of(v);
    long fd = temp_open(t, p->fd, *p->name ? p->name : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW,
                        WALK_RESOLVE);
    if (fd < 0)
        return false;
    bool done = gather_in(t, mount, (int)fd, &a, !v->has_attr, true);
    temp_close(t, (int)fd);
    return done;
}
