// SPDX-License-Identifier: MIT
// DrvFs: host directories as drives, in the way of WSL (include/drive.h). A file without an
// attribute shows what the host's user may do with it, the same for user, group and others (a FIFO
// or socket on a drive with `metadata`: the host's mode). Without `metadata` no file has an
// attribute: chmod can only take the right to write, or give it back, and chown changes nothing.
#include <asm/statfs.h>

#include "host.h"
#include "meta.h"
#include "mounting.h"
#include "walk.h"

// What access_of() asks, of a host before Linux 5.8, which has no faccessat2(2). The process's real
// and effective ids there are one.
static __attribute__((noinline)) u32 access_by_path(const struct parent *p)
{
    char path[FD_PATH_SIZE];
    struct task *t = task_of_stack();
    u32 may = 0;
    long fd = *p->name ? temp_open(t, p->fd, p->name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH) : p->fd;
    if (fd < 0 && fd != AT_FDCWD)
        return 0;
    fmt(path, sizeof path, FD_PATH, (int)fd);
    for (u32 want = MAY_EXEC; want <= MAY_READ; want <<= 1)
        if (HOST3(__NR_faccessat, AT_FDCWD, fd == AT_FDCWD ? "." : path, want) >= 0)
            may |= want;
    if (*p->name)
        temp_close(t, (int)fd);
    return may;
}

// What the host's user may do with an inode that he does not own: only the host knows.
static u32 access_of(const struct parent *p)
{
    u32 may = 0;
    if (host_lacks & LACKS_FACCESSAT2)
        return access_by_path(p);
    for (u32 want = MAY_EXEC; want <= MAY_READ; want <<= 1)
        if (HOST4(__NR_faccessat2, p->fd, p->name, want,
                  AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) >= 0)
            may |= want;
    return may;
}

void drive_view(struct task *t, int mount, const struct parent *p, u32 owner, struct statx *st)
{
    const struct drive *d = &mount_at(t, mount)->drive;
    u32 type = st->stx_mode & S_IFMT;
    u32 mode = st->stx_mode, user = t->instance->host_uid;
    bool own = owner == user;
    st->stx_uid = d->uid;
    st->stx_gid = d->gid;
    if (type == S_IFLNK)
        return;
    u32 mask = d->umask | (type == S_IFDIR ? d->dmask : d->fmask);
    // With metadata, of those made by a guest most need no record then.
    if (d->metadata && (type == S_IFIFO || type == S_IFSOCK)) {
        st->stx_mode &= (u16)(S_IFMT | (0777 & ~mask));
        return;
    }
    u32 may = own ? mode >> 6 & 7 : user ? access_of(p) : 0;
    if (!user) // root reads and writes all there is
        may = MAY_READ | MAY_WRITE | ((mode & 0111) || type == S_IFDIR ? MAY_EXEC : 0);
    st->stx_mode = (u16)(type | (may * 0111 & ~mask));
}

long drive_chmod(const struct parent *p, u32 host_mode, u32 mode)
{
    u32 now = host_mode & 0777;
    u32 want = !(mode & 0222) ? now & ~0222u : now & 0222 ? now : now | 0200;
    if (want == now && !p->guests) // fchmod(2) says EBADF for one of O_PATH
        return 0;
    return host_chmod_at(p, want);
}

// ---- mount(2) ----

long drvfs_parse(const char *text, struct drive *d)
{
    for (size_t n; *text; text += n + (text[n] == ',')) {
        for (n = 0; text[n] && text[n] != ',';)
            n++;
        if (n && drive_option(d, text, n) != DRIVE_SET && !mount_option_is_common(text, n))
            return -EINVAL;
    }
    return 0;
}

// Names on what file system are to be mapped, where nothing is said?
static bool is_windows(int root)
{
    struct statfs fs;
    struct statx st;
    return HOST2(__NR_fstatfs, root, &fs) >= 0 &&
           host_statx(root, "", AT_EMPTY_PATH, STATX_TYPE, &st) >= 0 &&
           drive_is_windows((u64)fs.f_type, st.stx_dev_major);
}

long drvfs_set_options(struct task *t, struct mount_entry *e, int root, const char *options)
{
    struct drive d = {
        .on = 1, .uid = t->instance->user_uid, .gid = t->instance->user_gid, .names = NAMES_AUTO};
    long r = drvfs_parse(options, &d);
    if (r < 0)
        return r;
    if (d.names == NAMES_AUTO)
        d.names = is_windows(root) ? NAMES_WINDOWS : NAMES_EXACT;
    e->drive = d;
    e->type = d.metadata ? FS_DRVFS : FS_DRIVE;
    str_copy(e->options, options, sizeof e->options);
    __atomic_store_n(&t->instance->has_drives, 1, __ATOMIC_RELEASE);
    return 0;
}

// The part of host path `source` below what mount m shows of the host, or NULL.
static const char *shown_by(struct task *t, int m, const char *source)
{
    const struct mount_entry *e = mount_at(t, m);
    size_t n = strlen(e->source);
    if (!e->id || e->base != BASE_INHERITED || (e->type != FS_DRVFS && e->type != FS_DRIVE))
        return NULL;
    n -= n == 1; // "/"
    return strncmp(source, e->source, n) || (source[n] && source[n] != '/') ? NULL : source + n;
}

// Only what lxrun was told to show, or what lies in it, can be mounted.
long drvfs_make(struct task *t, struct mount_entry *e, const char *source, const char *options)
{
    char rel[LX_PATH_MAX];
    struct path_end end;
    const char *best = NULL, *rest;
    int from = -1;
    for (int m = 1; m < MOUNTS_MAX; m++) {
        rest = shown_by(t, m, source);
        if (rest && (!best || rest > best)) {
            best = rest;
            from = m;
        }
    }
    if (!best || path_normalise(t, best, rel, sizeof rel, &end) < 0 || end.dotdot)
        return -ENOENT;
    memcpy(e, mount_at(t, from), sizeof *e);
    e->base = from;
    str_copy(e->base_path, rel, sizeof e->base_path);
    // Whether it is there, and a directory.
    int root = mount_root_fd(t, from);
    long fd = root < 0 ? root
                       : temp_open(t, root, rel[0] ? rel : ".", O_PATH | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return fd;
    long r = drvfs_set_options(t, e, (int)fd, options);
    temp_close(t, (int)fd);
    return r;
}
