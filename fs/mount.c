// SPDX-License-Identifier: MIT
// The mount table of the instance, and this process's descriptors of the mounts' roots. Whose mount
// namespace an entry is in: fs/namespaces.c.
#include <linux/mount.h>

#include "fs.h"
#include "host.h"
#include "mounting.h"

static bool live(const struct mount_entry *e)
{
    return __atomic_load_n(&e->state, __ATOMIC_ACQUIRE) == MOUNT_LIVE;
}

u64 *mounts_word(struct task *t, u32 ns)
{
    return ns ? &t->instance->mounts_live_in[ns] : &t->instance->mounts_live;
}

bool mount_is_live(struct task *t, int m)
{
    return mounts_of(t, t->fs->mnt_ns) >> m & 1 && live(mount_at(t, m));
}

int mount_next(struct task *t, int m)
{
    u64 bits = m < MOUNTS_MAX ? mounts_of(t, t->fs->mnt_ns) : 0;
    for (bits &= ~0UL << (m & 63); bits; bits &= bits - 1) {
        m = __builtin_ctzl(bits);
        if (live(mount_at(t, m)))
            return m;
    }
    return MOUNTS_MAX;
}

int mount_root_open(struct task *t, int m)
{
    struct mount_entry *e = mount_at(t, m);
    int fd = reserved_fd(t, RESERVED_MOUNT + m);
    if (!files_reserve_mount(t, m))
        return -EMFILE;
    t->files->root_ino[m] = 0;
    if (e->base == BASE_INHERITED) {
        t->files->mount_id[m] = e->id;
        return fd;
    }
    long base = e->base == BASE_HELD    ? limited_open(t, e)
                : e->base == BASE_STORE ? reserved_fd(t, RESERVED_STORE)
                                        : mount_root_fd(t, e->base);
    if (base < 0)
        return (int)base;
    long tmp = temp_open(t, (int)base, e->base_path[0] ? e->base_path : ".", O_PATH, WALK_RESOLVE);
    if (e->base == BASE_HELD)
        temp_close(t, (int)base);
    if (tmp < 0)
        return (int)tmp;
    long r = HOST3(__NR_dup3, tmp, fd, 0);
    temp_close(t, (int)tmp);
    if (r < 0)
        return (int)r;
    t->files->mount_id[m] = e->id;
    return fd;
}

bool mount_is_root(struct task *t, int m, const struct statx *st)
{
    struct statx root;
    u64 *ino = &t->files->root_ino[m];
    int fd = mount_root_fd(t, m);
    // The number alone tells of nearly all inodes that they are no root.
    if (fd < 0 || (*ino && *ino != st->stx_ino))
        return false;
    if (host_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &root) < 0)
        return false;
    *ino = root.stx_ino;
    return is_same_inode(&root, st);
}

int mount_of_path(struct task *t, const char *path, const char **rest)
{
    int best = 0;
    size_t best_len = 0;
    path += *path == '/';
    // The newest of those that the path goes through: it lies in the others, or covers them.
    for (int m = mount_next(t, 1); m < MOUNTS_MAX; m = mount_next(t, m + 1)) {
        struct mount_entry *e = mount_at(t, m);
        if (e->id < mount_at(t, best)->id)
            continue;
        size_t n = strlen(e->point + 1);
        if (strncmp(path, e->point + 1, n) || (path[n] && path[n] != '/' && n))
            continue;
        best = m;
        best_len = n;
    }
    path += best_len;
    while (*path == '/')
        path++;
    *rest = path;
    return best;
}

const char *mount_rest(struct task *t, int m, const char *path)
{
    const char *point = mount_at(t, m)->point + 1;
    size_t n = strlen(point);
    path += *path == '/';
    if (strncmp(path, point, n) || (n && path[n] && path[n] != '/'))
        return NULL;
    path += n;
    return path + (*path == '/');
}

int mount_on(struct task *t, int m, const char *path)
{
    const char *rest;
    for (int i = mount_next(t, 1); i < MOUNTS_MAX; i = mount_next(t, i + 1)) {
        if (mount_at(t, i)->parent != m || !(rest = mount_rest(t, i, path)) || *rest)
            continue;
        m = i;
        i = 0;
    }
    return m;
}

bool mount_name_is_point(struct task *t, const char *name, size_t n)
{
    if (!names_with(t->instance->mount_names, name_hash(name, n)))
        return false;
    for (int m = mount_next(t, 1); m < MOUNTS_MAX; m = mount_next(t, m + 1)) {
        struct mount_entry *e = mount_at(t, m);
        const char *last = strrchr(e->point, '/') + 1;
        if (strlen(last) == n && !memcmp(last, name, n))
            return true;
    }
    return false;
}

// Takes the writer's word; a dead writer's is taken over: an entry it had not published is free.
// Who waits for a stopped one waits on.
void mount_writer_begin(struct task *t)
{
    while (!reserved_wait(t, &t->instance->mount_writer))
        ;
}

void mount_writer_end(struct task *t)
{
    __atomic_fetch_add(&t->instance->mount_generation, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&t->instance->mount_writer, 0, __ATOMIC_RELEASE);
}

// The entry for a new mount: the one free for longest, so that descriptors which remember its index
// are likely gone. What lxrun opened keeps its entry: it can be mounted again.
static int free_entry(struct task *t)
{
    int best = -1;
    for (int m = 1; m < MOUNTS_MAX; m++) {
        struct mount_entry *e = mount_at(t, m);
        if (e->state != MOUNT_FREE || (e->id && e->base == BASE_INHERITED))
            continue;
        if (best < 0 || e->id < mount_at(t, best)->id)
            best = m;
    }
    return best;
}

long mount_add(struct task *t, const struct mount_entry *new)
{
    mount_writer_begin(t);
    int m = free_entry(t);
    if (m < 0) {
        mount_writer_end(t);
        namespaces_collect(t);
        mount_writer_begin(t);
        m = free_entry(t);
    }
    if (m >= 0) {
        struct mount_entry *e = mount_at(t, m);
        u32 id = __atomic_fetch_add(&t->instance->next_mount_id, 1, __ATOMIC_RELAXED);
        memcpy(&e->type, &new->type, sizeof *e - offsetof(struct mount_entry, type));
        e->id = id;
        e->links = 0;
        e->apart = 0;
        if (e->type == FS_LAYER) {
            __atomic_store_n(&e->state, MOUNT_LAYER, __ATOMIC_RELEASE);
            mount_writer_end(t);
            return m;
        }
        // Somebody may have been killed before he was done with the entry.
        for (u32 ns = 0; ns < NAMESPACES_MAX; ns++)
            __atomic_fetch_and(mounts_word(t, ns), ~(1UL << m), __ATOMIC_RELEASE);
        const char *last = strrchr(e->point, '/') + 1;
        u32 hash = *last ? name_hash(last, strlen(last)) : 0;
        if (*last)
            __atomic_fetch_or(&t->instance->mount_names[name_word(hash)], name_bit(hash),
                              __ATOMIC_RELEASE);
        else
            __atomic_fetch_or(&t->instance->root_covered, 1u << t->fs->mnt_ns, __ATOMIC_RELEASE);
        __atomic_fetch_or(mounts_word(t, t->fs->mnt_ns), 1UL << m, __ATOMIC_RELEASE);
        __atomic_store_n(&e->state, MOUNT_LIVE, __ATOMIC_RELEASE);
    }
    mount_writer_end(t);
    return m < 0 ? -ENOSPC : m;
}

// Is it in no namespace any more?
static bool is_nobodys(struct task *t, int m)
{
    u32 used = __atomic_load_n(&t->instance->mnt_ns_used, __ATOMIC_ACQUIRE);
    for (; used; used &= used - 1)
        if (mounts_of(t, (u32)__builtin_ctz(used)) >> m & 1)
            return false;
    return true;
}

bool mount_remove(struct task *t, int m)
{
    struct mount_entry *e = mount_at(t, m);
    mount_writer_begin(t);
    if (live(e))
        __atomic_fetch_and(mounts_word(t, t->fs->mnt_ns), ~(1UL << m), __ATOMIC_RELEASE);
    bool gone = e->state == MOUNT_LAYER || (live(e) && is_nobodys(t, m));
    if (gone)
        __atomic_store_n(&e->state, MOUNT_FREE, __ATOMIC_RELEASE);
    mount_writer_end(t);
    return gone;
}

bool mount_remove_left(struct task *t, int m)
{
    mount_writer_begin(t);
    bool gone = live(mount_at(t, m)) && is_nobodys(t, m);
    if (gone)
        __atomic_store_n(&mount_at(t, m)->state, MOUNT_FREE, __ATOMIC_RELEASE);
    mount_writer_end(t);
    return gone;
}
