// SPDX-License-Identifier: MIT
// libFuzzer target of the path walk. The input makes a small tree of directories, files and
// symlinks, and then a path in it. The walk's answer must be what the kernel's own lookup with
// RESOLVE_IN_ROOT finds: the same inode, or the same error; so nothing outside the root is ever
// reached.
#include <asm/unistd_64.h>
#include <linux/errno.h>

#include "fs.h"
#include "host.h"
#include "mqueue.h"
#include "procfs.h"
#include "reach.h"
#include "vdso.h"

// lxcore's headers take the kernel's definitions, which libc's headers would clash with.
extern _Noreturn void abort(void);
extern int dprintf(int fd, const char *format, ...);
extern int snprintf(char *out, unsigned long n, const char *format, ...);
extern char *mkdtemp(char *template);
extern void *calloc(unsigned long n, unsigned long size);
extern long syscall(long nr, ...);
extern int *__errno_location(void);

#define BLOCK 800 // first reserved number
#define NODES 12

u32 host_lacks;
static struct task task;
static struct files files;
static struct fsctx fs;
static struct proc proc;
static struct instance *instance;
static int root_fd, round_nr;

long host_call(long nr, long a, long b, long c, long d, long e, long f)
{
    long r = syscall(nr, a, b, c, d, e, f);
    return r == -1 ? -*__errno_location() : r;
}

long host_call_intr(long nr, long a, long b, long c, long d, long e, long f)
{
    return host_call(nr, a, b, c, d, e, f);
}

// One thread, guest root, no /proc: these are never asked anything.
void lock_take(struct lock *l)
{
    (void)l;
}
void lock_drop(struct lock *l)
{
    (void)l;
}
long may_access(const struct cred *c, const struct statx *st, int want)
{
    (void)c, (void)st, (void)want;
    abort();
}
long meta_fstat(struct task *t, int fd, u32 mask, struct statx *st)
{
    (void)t, (void)fd, (void)mask, (void)st;
    abort();
}
struct proc_slot *proc_find(struct instance *in, u32 tgid)
{
    (void)in, (void)tgid;
    abort();
}
enum rest reach_rest(struct task *t, u32 tid)
{
    (void)t, (void)tid;
    abort(); // nobody else has anything
}
struct proc_slot *proc_own(struct task *t)
{
    (void)t;
    return NULL; // its block may grow
}
long meta_stat(struct task *t, int mount, const struct parent *p, u32 mask, struct statx *st)
{
    (void)t, (void)mount, (void)p, (void)mask, (void)st;
    abort();
}
// No mount of this target is a drive that does not tell names apart by case, or an overlay.
long nocase_find(struct task *t, struct loc *loc)
{
    (void)t, (void)loc;
    abort();
}
long overlay_place(struct task *t, struct loc *loc)
{
    (void)t, (void)loc;
    abort();
}
bool overlay_is_own(struct task *t, const struct loc *loc)
{
    (void)t, (void)loc;
    abort();
}
bool overlay_is_dir(struct task *t, struct loc *loc)
{
    (void)t, (void)loc;
    abort();
}

long overlay_hold(struct task *t, int fd, int m, struct loc *loc)
{
    (void)t, (void)fd, (void)m, (void)loc;
    abort();
}

// There is one mount namespace.
void namespaces_collect(struct task *t)
{
    (void)t;
}

bool meta_by_name(u32 host_mode)
{
    return !S_ISREG(host_mode) && !S_ISDIR(host_mode);
}

long limited_open(struct task *t, const struct mount_entry *e)
{
    (void)t, (void)e;
    abort();
}
long meta_stat_dir(struct task *t, int mount, const struct parent *p, struct statx *st)
{
    (void)t, (void)mount, (void)p, (void)st;
    abort();
}
long procfs_lookup(struct task *t, const char *rel)
{
    (void)t, (void)rel;
    abort();
}
long procfs_open_object(struct task *t, int dirfd, const char *name, const char *rel)
{
    (void)t, (void)dirfd, (void)name, (void)rel;
    abort();
}
long host_reopen(int base, u64 flags, u64 mode, bool dir)
{
    (void)base, (void)flags, (void)mode, (void)dir;
    abort();
}
bool procfs_shows(struct task *t, const char *rel, int fd)
{
    (void)t, (void)rel, (void)fd;
    abort();
}
long procfs_is_seen(struct task *t, const char *rel, char room[LX_PATH_MAX])
{
    (void)t, (void)rel, (void)room;
    abort();
}
size_t procfs_host_name(struct task *t, const char *dir, size_t len, const char *name, size_t n,
                        char *out)
{
    (void)t, (void)dir, (void)len, (void)name, (void)n, (void)out;
    abort();
}
long procfs_own_fd(struct task *t, const char *rel)
{
    (void)t, (void)rel;
    abort();
}
size_t procfs_guest_path(struct task *t, char *rel)
{
    (void)t, (void)rel;
    abort();
}
long procfs_may_search(struct task *t, const char *rel, struct statx *st)
{
    (void)t, (void)rel, (void)st;
    abort();
}
const char *mqueue_shown(struct task *t, const char *link)
{
    (void)t, (void)link;
    return NULL; // no descriptor is of one
}
long procfs_readlink(struct task *t, const char *rel, char *out, size_t n)
{
    (void)t, (void)rel, (void)out, (void)n;
    abort();
}

long vdso_call(enum vdso_function f, long a, long b, long c)
{
    (void)f, (void)a, (void)b, (void)c;
    return -ENOSYS;
}

static void setup(void)
{
    char name[] = "build/fuzz/tree.XXXXXX";
    if (!mkdtemp(name))
        abort();
    root_fd = (int)host_openat(AT_FDCWD, name, O_RDONLY | O_DIRECTORY, 0);
    long proc_fd = host_openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0);
    for (int i = 0; i < RESERVED_COUNT; i++)
        HOST3(__NR_dup3, i == RESERVED_PROC ? proc_fd : root_fd, BLOCK + i, 0);
    static struct instance memory;
    instance = &memory;
    struct mount_entry *e = &instance->mounts[0];
    e->state = MOUNT_LIVE;
    e->type = FS_VOLFS;
    e->id = 1;
    e->parent = -1;
    e->base = BASE_INHERITED;
    str_copy(e->point, "/", sizeof e->point);
    files.refs = fs.refs = 1;
    files.reserved = BLOCK;
    files.reserved_count = RESERVED_COUNT;
    task.files = &files;
    fs.root = "";
    task.fs = &fs;
    task.proc = &proc;
    task.instance = instance;
    task.cred.cap_permitted = task.cred.cap_effective = CAP_FULL_SET; // root
}

// A path of the input: each byte is a piece, so that most paths mean something.
static size_t take_path(const u8 **data, size_t *size, char *out, size_t n)
{
    static const char *const pieces[16] = {"a", "b",  "c",  "d", "/",  "/",   "/",    "//",
                                           ".", "..", "ab", "f", "/a", "/..", "/./b", "../"};
    size_t len = 0;
    out[0] = 0;
    while (*size) {
        u8 byte = *(*data)++;
        --*size;
        if (byte == 0xff)
            break;
        const char *piece = pieces[byte & 15];
        if (len + strlen(piece) + 1 > n)
            break;
        len += str_copy(out + len, piece, n - len);
    }
    return len;
}

// The directory that path's last name lies in, found without leaving top, and that name; -1 when
// there is none. Nothing is ever made by a path of the input itself.
static long make_in(int top, char *path, const char **name)
{
    size_t n = strlen(path);
    while (n && path[n - 1] == '/')
        path[--n] = 0;
    char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!**name || !strcmp(*name, ".") || !strcmp(*name, ".."))
        return -1;
    if (slash)
        *slash = 0;
    struct open_how how = {.flags = O_PATH | O_DIRECTORY, .resolve = RESOLVE_IN_ROOT};
    return host_openat2(top, slash && *path ? path : ".", &how);
}

// The tree lies in a directory of its own, one for each input.
static int make_tree(const u8 **data, size_t *size)
{
    char dir[32], path[128], target[128];
    snprintf(dir, sizeof dir, "t%d", round_nr++);
    HOST3(__NR_mkdirat, root_fd, dir, 0700);
    int top = (int)host_openat(root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
    for (int i = 0; i<NODES && * size> 2; i++) {
        const char *name;
        u8 kind = *(*data)++;
        --*size;
        take_path(data, size, path, sizeof path);
        long in = make_in(top, path, &name);
        if (in < 0)
            continue;
        if (kind % 3 == 0)
            HOST3(__NR_mkdirat, in, name, 0700);
        else if (kind % 3 == 1)
            HOST4(__NR_mknodat, in, name, S_IFREG | 0600, 0);
        else if (take_path(data, size, target, sizeof target))
            HOST3(__NR_symlinkat, target, in, name);
        host_close((int)in);
    }
    return top;
}

static void remove_tree(int dir)
{
    char buf[4096];
    for (;;) {
        long n = HOST3(__NR_getdents64, dir, buf, sizeof buf), left = 0;
        if (n <= 0)
            return;
        for (long at = 0; at < n; at += *(u16 *)(buf + at + 16)) {
            const char *name = buf + at + 19;
            if (!strcmp(name, ".") || !strcmp(name, ".."))
                continue;
            if (HOST3(__NR_unlinkat, dir, name, 0) == -EISDIR) {
                int sub = (int)host_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
                remove_tree(sub);
                host_close(sub);
                HOST3(__NR_unlinkat, dir, name, AT_REMOVEDIR);
            }
            left++;
        }
        if (!left)
            return;
        HOST3(__NR_lseek, dir, 0, 0);
    }
}

static long identity(long fd, u64 *ino)
{
    struct statx st;
    if (fd < 0)
        return fd;
    long r = host_statx((int)fd, "", AT_EMPTY_PATH, STATX_INO, &st);
    *ino = st.stx_ino;
    host_close((int)fd);
    return r;
}

// What fs_open does with O_PATH.
static long walked(const char *path, int flags, u64 *ino)
{
    static struct loc loc;
    int walk = flags & O_NOFOLLOW ? 0 : WALK_FOLLOW;
    for (int tries = 0;;) {
        long r = path_walk(&task, AT_FDCWD, path, walk, &loc);
        if (r < 0)
            return r;
        struct open_how how = {.flags = (u64)(O_PATH | flags), .resolve = WALK_RESOLVE};
        if (loc.must_be_dir) {
            how.flags |= O_DIRECTORY;
            how.flags &= ~(u64)O_NOFOLLOW;
        }
        r = identity(host_openat2(loc.base, loc.rel[0] ? loc.rel : ".", &how), ino);
        bool again = walk_again(&task, &loc, r, &walk, &tries);
        loc_done(&task, &loc);
        if (!again)
            return r;
    }
}

// The same by the parent directory, as most calls have it. Only where the walk got somewhere.
static long walked_to_parent(const char *path, int flags, u64 *ino)
{
    static struct loc loc;
    static struct parent p;
    long r = path_parent(&task, AT_FDCWD, path, flags & O_NOFOLLOW ? 0 : WALK_FOLLOW, &loc, &p);
    if (r < 0)
        return r;
    struct open_how how = {.flags =
                               (u64)(O_PATH | O_NOFOLLOW | (loc.must_be_dir ? O_DIRECTORY : 0))};
    r = identity(host_openat2(p.fd, *p.name ? p.name : ".", &how), ino);
    parent_done(&task, &p);
    return r;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    char path[512];
    if (!instance)
        setup();
    int top = make_tree(&data, &size);
    // The guest's root is this tree, its working directory too.
    HOST3(__NR_dup3, top, BLOCK + RESERVED_MOUNT, 0);
    HOST1(__NR_fchdir, top);
    files.mount_id[0] = 1;
    fs.cwd_mount = 0;
    instance->keeps_dirs = 1;
    instance->dir_generation++;
    fs.cwd_number++;
    while (size) {
        if (!take_path(&data, &size, path, sizeof path))
            continue;
        for (int nofollow = 0; nofollow < 2; nofollow++) {
            u64 ours = 0, kernels = 0;
            int flags = nofollow ? O_NOFOLLOW : 0;
            struct open_how how = {.flags = (u64)(O_PATH | flags), .resolve = RESOLVE_IN_ROOT};
            long b;
            do // a rename anywhere on the machine makes ".." doubtful: EAGAIN, openat2(2)
                b = identity(host_openat2(top, path, &how), &kernels);
            while (b == -EAGAIN);
            long a = walked(path, flags, &ours);
            u64 by_parent = 0;
            long c = walked_to_parent(path, flags, &by_parent);
            if (c != b || by_parent != kernels) {
                dprintf(2, "%s (nofollow %d): parent %ld inode %lu, kernel %ld inode %lu\n", path,
                        nofollow, c, by_parent, b, kernels);
                abort();
            }
            if (a != b || ours != kernels) {
                dprintf(2, "%s (nofollow %d): walk %ld inode %lu, kernel %ld inode %lu\n", path,
                        nofollow, a, ours, b, kernels);
                abort();
            }
        }
    }
    remove_tree(top);
    host_close(top);
    snprintf(path, sizeof path, "t%d", round_nr - 1);
    HOST3(__NR_unlinkat, root_fd, path, AT_REMOVEDIR);
    return 0;
}
