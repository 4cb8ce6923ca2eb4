// SPDX-License-Identifier: MIT
// The calls of extended attributes: what a path or descriptor leads to, and which operation is
// asked for (syscalls/xattrop.c). How a guest's name is stored: fs/xattr.c. Rules: xattr(7).
#include <linux/mount.h>
#include <linux/xattr.h>

#include "meta.h"
#include "pathop.h"
#include "syscall_rows.h"
#include "xattrop.h"

#define VALUE_MAX 65536
#define AT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)

static long copy_name(struct xattr_names *n, uptr name)
{
    long r = copy_str_from_guest(n->guest, name, sizeof n->guest);
    if (r == 0 || r == -ENAMETOOLONG)
        return -ERANGE;
    return r < 0 ? r : 0;
}

enum what { GET, SET, LIST, REMOVE };
struct request {
    enum what what;
    uptr name, value;
    size_t size;
    int flags;
};

static long perform(struct task *t, const struct subject *s, const struct request *q,
                    struct xattr_names *n)
{
    // The file system has none (SB_POSIXACL).
    if (q->what != LIST && xattr_is_acl(n->guest) && subject_in_proc(t, s))
        return subject_error(
            t, s, q->what != GET && (mount_flags(t, s->mount) & MS_RDONLY) ? -EROFS : -EOPNOTSUPP);
    switch (q->what) {
    case GET:
        return xattr_get(t, s, n, q->value, q->size);
    case SET:
        return xattr_set(t, s, n, q->value, q->size, q->flags);
    case LIST:
        return xattr_list(t, s, q->value, q->size);
    default:
        return xattr_remove(t, s, n);
    }
}

// What the kernel checks before it looks for the file.
static long check(const struct request *q, struct xattr_names *n)
{
    if (q->what == SET && (q->flags & ~(XATTR_CREATE | XATTR_REPLACE)))
        return -EINVAL;
    long r = q->what == LIST ? 0 : copy_name(n, q->name);
    if (r >= 0 && q->what == SET && q->size > VALUE_MAX)
        return -E2BIG;
    return r;
}

// In an overlay, where the descriptor is not of the file to be changed; NOT_OVER: it is. In a frame
// of its own.
#define NOT_OVER 1
static __attribute__((noinline)) long on_upper(struct task *t, int fd, const struct request *q,
                                               struct xattr_names *n)
{
    struct loc loc;
    struct parent upper;
    bool asked;
    long r = overlay_fd_up(t, fd, &loc, &upper);
    if (r <= 0)
        return r < 0 ? r : NOT_OVER;
    struct subject s = {-1, loc.mount, &upper, &asked, &loc, NULL};
    r = perform(t, &s, q, n);
    parent_done(t, &upper);
    return r;
}

static __attribute__((noinline)) long parse_acl(const struct request *q)
{
    char acl[ACL_SIZE] __attribute__((aligned(8)));
    if (!q->size || q->size > sizeof acl)
        return 0;
    return copy_from_guest(acl, q->value, q->size) ? -EFAULT : acl_parse(acl, q->size);
}

// Linux: fs/xattr.c, may_write_xattr(); of an ACL, posix_acl_from_xattr() comes first.
static long may_change_proc(struct task *t, const struct subject *s, const struct request *q,
                            const struct xattr_names *n)
{
    struct statx st;
    long r = subject_stat(t, s, &st);
    if (r < 0 || (mount_flags(t, s->mount) & MS_RDONLY))
        return r;
    if (q->what == SET && xattr_is_acl(n->guest))
        r = parse_acl(q);
    return r < 0 ? r : META_MORE(&st) & MORE_IMMUTABLE ? -EPERM : 0;
}

// A descriptor of what is in /proc, though it may be a memory file of procfs's.
static __attribute__((noinline)) long on_proc_fd(struct task *t, struct subject *s,
                                                 const struct request *q, struct xattr_names *n)
{
    struct loc loc;
    if (fd_is_path(t, s->fd))
        return -EBADF;
    if (loc_of_fd(t, s->fd, &loc) >= 0 && mount_at(t, loc.mount)->type == FS_PROC)
        s->proc = loc.rel;
    long r = q->what == SET || q->what == REMOVE ? may_change_proc(t, s, q, n) : 0;
    if (r >= 0)
        r = perform(t, s, q, n);
    s->proc = NULL; // loc ends here
    return r;
}

// Linux copies a value before it looks for the file: that it cannot be read is said before error r.
static long value_first(const struct request *q, long r)
{
    u8 byte;
    size_t last = q->size ? q->size - 1 : 0;
    if (r >= 0 || q->what != SET || !q->size)
        return r;
    for (size_t at = 0; at < last; at += LX_PAGE)
        if (copy_from_guest(&byte, q->value + at, 1))
            return -EFAULT;
    return copy_from_guest(&byte, q->value + last, 1) ? -EFAULT : r;
}

static long on_checked_fd(struct task *t, int fd, const struct request *q, struct xattr_names *n)
{
    long r;
    bool asked = false;
    struct subject s = {fd, fd_mount(t, fd), NULL, &asked, NULL, NULL};
    bool reads = q->what == GET || q->what == LIST; // nothing is done before the host can say EBADF
    if (fd < 0 || (!reads && fd_is_path(t, fd)))
        return -EBADF;
    if (!reads && is_overlay(t, s.mount) && (r = on_upper(t, fd, q, n)) != NOT_OVER)
        return r;
    if (q->what != LIST && subject_in_proc(t, &s))
        return on_proc_fd(t, &s, q, n);
    r = perform(t, &s, q, n);
    return reads && !asked && fd_is_path(t, fd) ? -EBADF : r;
}

static long on_fd(struct task *t, int fd, const struct request *q)
{
    struct xattr_names n;
    long r = check(q, &n);
    return r < 0 ? r : value_first(q, on_checked_fd(t, fd, q, &n));
}

// To the guest: a device node is none.
static bool is_link_now(struct task *t, const struct pathop *op)
{
    struct statx st;
    return (op->walk & WALK_FOLLOW) && *op->p.name && !op->loc.object &&
           meta_stat(t, op->loc.mount, &op->p, STATX_BASIC_STATS, &st) >= 0 &&
           (st.stx_mode & S_IFMT) == S_IFLNK;
}

// Can r be what the host says of a link that has come to the place of a file since the walk? It may
// have gone again. The instance's moves of links are counted (links: before the walk), or each
// ENODATA would be a look.
static bool was_link(struct task *t, const struct pathop *op, const struct request *q, long r,
                     u32 links)
{
    bool may = r == -EPERM || r == -ENODATA || r == -EOPNOTSUPP || (!r && q->what == LIST);
    if (!may || !(op->walk & WALK_FOLLOW) || !*op->p.name)
        return false;
    const u32 *moves = &t->instance->dir_generation, *mover = &t->instance->dir_changer;
    // One that is being moved is there until that is counted; its mover may have been killed. The
    // mover is looked at first: its move may be counted between the two looks.
    bool moving = __atomic_load_n(mover, __ATOMIC_ACQUIRE);
    return links != __atomic_load_n(moves, __ATOMIC_ACQUIRE) ||
           ((r == -EPERM || moving) &&
            (is_link_now(t, op) || links != __atomic_load_n(moves, __ATOMIC_ACQUIRE)));
}

// What the path leads to, found by walk. -ELOOP with WALK_LATE: there is a link to be followed.
// *link: that may be so of the result, though it should have been followed.
static long on_place(struct task *t, int dirfd, uptr path, int walk, const struct request *q,
                     struct xattr_names *n, bool *link)
{
    struct pathop op;
    struct statx st;
    u32 links = __atomic_load_n(&t->instance->dir_generation, __ATOMIC_ACQUIRE);
    long r = pathop_begin(t, &op, dirfd, path, walk);
    if (r < 0)
        return r;
    bool asked, changes = q->what == SET || q->what == REMOVE;
    // More than one call of the host, or what a link can have as well.
    bool sure = changes && !str_starts(n->guest, XATTR_USER_PREFIX);
    if (changes)
        r = pathop_hold(t, &op, sure);
    *link = r >= 0 && sure && is_link_now(t, &op);
    if (*link)
        r = -EPERM;
    struct subject s = {-1, MAX(op.loc.mount, 0), &op.p, &asked, op.p.over ? &op.loc : NULL, NULL};
    if (subject_in_proc(t, &s))
        s.proc = op.loc.rel;
    if (r >= 0 && op.loc.must_be_dir) {
        r = subject_stat(t, &s, &st);
        if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFDIR)
            r = pathop_missed_link(&op, &st) ? -ELOOP : -ENOTDIR;
    }
    if (r >= 0 && changes && s.proc)
        r = may_change_proc(t, &s, q, n);
    if (r >= 0)
        r = perform(t, &s, q, n);
    if (r == -EOPNOTSUPP && (walk & WALK_LATE) && subject_stat(t, &s, &st) >= 0 &&
        pathop_missed_link(&op, &st))
        r = -ELOOP;
    else
        *link |= was_link(t, &op, q, r, links);
    pathop_end(t, &op);
    return r;
}

static long on_path(struct task *t, int dirfd, uptr path, int at_flags, const struct request *q)
{
    struct xattr_names n;
    char first;
    if (at_flags & ~AT_FLAGS)
        return -EINVAL;
    // An empty path, or none: the descriptor itself.
    if ((at_flags & AT_EMPTY_PATH) && dirfd >= 0 &&
        (!path || (!copy_from_guest(&first, path, 1) && !first)))
        return on_fd(t, dirfd, q);
    bool link = false;
    long r = check(q, &n);
    if (r < 0)
        return r;
    int walk = pathop_walk_of(at_flags);
    // Who asks for an ACL looks at the file anyway, and a link has none (ls -l asks each file).
    if (q->what == GET && xattr_is_acl(n.guest))
        walk |= WALK_LATE;
    int tries = 0;
    do
        r = on_place(t, dirfd, path, walk, q, &n, &link);
    while (pathop_again(r, &walk) || ((link || r == -ESTALE) && tries++ < SWAPS));
    return value_first(q, r);
}

long sys_setxattr(struct task *t, uptr path, uptr name, uptr value, size_t size, int flags)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){SET, name, value, size, flags});
}

long sys_lsetxattr(struct task *t, uptr path, uptr name, uptr value, size_t size, int flags)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){SET, name, value, size, flags});
}

long sys_fsetxattr(struct task *t, int fd, uptr name, uptr value, size_t size, int flags)
{
    return on_fd(t, fd, &(struct request){SET, name, value, size, flags});
}

long sys_getxattr(struct task *t, uptr path, uptr name, uptr value, size_t size)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){GET, name, value, size, 0});
}

long sys_lgetxattr(struct task *t, uptr path, uptr name, uptr value, size_t size)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){GET, name, value, size, 0});
}

long sys_fgetxattr(struct task *t, int fd, uptr name, uptr value, size_t size)
{
    return on_fd(t, fd, &(struct request){GET, name, value, size, 0});
}

long sys_listxattr(struct task *t, uptr path, uptr list, size_t size)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){LIST, 0, list, size, 0});
}

long sys_llistxattr(struct task *t, uptr path, uptr list, size_t size)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){LIST, 0, list, size, 0});
}

long sys_flistxattr(struct task *t, int fd, uptr list, size_t size)
{
    return on_fd(t, fd, &(struct request){LIST, 0, list, size, 0});
}

long sys_removexattr(struct task *t, uptr path, uptr name)
{
    return on_path(t, AT_FDCWD, path, 0, &(struct request){REMOVE, name, 0, 0, 0});
}

long sys_lremovexattr(struct task *t, uptr path, uptr name)
{
    return on_path(t, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                   &(struct request){REMOVE, name, 0, 0, 0});
}

long sys_fremovexattr(struct task *t, int fd, uptr name)
{
    return on_fd(t, fd, &(struct request){REMOVE, name, 0, 0, 0});
}

// ---- The family of Linux 6.13 ----

// struct xattr_args.
struct at_args {
    u64 value;
    u32 size;
    u32 flags;
};

// As copy_struct_from_user(): a longer one is understood when the rest is zero.
static long copy_args(struct at_args *a, uptr args, size_t size)
{
    u8 rest[64];
    if (size < sizeof *a)
        return -EINVAL;
    if (size > LX_PAGE)
        return -E2BIG;
    for (size_t at = sizeof *a; at < size; at += sizeof rest) {
        size_t n = MIN(size - at, sizeof rest);
        if (copy_from_guest(rest, args + at, n))
            return -EFAULT;
        for (size_t i = 0; i < n; i++)
            if (rest[i])
                return -E2BIG;
    }
    return copy_from_guest(a, args, sizeof *a);
}

long sys_setxattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr name,
                    uptr args, size_t size)
{
    struct at_args a;
    long r = copy_args(&a, args, size);
    if (r < 0)
        return r;
    struct request q = {SET, name, a.value, a.size, (int)a.flags};
    return on_path(t, dirfd, path, (int)at_flags, &q);
}

long sys_getxattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr name,
                    uptr args, size_t size)
{
    struct at_args a;
    long r = copy_args(&a, args, size);
    if (r < 0)
        return r;
    if (a.flags)
        return -EINVAL;
    struct request q = {GET, name, a.value, a.size, 0};
    return on_path(t, dirfd, path, (int)at_flags, &q);
}

long sys_listxattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr list,
                     size_t size)
{
    return on_path(t, dirfd, path, (int)at_flags, &(struct request){LIST, 0, list, size, 0});
}

long sys_removexattrat(struct task *t, int dirfd, uptr path, unsigned int at_flags, uptr name)
{
    return on_path(t, dirfd, path, (int)at_flags, &(struct request){REMOVE, name, 0, 0, 0});
}
