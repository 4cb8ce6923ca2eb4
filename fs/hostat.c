// SPDX-License-Identifier: MIT
// Calls that name a file by directory and name and never follow a link at the end: extended
// attributes (Linux 6.13) and modes (Linux 6.6). On older hosts, and where a container's filter
// does not know them, others take their place: attributes go by FD_PATH, and a mode by a descriptor
// of the file. Which of them there are is found out once (cli/instance.c, lacking): a filter may
// say EPERM.
#include "attrstore.h"
#include "host.h"
#include "meta.h"
#include "xattr.h"

u32 host_lacks;

// FD_PATH[/name] for calls that know no dirfd.
static void fd_name(char *out, size_t n, int fd, const char *name)
{
    if (fd == AT_FDCWD)
        str_copy(out, *name ? name : ".", n);
    else
        fmt(out, n, FD_PATH "%s%s", fd, *name ? "/" : "", name);
}

// Can a call go by directory and name? (An empty name is the descriptor itself, by its number.)
static bool by_name(const struct parent *p)
{
    return (p->fd == AT_FDCWD || *p->name) && !(host_lacks & LACKS_XATTRAT);
}

struct xattr_args {
    u64 value;
    u32 size;
    u32 flags;
};

static long get_attr(const struct parent *p, const char *name, void *value, size_t size)
{
    char path[320];
    if (by_name(p)) {
        struct xattr_args a = {(u64)value, (u32)size, 0};
        return HOST6(__NR_getxattrat, p->fd, *p->name ? p->name : ".", AT_SYMLINK_NOFOLLOW, name,
                     &a, sizeof a);
    }
    if (!*p->name && p->fd != AT_FDCWD) {
        long r = HOST4(__NR_fgetxattr, p->fd, name, value, size);
        if (r != -EBADF) // O_PATH
            return r;
    }
    fd_name(path, sizeof path, p->fd, p->name);
    return HOST4(*p->name ? __NR_lgetxattr : __NR_getxattr, path, name, value, size);
}

long host_getxattr_at(const struct parent *p, const char *name, void *value, size_t size)
{
    long r = get_attr(p, name, value, size);
    return attrstore_stands_in(r) ? attrstore_get(p, name, value, size) : r;
}

static long put_attr(const struct parent *p, const char *name, const void *value, size_t size,
                     int flags)
{
    char path[320];
    if (by_name(p)) {
        struct xattr_args a = {(u64)value, (u32)size, (u32)flags};
        return HOST6(__NR_setxattrat, p->fd, *p->name ? p->name : ".", AT_SYMLINK_NOFOLLOW, name,
                     &a, sizeof a);
    }
    if (!*p->name && p->fd != AT_FDCWD) {
        long r = HOST5(__NR_fsetxattr, p->fd, name, value, size, flags);
        if (r != -EBADF || p->guests)
            return r;
    }
    fd_name(path, sizeof path, p->fd, p->name);
    return HOST5(*p->name ? __NR_lsetxattr : __NR_setxattr, path, name, value, size, flags);
}

long host_setxattr_at(const struct parent *p, const char *name, const void *value, size_t size,
                      int flags)
{
    long r = put_attr(p, name, value, size, flags);
    return attrstore_stands_in(r) ? attrstore_set(p, name, value, size, flags) : r;
}

static long list_attrs(const struct parent *p, char *list, size_t size)
{
    char path[320];
    if (by_name(p))
        return HOST5(__NR_listxattrat, p->fd, *p->name ? p->name : ".", AT_SYMLINK_NOFOLLOW, list,
                     size);
    fd_name(path, sizeof path, p->fd, p->name);
    return HOST3(*p->name ? __NR_llistxattr : __NR_listxattr, path, list, size);
}

static long remove_attr(const struct parent *p, const char *name)
{
    char path[320];
    if (by_name(p))
        return HOST4(__NR_removexattrat, p->fd, *p->name ? p->name : ".", AT_SYMLINK_NOFOLLOW,
                     name);
    fd_name(path, sizeof path, p->fd, p->name);
    return HOST2(*p->name ? __NR_lremovexattr : __NR_removexattr, path, name);
}

long host_listxattr_at(const struct parent *p, char *list, size_t size)
{
    long r = list_attrs(p, list, size);
    return attrstore_is_used() ? attrstore_list(p, list, size, r) : r;
}

long host_removexattr_at(const struct parent *p, const char *name)
{
    long r = remove_attr(p, name);
    return attrstore_stands_in(r) ? attrstore_remove(p, name) : r;
}

static long chmod_path(int fd, u32 mode)
{
    char path[FD_PATH_SIZE];
    fd_name(path, sizeof path, fd, "");
    return HOST2(__NR_chmod, path, mode);
}

long host_chmod_at(const struct parent *p, u32 mode)
{
    struct statx st;
    if (p->guests)
        return HOST2(__NR_fchmod, p->fd, mode);
    if (!(host_lacks & LACKS_FCHMODAT2))
        return HOST4(__NR_fchmodat2, p->fd, p->name, mode,
                     *p->name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH);
    if (!*p->name)
        return chmod_path(p->fd, mode);
    struct task *t = task_of_stack();
    long fd = temp_open(t, p->fd, p->name, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH);
    if (fd < 0)
        return fd;
    // By a descriptor, some file systems give a link the mode that it has not.
    long r = host_statx((int)fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
    if (r >= 0)
        r = (st.stx_mode & S_IFMT) == S_IFLNK ? -EOPNOTSUPP : chmod_path((int)fd, mode);
    temp_close(t, (int)fd);
    return r;
}
