// SPDX-License-Identifier: MIT
// Directories that are kept open: the parents of paths that the process has used. A call on a path
// then is one host call on one name in an open directory, which costs less than the host's own
// walk.
//
// A kept directory stands for a way without links from the root of the instance's tree, from the
// working directory, or from one that the guest holds open. It does so until a directory on the way
// is renamed or removed. The instance counts such changes (dir_generation), and while one is being
// made (dir_changer) nothing is taken from here. A call that began before is one that came before
// the change. A change made by anybody else, on the host or in another instance, is seen after
// DIRS_KEPT_FOR; so directories of the host's own tree, or bound into a guest, are not kept
// (docs/files.md). Wherever a kept directory is moved to, it is one that lay in the tree when it
// was opened.
#include <linux/time.h>

#include "fs.h"
#include "host.h"
#include "vdso.h"

#define LENDING_TRIES 1000
#define FILLING 0x80000000u // in users: its number is about to get another directory

// Only tells most others apart; who finds an entry by it compares the text. path: a loc's.
static u64 hash_of(u64 from, const char *path, size_t n)
{
    u64 h = n + from * 0xff51afd7ed558ccdUL, word;
    for (; n >= sizeof word; path += sizeof word, n -= sizeof word) {
        __builtin_memcpy(&word, path, sizeof word);
        h = (h ^ word ^ h >> 32) * 0x9e3779b97f4a7c15UL;
    }
    __builtin_memcpy(&word, path, sizeof word); // the text has room behind
    word &= ~(~0UL << 8 * n);
    h = (h ^ word ^ h >> 32) * 0x9e3779b97f4a7c15UL;
    return (h ^ h >> 29) | 1; // 0 is nothing
}

// Before anything is looked up: what changes later changes the key.
static void make_key(struct task *t, const struct loc *loc, size_t n, struct dir_key *key)
{
    key->hash = 0;
    if (!t->instance->keeps_dirs || loc->mount != 0 || n > DIR_PATH)
        return;
    bool root = loc->base == reserved_fd(t, RESERVED_MOUNT);
    key->from = root                    ? 0
                : loc->base == AT_FDCWD ? __atomic_load_n(&t->fs->cwd_number, __ATOMIC_ACQUIRE)
                : loc->pinned           ? 0
                                        : fd_number(t, loc->base);
    if (!root && !key->from)
        return;
    key->generation = __atomic_load_n(&t->instance->dir_generation, __ATOMIC_ACQUIRE);
    key->path = loc->rel;
    key->length = n;
    if (!__atomic_load_n(&t->instance->dir_changer, __ATOMIC_ACQUIRE))
        key->hash = hash_of(key->from, loc->rel, n);
}

// Where to look first. An entry can lie anywhere: two directories that a program uses by turns must
// not push each other out.
static int index_of(const struct dir_key *key)
{
    return (int)(key->hash >> 32 & (DIRS_KEPT - 1));
}

static u64 hash_at(const struct task *t, int i)
{
    return __atomic_load_n(&t->files->dir[i].hash, __ATOMIC_RELAXED);
}

// Index of the entry with that hash, or -1.
static int find(const struct task *t, const struct dir_key *key)
{
    for (int i = index_of(key), n = 0; n < DIRS_KEPT; i = (i + 1) & (DIRS_KEPT - 1), n++)
        if (hash_at(t, i) == key->hash)
            return i;
    return -1;
}

// Which entry a new one takes the place of: that of its own before, a free one, or any.
static int place_for(struct task *t, const struct dir_key *key)
{
    int i = find(t, key);
    for (int n = 0; i < 0 && n < DIRS_KEPT; n++)
        if (!hash_at(t, (index_of(key) + n) & (DIRS_KEPT - 1)))
            i = (index_of(key) + n) & (DIRS_KEPT - 1);
    return i >= 0 ? i : (int)(t->dirs_next++ & (DIRS_KEPT - 1));
}

u64 dirs_now(void)
{
    struct __kernel_timespec ts;
    if (vdso_call(VDSO_CLOCK_GETTIME, CLOCK_MONOTONIC_COARSE, (long)&ts, 0))
        HOST2(__NR_clock_gettime, CLOCK_MONOTONIC_COARSE, &ts);
    return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

// Begins to use the entry, if it holds a directory that lies where those of key do: its number and
// its path then stay as they are.
static bool use(const struct task *t, struct kept_dir *d, const struct dir_key *key)
{
    if (!(dir_count_user(t, d, 1) & FILLING) && __atomic_load_n(&d->hash, __ATOMIC_ACQUIRE) &&
        d->from == key->from && d->generation == key->generation &&
        dirs_now() - d->opened < DIRS_KEPT_FOR)
        return true;
    dir_count_user(t, d, -1);
    return false;
}

int dir_kept(struct task *t, const struct loc *loc, size_t n, struct dir_key *key)
{
    make_key(t, loc, n, key);
    int i = key->hash ? find(t, key) : -1;
    struct kept_dir *d = &t->files->dir[MAX(i, 0)];
    if (i >= 0 && use(t, d, key)) {
        if (d->length == n && !memcmp(d->path, loc->rel, n))
            return i + 1;
        dir_release(t, i + 1);
    }
    dirs_let_go_watched(t);
    return 0;
}

bool dir_wanted(struct task *t, const struct dir_key *key)
{
    if (!key->hash)
        return false;
    for (int i = 0; i < DIRS_KEPT; i++) {
        if (t->dirs_asked[i] == (u32)key->hash) {
            t->dirs_asked[i] = 0;
            return true;
        }
    }
    t->dirs_asked[t->dirs_next++ & (DIRS_KEPT - 1)] = (u32)key->hash;
    return false;
}

// Nobody uses it, nor will until FILLING is taken off users again.
static bool seize(struct kept_dir *d)
{
    u32 unused = 0;
    return __atomic_compare_exchange_n(&d->users, &unused, FILLING, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

// Closes it, unless it is in use.
static void let_go(struct task *t, int i)
{
    struct kept_dir *d = &t->files->dir[i];
    if (!d->hash || !seize(d))
        return;
    d->hash = 0;
    reserved_fill(t, RESERVED_DIR + i);
    __atomic_sub_fetch(&d->users, FILLING, __ATOMIC_RELEASE);
}

// ---- Directories that inotify tells of ----
//
// Their watchers are told of their removal when nobody has them open any more (IN_DELETE_SELF), so
// the last WATCHED_DIRS are not kept, by nobody; what lies below one may be.

static u64 inode_hash(const struct statx *st)
{
    return (st->stx_ino + device_of(st) * 0xff51afd7ed558ccdUL) | 1;
}

static bool among_watched(const struct task *t, u64 hash)
{
    for (int i = 0; i < WATCHED_DIRS; i++)
        if (__atomic_load_n(&t->instance->watched_dirs[i], __ATOMIC_RELAXED) == hash)
            return true;
    return false;
}

static bool is_watched(const struct task *t, int fd)
{
    struct statx st;
    return __atomic_load_n(&t->instance->dir_watches, __ATOMIC_ACQUIRE) &&
           host_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) >= 0 &&
           among_watched(t, inode_hash(&st));
}

void dirs_let_go_all(struct task *t)
{
    t->files->watches_seen = __atomic_load_n(&t->instance->dir_watches, __ATOMIC_ACQUIRE);
    for (int i = 0; i < DIRS_KEPT; i++)
        let_go(t, i);
}

void dirs_watch(struct task *t, int fd)
{
    struct instance *in = t->instance;
    struct statx st;
    if (!in->keeps_dirs || host_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) < 0 ||
        among_watched(t, inode_hash(&st)))
        return;
    u32 n = __atomic_fetch_add(&in->dir_watches, 1, __ATOMIC_ACQ_REL);
    __atomic_store_n(&in->watched_dirs[n % WATCHED_DIRS], inode_hash(&st), __ATOMIC_RELEASE);
    // Nothing that is kept is found any more, by which the others notice.
    __atomic_fetch_add(&in->dir_generation, 1, __ATOMIC_ACQ_REL);
    dirs_let_go_watched(t);
}

int dir_keep(struct task *t, const struct dir_key *key, int fd)
{
    if (is_watched(t, fd))
        return 0;
    int i = place_for(t, key), tries = 1;
    while (!seize(&t->files->dir[i]) && tries++ < DIRS_KEPT)
        i = (i + 1) & (DIRS_KEPT - 1);
    if (tries > DIRS_KEPT)
        return 0;
    struct kept_dir *d = &t->files->dir[i];
    __atomic_store_n(&d->hash, 0, __ATOMIC_RELEASE);
    bool done = HOST3(__NR_dup3, fd, reserved_fd(t, RESERVED_DIR + i), 0) >= 0;
    if (done) {
        d->seen = d->seen_changes = d->no_acl_at = 0;
        d->records = 0;
        d->stamp = instance_number(t->instance);
        d->from = key->from;
        d->generation = key->generation;
        d->opened = dirs_now();
        d->length = (u32)key->length;
        memcpy(d->path, key->path, key->length);
        __atomic_store_n(&d->hash, key->hash, __ATOMIC_RELEASE);
    }
    __atomic_sub_fetch(&d->users, done ? FILLING - 1 : FILLING, __ATOMIC_RELEASE);
    return done ? i + 1 : 0;
}

// Nobody finds it: it has no hash.
int dir_lend(struct task *t, int fd)
{
    int i = 0;
    for (u32 tries = 0; !seize(&t->files->dir[i]); tries++) {
        i = (i + 1) & (DIRS_KEPT - 1);
        if (tries == LENDING_TRIES)
            return 0;
        if (!i)
            patience_step(tries);
    }
    struct kept_dir *d = &t->files->dir[i];
    __atomic_store_n(&d->hash, 0, __ATOMIC_RELEASE);
    bool done = HOST3(__NR_dup3, fd, reserved_fd(t, RESERVED_DIR + i), 0) >= 0;
    __atomic_sub_fetch(&d->users, done ? FILLING - 1 : FILLING, __ATOMIC_RELEASE);
    return done ? i + 1 : 0;
}

void dir_take_back(struct task *t, int lent)
{
    reserved_fill(t, RESERVED_DIR + lent - 1);
    dir_release(t, lent);
}

// Threads that share the entry may read and write this at the same time.
bool dir_attr_get(struct task *t, int kept, struct statx *st)
{
    const struct kept_dir *d = &t->files->dir[kept - 1];
    u32 seen = __atomic_load_n(&d->seen, __ATOMIC_ACQUIRE);
    if ((seen & 1) || d->seen_changes != dir_attr_changes(t))
        return false;
    memset(st, 0, sizeof *st);
    st->stx_mode = (u16)d->mode;
    st->stx_uid = d->uid;
    st->stx_gid = d->gid;
    st->stx_ino = d->ino;
    st->stx_dev_major = (u32)(d->dev >> 32);
    st->stx_dev_minor = (u32)d->dev;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&d->seen, __ATOMIC_RELAXED) == seen;
}

void dir_attr_put(struct task *t, int kept, u32 changes, const struct statx *st)
{
    struct kept_dir *d = &t->files->dir[kept - 1];
    u32 seen = __atomic_load_n(&d->seen, __ATOMIC_RELAXED) & ~1u;
    if (META_MORE(st) || !__atomic_compare_exchange_n(&d->seen, &seen, seen + 1, false,
                                                      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    d->seen_changes = changes;
    d->mode = st->stx_mode;
    d->uid = st->stx_uid;
    d->gid = st->stx_gid;
    d->ino = st->stx_ino;
    d->dev = device_of(st);
    __atomic_store_n(&d->seen, seen + 2, __ATOMIC_RELEASE);
}

bool dir_no_acl(struct task *t, int kept)
{
    u32 at = __atomic_load_n(&t->files->dir[kept - 1].no_acl_at, __ATOMIC_RELAXED);
    return at == dir_attr_changes(t);
}

void dir_no_acl_put(struct task *t, int kept, u32 changes)
{
    __atomic_store_n(&t->files->dir[kept - 1].no_acl_at, changes, __ATOMIC_RELAXED);
}

// ---- Search permission ----
//
// A walk that asks for permission in each directory costs some host calls for each. Of the way to a
// kept directory the answer holds until a directory's owner, mode or ACL is changed, or one is
// moved, by a process of the instance; what others change is seen when the directory is kept anew.
// It is the answer for one identity, so each thread has its own.

static bool is_identity(const struct search_identity *id, const struct cred *c)
{
    return id->caps == c->cap_effective && id->uid == c->fsuid && id->gid == c->fsgid &&
           id->ngroups == c->ngroups && c->ngroups <= SEARCH_GROUPS &&
           !memcmp(id->groups, c->groups, c->ngroups * sizeof c->groups[0]);
}

static bool was_searched(const struct task *t, int kept, u32 changes)
{
    const struct searched *s = &t->searches.dir[kept - 1];
    return s->stamp == t->files->dir[kept - 1].stamp && s->changes == changes &&
           is_identity(&t->searches.who, &t->cred);
}

// What was noted is the task's as it is now. False: it cannot be noted for such a one.
static bool note_identity(struct task *t)
{
    const struct cred *c = &t->cred;
    if (c->ngroups > SEARCH_GROUPS)
        return false;
    if (!is_identity(&t->searches.who, c)) {
        memset(t->searches.dir, 0, sizeof t->searches.dir);
        memset(t->searches.base, 0, sizeof t->searches.base);
        t->searches.who = (struct search_identity){
            .caps = c->cap_effective, .uid = c->fsuid, .gid = c->fsgid, .ngroups = c->ngroups};
        memcpy(t->searches.who.groups, c->groups, c->ngroups * sizeof c->groups[0]);
    }
    return true;
}

static void note_searched(struct task *t, int kept, u32 changes)
{
    if (note_identity(t))
        t->searches.dir[kept - 1] =
            (struct searched){.stamp = t->files->dir[kept - 1].stamp, .changes = changes};
}

static bool may_search(struct task *t, int dir)
{
    struct parent p = {.fd = dir, .name = "."};
    struct statx st;
    return meta_stat(t, 0, &p, STATX_BASIC_STATS, &st) >= 0 &&
           may_access(&t->cred, &st, MAY_EXEC) >= 0;
}

static bool base_was_searched(const struct task *t, const struct dir_key *key, u32 changes)
{
    const struct searched_base *b = &t->searches.base[key->from != 0];
    return b->changes == changes && b->from == key->from &&
           is_identity(&t->searches.who, &t->cred) && dirs_now() - b->at < DIRS_KEPT_FOR;
}

// dir: what the path of key begins at.
static bool may_search_base(struct task *t, const struct dir_key *key, int dir, u32 changes)
{
    if (!may_search(t, dir))
        return false;
    if (note_identity(t))
        t->searches.base[key->from != 0] =
            (struct searched_base){.from = key->from, .at = dirs_now(), .changes = changes};
    return true;
}

// Opens the first n bytes of loc->rel, of which `done` lead to `dir`, name by name, passing only
// what the task may search. The directories of the first `known` bytes are such. own: dir is a
// temporary, and closed. The result is one; -ENOENT: the first name that is no such directory is
// missing; -EACCES: the slow walk tells what it is.
static long search_below(struct task *t, struct loc *loc, size_t done, size_t known, size_t n,
                         long dir, bool own)
{
    bool may = true;
    long r = -EACCES;
    char *name = loc->rel + done, *asked = loc->rel + (known == n ? n : known ? known + 1 : 0);
    for (char *end; may && name <= loc->rel + n; name = asked = end + 1) {
        end = strchr(asked, '/');
        *end = 0;
        long next = temp_open(t, (int)dir, name, O_PATH | O_DIRECTORY, WALK_RESOLVE);
        *end = '/';
        if (own)
            temp_close(t, (int)dir);
        dir = next;
        own = dir >= 0;
        may = own && (known == n || may_search(t, (int)dir));
        if (dir == -ENOENT)
            r = -ENOENT;
    }
    if (!may && own)
        temp_close(t, (int)dir);
    return may ? dir : r;
}

// How much of the first n bytes of loc->rel is the way to a directory that may be searched, as all
// on the way to it, because what is kept open lies below.
static size_t known_to_search(struct task *t, const struct loc *loc, size_t n,
                              const struct dir_key *key, u32 changes)
{
    size_t known = 0;
    for (int i = 0; i < DIRS_KEPT; i++) {
        struct kept_dir *d = &t->files->dir[i];
        if (!was_searched(t, i + 1, changes) || !use(t, d, key))
            continue;
        if (was_searched(t, i + 1, changes))
            for (size_t k = 0; k <= n && k <= d->length; k++) {
                bool ends = k == d->length || d->path[k] == '/';
                if (ends && loc->rel[k] == '/' && k > known)
                    known = k;
                if (k == d->length || d->path[k] != loc->rel[k])
                    break;
            }
        dir_release(t, i + 1);
    }
    return known;
}

// The same from where the path begins. Where threads share the working directory, it may be another
// the next moment; then its number is (dirs_new_cwd).
static long search_from_base(struct task *t, struct loc *loc, size_t n, const struct dir_key *key,
                             u32 changes)
{
    bool moves = loc->base == AT_FDCWD && t->fs->refs > 1,
         known = base_was_searched(t, key, changes);
    bool own = moves && !known;
    long dir = own ? temp_open(t, AT_FDCWD, ".", O_PATH | O_DIRECTORY, 0) : loc->base;
    if (own && dir < 0)
        return dir;
    if (!known && !may_search_base(t, key, (int)dir, changes)) {
        if (own)
            temp_close(t, (int)dir);
        return -EACCES;
    }
    long fd = search_below(t, loc, 0, known_to_search(t, loc, n, key, changes), n, dir, own);
    if (fd >= 0 && moves && __atomic_load_n(&t->fs->cwd_number, __ATOMIC_ACQUIRE) != key->from) {
        temp_close(t, (int)fd);
        return -EACCES;
    }
    return fd;
}

// The same from the nearest directory above that is kept open and may be searched, if there is one.
static long search(struct task *t, struct loc *loc, size_t n, const struct dir_key *key,
                   u32 changes)
{
    for (size_t up = n; up--;) {
        struct dir_key above;
        if (loc->rel[up] != '/')
            continue;
        int kept = dir_kept(t, loc, up, &above);
        bool may = kept && was_searched(t, kept, changes);
        long fd = may ? search_below(t, loc, up + 1, up, n, dir_fd(t, kept), false) : -EACCES;
        if (kept)
            dir_release(t, kept);
        if (may)
            return fd;
    }
    return search_from_base(t, loc, n, key, changes);
}

// Below another root, permission is not to be asked for from the tree's on.
static bool is_whole_tree(const struct task *t)
{
    return t->fs->root_mount == 0 && !t->fs->root[0];
}

bool dirs_may_search_base(struct task *t, const struct loc *loc)
{
    struct dir_key key;
    u32 changes = dir_attr_changes(t);
    if (!is_whole_tree(t))
        return false;
    make_key(t, loc, 0, &key);
    return key.hash &&
           (base_was_searched(t, &key, changes) || may_search_base(t, &key, loc->base, changes));
}

// Who needs a search once will need it for the next name too: the directory is kept at once.
long dirs_may_search(struct task *t, struct loc *loc)
{
    struct dir_key key;
    const char *slash = loc_slash(loc);
    if (!slash || !is_whole_tree(t))
        return 0;
    u32 changes = dir_attr_changes(t);
    size_t n = (size_t)(slash - loc->rel);
    int kept = dir_kept(t, loc, n, &key);
    if (kept && was_searched(t, kept, changes))
        return kept;
    if (!key.hash)
        return 0;
    temps_begin(t); // loc->base keeps its number
    long fd = search(t, loc, n, &key, changes);
    if (fd >= 0 && !kept)
        kept = dir_keep(t, &key, (int)fd);
    else if (fd < 0 && kept) {
        dir_release(t, kept);
        kept = 0;
    }
    if (fd >= 0)
        temp_close(t, (int)fd);
    temps_end(t);
    if (kept)
        note_searched(t, kept, changes);
    return fd == -ENOENT ? -ENOENT : kept;
}

void dirs_new_cwd(struct task *t)
{
    __atomic_store_n(&t->fs->cwd_number, instance_number(t->instance), __ATOMIC_RELEASE);
}

void dirs_to_exec(struct task *t, struct kept_dir *dir)
{
    struct files *f = t->files;
    memcpy(dir, f->dir, sizeof f->dir);
    for (int i = 0; i < DIRS_KEPT; i++) {
        dir[i].users = 0;
        if (f->refs > 1) // another may be about to put something else there
            dir[i].hash = 0;
    }
}

// One change at a time, so that the word can name who makes it: nothing is kept as long as it does.
// One that was killed on the way may have made its change, or not; the next one's end counts for
// both. Who has waited for a stopped process takes its place.
void dirs_change_begin(struct task *t)
{
    u32 *changer = &t->instance->dir_changer;
    if (t->instance->keeps_dirs && !reserved_wait(t, changer))
        __atomic_store_n(changer, t->tid, __ATOMIC_RELEASE);
}

// One that was killed on the way has not counted its change.
bool dirs_changed(struct task *t, u32 *seen)
{
    u32 *changer = &t->instance->dir_changer, before = *seen;
    bool waited = __atomic_load_n(changer, __ATOMIC_ACQUIRE) && reserved_wait(t, changer);
    if (waited)
        reserved_release(changer);
    *seen = dirs_changes(t);
    return waited || *seen != before;
}

// A directory `name` is gone, and its inode shall be, as watchers of it are told then (inotify(7),
// IN_DELETE_SELF). Other processes may keep it open until they need the place.
static void close_removed(struct task *t, const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; i < DIRS_KEPT; i++) {
        const struct kept_dir *d = &t->files->dir[i];
        if (d->length >= n && !memcmp(d->path + d->length - n, name, n))
            let_go(t, i);
    }
}

void dirs_change_end(struct task *t, const char *removed)
{
    u32 me = t->tid;
    if (removed)
        close_removed(t, removed);
    __atomic_fetch_add(&t->instance->dir_generation, 1, __ATOMIC_ACQ_REL);
    __atomic_compare_exchange_n(&t->instance->dir_changer, &me, 0, false, __ATOMIC_RELEASE,
                                __ATOMIC_RELAXED);
}

long dirs_rmdir(struct task *t, const struct parent *p)
{
    dirs_change_begin(t);
    long r = name_unlink(t, p, AT_REMOVEDIR);
    dirs_change_end(t, r >= 0 ? p->name : NULL);
    return r;
}
