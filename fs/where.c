// SPDX-License-Identifier: MIT
// Names of places: from the paths that the host knows to (mount, path in it), and to guest paths.
// The way down, from a guest path to a place, is fs/path.c.
#include "drivename.h"
#include "fs.h"
#include "host.h"
#include "mounting.h"
#include "mqueue.h"
#include "overlay.h"
#include "procfs.h"

long path_join(char *out, size_t size, const char *a, const char *b)
{
    size_t n = strlen(a), k = strlen(b);
    if (n + k + 2 > size)
        return -ENAMETOOLONG;
    memmove(out, a, n);
    if (n && k && out[n - 1] != '/')
        out[n++] = '/';
    memcpy(out + n, b, k + 1);
    return (long)(n + k);
}

long instance_path(struct task *t, int m, const char *rel, char *out, size_t size)
{
    const struct mount_entry *e = mount_at(t, m);
    if (*e->node && !strcmp(rel, e->node))
        rel = "";
    size_t k = strlen(rel);
    long n = path_join(out, size, e->point, rel);
    if (n >= 0 && e->type == FS_PROC)
        return n - (long)k + (long)procfs_guest_path(t, out + n - k);
    return n < 0 || !e->drive.names ? n : n - (long)k + (long)drivename_to_guest(out + n - k);
}

long host_link_of_fd(struct task *t, int fd, char *out, size_t n)
{
    // "self" is the process's first thread, which may have ended, or another descriptor table.
    const char *self = t->tid == t->proc->tgid ? "self" : "thread-self"; // which costs more
    char name[40];
    if (fd == AT_FDCWD)
        fmt(name, sizeof name, "%s/cwd", self);
    else
        fmt(name, sizeof name, "%s/fd/%d", self, fd);
    long r = host_readlinkat(reserved_fd(t, RESERVED_PROC), name, out, n);
    if (r == -ENOENT)
        return -EBADF;
    if (r >= (long)n)
        return -ENAMETOOLONG;
    if (r >= 0)
        out[r] = 0;
    return r;
}

// A path of n bytes as a word: its length, and a hash that tells it from most others. id: whose
// root it is, so that a later mount's is another one.
static u64 text_word(u32 id, const char *path, size_t n)
{
    u64 hash = 0xcbf29ce484222325 ^ id; // FNV-1a
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (u8)path[i]) * 0x100000001b3;
    return hash << 16 | n;
}

// The part of host path `host` below what is open as the root of mount m, or NULL.
static const char *below_root(struct task *t, int m, const char *host)
{
    char root[LX_PATH_MAX];
    int fd = mount_root_fd(t, m);
    if (fd < 0)
        return NULL;
    long n = host_link_of_fd(t, fd, root, sizeof root);
    if (n < 0)
        return NULL;
    __atomic_store_n(&t->instance->root_texts[m], text_word(mount_at(t, m)->id, root, (size_t)n),
                     __ATOMIC_RELAXED);
    if (n == 1)
        return host + 1; // the host's own root
    if (strncmp(host, root, (size_t)n) || (host[n] && host[n] != '/'))
        return NULL;
    return host + n + (host[n] == '/');
}

// The part of host path `host` below the root of mount m, or NULL. *base: whose root that is.
static const char *below_mount(struct task *t, int m, const char *host, int *base)
{
    const char *rest = NULL;
    *base = m;
    if (!is_overlay(t, m))
        return below_root(t, m, host);
    for (int layer = mount_at(t, m)->top; layer && !rest; layer = mount_at(t, layer)->below) {
        rest = below_root(t, layer, host);
        *base = layer;
    }
    return rest;
}

// The mount with the longest root above `host`, by what the roots were called when somebody last
// asked; -1: nothing is known. It is to be asked again before it counts.
static int mount_remembered(struct task *t, const char *host)
{
    int best = -1;
    size_t len = strlen(host), longest = 0;
    for (int m = mount_next(t, 0); m < MOUNTS_MAX; m = mount_next(t, m + 1)) {
        const struct mount_entry *e = mount_at(t, m);
        u64 word = __atomic_load_n(&t->instance->root_texts[m], __ATOMIC_RELAXED);
        size_t n = word & 0xffff;
        if (is_overlay(t, m) || *e->node)
            continue;
        if (!word)
            return -1;
        if (n <= longest || n > len || (n > 1 && host[n] && host[n] != '/') ||
            word != text_word(e->id, host, n))
            continue;
        best = m;
        longest = n;
    }
    return best;
}

// Of a file that is mapped the host tells the layer's path alone. What lies in an upper layer is
// the overlay's, for nobody else is to use that; what lies in a lower one is where the task's root
// is in the overlay.
int overlay_of_host_path(struct task *t, const char *host)
{
    for (int m = mount_next(t, 0); m < MOUNTS_MAX; m = mount_next(t, m + 1)) {
        int layer;
        const char *rest = is_overlay(t, m) ? below_mount(t, m, host, &layer) : NULL;
        bool upper = rest && mount_at(t, m)->has_upper && layer == mount_at(t, m)->top;
        if (upper || (rest && t->fs->root_mount == m))
            return m;
    }
    return -1;
}

// (mount, rel) of a host path; the mount with the longest root wins.
static long loc_of_host_path(struct task *t, const char *host, int prefer, struct loc *loc)
{
    int base = 0, at;
    int first = prefer >= 0 ? prefer : mount_remembered(t, host);
    const char *best = first >= 0 ? below_mount(t, first, host, &base) : NULL;
    loc->mount = first;
    loc->over = OVER_NOT;
    prefer = first;
    for (int m = mount_next(t, 0); !best || (prefer < 0 && m < MOUNTS_MAX);
         m = mount_next(t, m + 1)) {
        if (m == MOUNTS_MAX)
            return -ENOENT;
        // The layers of an overlay lie in other mounts, and are theirs where nothing else is known;
        // so does what is mounted by its name.
        if (is_overlay(t, m) || *mount_at(t, m)->node)
            continue;
        const char *rest = below_mount(t, m, host, &at);
        if (rest && (!best || rest > best)) {
            best = rest;
            loc->mount = m;
            base = at;
            if (prefer >= 0)
                prefer = -1, m = -1, best = NULL;
        }
    }
    loc->base = mount_root_fd(t, base);
    loc->walked = loc->pinned = loc->object = loc->held = false;
    loc->kept = 0;
    loc->last = 0;
    loc->must_be_dir = false;
    str_copy(loc->rel, best, sizeof loc->rel);
    return 0;
}

// Memory files lie nowhere, whatever their text looks like.
static bool is_memfd(const char *host, size_t n)
{
    static const char end[] = " (deleted)";
    return str_starts(host, "/memfd:") && n >= sizeof end &&
           !strcmp(host + n - (sizeof end - 1), end);
}

// Another thread that makes a descriptor is waited for so often: it may have been killed (which
// CLONE_FILES without CLONE_VM allows).
#define MAKING_TRIES 100

// Without the mount an overlay's directory would be taken for one of the layer that it lies in. So
// both are of the same object, whatever other threads do with the number: who puts something in its
// place, or closes one of an overlay, waits for the end of each temps_begin() (syscalls/fd.c).
bool fd_mount_comes(struct task *t, int fd, int tries, int *mount)
{
    u32 making = __atomic_load_n(&t->files->making, __ATOMIC_SEQ_CST); // before: it is noted first
    *mount = fd_mount(t, fd);
    if (*mount >= 0 || !making || tries == MAKING_TRIES)
        return false;
    HOST0(__NR_sched_yield);
    return true;
}

static long link_and_mount(struct task *t, int fd, char *out, size_t n, int *mount)
{
    if (fd == AT_FDCWD) {
        bool shared = t->fs->refs > 1;
        if (shared)
            lock_take(&t->fs->lock);
        long r = host_link_of_fd(t, fd, out, n);
        *mount = t->fs->cwd_mount;
        if (shared)
            lock_drop(&t->fs->lock);
        return r;
    }
    for (int tries = 0;; tries++) {
        temps_begin(t);
        long r = host_link_of_fd(t, fd, out, n);
        bool again = r >= 0 && fd_mount_comes(t, fd, tries, mount);
        temps_end(t);
        if (!again)
            return r;
    }
}

long loc_of_fd(struct task *t, int fd, struct loc *loc)
{
    char host[LX_PATH_MAX];
    int prefer;
    long r = link_and_mount(t, fd, host, sizeof host, &prefer);
    if (r < 0)
        return r;
    if (host[0] != '/' || is_memfd(host, (size_t)r) || mqueue_shown(t, host))
        return -ENOTDIR; // a pipe, a socket, a memory file, a message queue
    r = loc_of_host_path(t, host, prefer, loc);
    if (r >= 0 && fd != AT_FDCWD)
        fd_learn_mount(t, fd, prefer, loc->mount);
    else if (r >= 0)
        __atomic_compare_exchange_n(&t->fs->cwd_mount, &prefer, loc->mount, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
    return r;
}

static __attribute__((noinline)) int mount_by_path(struct task *t, int fd)
{
    struct loc loc;
    return loc_of_fd(t, fd, &loc) >= 0 ? loc.mount : -1;
}

int mount_of_fd(struct task *t, int fd)
{
    int m = fd_mount(t, fd);
    return m >= 0 || fd_is_anonymous(t, fd) ? m : mount_by_path(t, fd);
}

// ---- The root that chroot has set ----
//
// It is known by its path: so all that finds a place by text serves there, too. But it is a
// directory, whatever becomes of its name. It is held open in the reserved block, and its path is
// asked for again after a process of the instance has renamed a directory, and each second, for the
// host may. Where something else was mounted over what is above it, the slow walk goes by the mount
// that it lies in (fs/path.c). Who shares descriptors with others but not the root may find another
// one held, and in a drive whose names are mapped it is not: there it is its path. Of an overlay it
// is held if the upper layer has it; what that does not have cannot be renamed.

static void root_keep(struct task *t, int mount, const char *rel)
{
    long fd = -ENOENT;
    if ((mount || *rel) && (mount_is_plain(t, mount) || is_overlay(t, mount)))
        fd = temp_open(t, mount_root_fd(t, mount), *rel ? rel : ".", O_PATH | O_DIRECTORY,
                       WALK_RESOLVE);
    if (fd < 0 || HOST3(__NR_dup3, fd, reserved_fd(t, RESERVED_ROOT), 0) < 0)
        reserved_fill(t, RESERVED_ROOT);
    if (fd >= 0)
        temp_close(t, (int)fd);
}

void root_set(struct task *t, int mount, const char *rel)
{
    struct fsctx *fs = t->fs;
    struct statx st = {0};
    host_statx(mount_root_fd(t, mount), rel, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_INO, &st);
    root_keep(t, mount, rel);
    lock_take(&fs->lock);
    fs->root_mount = mount;
    fs->root_dev = device_of(&st);
    fs->root_ino = st.stx_ino;
    fs->root_asked = 0;
    fs_set_root(fs, rel);
    lock_drop(&fs->lock);
}

// Goes there if the working directory is the root of mount `old`.
static void follow_to(struct task *t, int old, int new)
{
    struct loc cwd;
    if (loc_of_fd(t, AT_FDCWD, &cwd) < 0 || cwd.mount != old || cwd.rel[0] ||
        HOST1(__NR_fchdir, mount_root_fd(t, new)) < 0)
        return;
    t->fs->cwd_mount = new;
    dirs_new_cwd(t);
}

static __attribute__((noinline)) void follow_pivots(struct task *t, const struct pivots *p,
                                                    u32 count)
{
    struct fsctx *fs = t->fs;
    u32 i = fs->pivots;
    if (count - i > PIVOTS_KEPT)
        i = count - PIVOTS_KEPT;
    fs->pivots = count;
    for (; i != count; i++) {
        const struct pivot *one = &p->last[i % PIVOTS_KEPT];
        int old = fs->root_mount;
        if (mount_at(t, old)->id != one->from || fs->root[0] ||
            mount_at(t, one->mount)->id != one->to)
            continue;
        follow_to(t, old, one->mount);
        root_set(t, one->mount, "");
    }
}

long root_pivot(struct task *t, int old, int new)
{
    struct pivots *p = &t->instance->pivots[t->fs->mnt_ns];
    int fd = mount_root_fd(t, new);
    if (fd < 0)
        return fd;
    mount_writer_begin(t);
    u32 count = p->count;
    p->last[count % PIVOTS_KEPT] = (struct pivot){mount_at(t, old)->id, mount_at(t, new)->id, new};
    __atomic_store_n(&p->count, count + 1, __ATOMIC_RELEASE);
    __atomic_fetch_or(&t->instance->root_covered, 1u << t->fs->mnt_ns, __ATOMIC_RELEASE);
    mount_writer_end(t);
    root_look(t);
    return 0;
}

// In a frame of its own.
static __attribute__((noinline)) void ask_root(struct task *t)
{
    char host[LX_PATH_MAX];
    struct fsctx *fs = t->fs;
    struct statx st;
    struct loc loc;
    int fd = reserved_fd(t, RESERVED_ROOT);
    if (host_statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_NLINK, &st) < 0 || !st.stx_nlink ||
        st.stx_ino != fs->root_ino || device_of(&st) != fs->root_dev ||
        host_link_of_fd(t, fd, host, sizeof host) < 0 ||
        loc_of_host_path(t, host, fs->root_mount, &loc) < 0 ||
        (is_overlay(t, fs->root_mount) && loc.mount != fs->root_mount) || // being removed
        (loc.mount == fs->root_mount && !strcmp(loc.rel, fs->root)))
        return;
    lock_take(&fs->lock);
    fs->root_mount = loc.mount;
    fs_set_root(fs, loc.rel);
    lock_drop(&fs->lock);
}

void root_look_again(struct task *t)
{
    struct fsctx *fs = t->fs;
    const struct pivots *pivots = &t->instance->pivots[fs->mnt_ns];
    u32 count = __atomic_load_n(&pivots->count, __ATOMIC_ACQUIRE);
    if (fs->pivots != count)
        follow_pivots(t, pivots, count);
    if (!fs->root[0] && !fs->root_mount)
        return;
    u32 moves = __atomic_load_n(&t->instance->dir_moves, __ATOMIC_ACQUIRE);
    u64 now = dirs_now();
    if (fs->root_moves == moves && now - fs->root_asked < DIRS_KEPT_FOR)
        return;
    ask_root(t);
    fs->root_moves = moves;
    fs->root_asked = now;
}

// Strips the task's own root (chroot) off an instance path.
static long strip_root(struct task *t, const char *path, char *out, size_t size)
{
    char root[LX_PATH_MAX];
    root_look(t);
    long n = instance_path(t, t->fs->root_mount, t->fs->root, root, sizeof root);
    if (n < 0)
        return n;
    if (n == 1)
        n = 0;
    if (strncmp(path, root, (size_t)n) || (path[n] && path[n] != '/')) {
        if (fmt(out, size, "(unreachable)%s", path) >= (int)size)
            return -ENAMETOOLONG;
        return (long)strlen(out);
    }
    size_t len = str_copy(out, path[n] ? path + n : "/", size);
    return len >= size ? -ENAMETOOLONG : (long)len;
}

long instance_path_of_loc(struct task *t, const struct loc *loc, char *out, size_t n)
{
    struct loc at;
    if (!base_is_root(t, loc->base)) {
        // Relative to a guest directory: ask where that is.
        long r = loc_of_fd(t, loc->base, &at);
        if (r >= 0)
            r = path_join(at.rel, sizeof at.rel, at.rel, loc->rel);
        if (r < 0)
            return r;
        loc = &at;
    }
    return instance_path(t, loc->mount, loc->rel, out, n);
}

long path_of_loc(struct task *t, const struct loc *loc, char *out, size_t n)
{
    char path[LX_PATH_MAX];
    long r = instance_path_of_loc(t, loc, path, sizeof path);
    return r < 0 ? r : strip_root(t, path, out, n);
}

long path_found_to_guest(struct task *t, const char *host, int *mount, char *out, size_t n)
{
    struct loc loc;
    char path[LX_PATH_MAX];
    long r = loc_of_host_path(t, host, *mount, &loc);
    if (r >= 0)
        *mount = loc.mount;
    if (r >= 0 && !mount_is_live(t, loc.mount)) { // MNT_DETACH, or of another namespace
        r = fmt(out, n, "(unreachable)/%s", loc.rel);
        return r < (long)n ? r : -ENAMETOOLONG;
    }
    if (r >= 0)
        r = instance_path(t, loc.mount, loc.rel, path, sizeof path);
    return r < 0 ? r : strip_root(t, path, out, n);
}

long path_of_fd(struct task *t, int fd, char *out, size_t n)
{
    char host[LX_PATH_MAX];
    int mount;
    long r = link_and_mount(t, fd, host, sizeof host, &mount);
    if (r < 0)
        return r;
    if (host[0] != '/' || str_starts(host, "/memfd:")) {
        size_t len = str_copy(out, host, n);
        return len >= n ? -ENAMETOOLONG : (long)len;
    }
    return path_found_to_guest(t, host, &mount, out, n);
}
