// SPDX-License-Identifier: MIT
// Device nodes of guests (include/devlink.h): making, recognising, and which of them a guest can
// open. A directory that holds one is marked by an attribute, so that listings of others need not
// look at their symlinks.
#include "devlink.h"
#include "host.h"
#include "meta.h"
#include "xattr.h"

#define MARK "user.lxrun.nodes"

const char *device_host_path(u32 major, u32 minor)
{
    static const struct {
        u32 major, minor;
        const char *path;
    } known[] = {
        {1, 3, "/dev/null"},    {1, 5, "/dev/zero"}, {1, 7, "/dev/full"}, {1, 8, "/dev/random"},
        {1, 9, "/dev/urandom"}, {5, 0, "/dev/tty"},  {5, 2, "/dev/ptmx"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].major == major && known[i].minor == minor)
            return known[i].path;
    return NULL;
}

void device_mark(const struct parent *p)
{
    struct parent dir = {.fd = p->fd, .name = "."};
    // Without the mark a listing shows links: no reason to fail.
    host_setxattr_at(&dir, MARK, "", 0, 1 /* XATTR_CREATE: once, for who watches it */);
}

bool device_marked(int dir)
{
    return host_fgetxattr(dir, MARK, NULL, 0) >= 0;
}

// Into out[DEVLINK_SIZE + 1].
static void node_target(char *out, u32 mode, u32 uid, u32 gid, u64 rdev)
{
    // dev_t of the system call: 12 bits major, 20 bits minor (kernel: new_decode_dev).
    struct devlink d = {(mode & S_IFMT) == S_IFBLK ? 'b' : 'c',
                        (u32)(rdev >> 8 & 0xfff),
                        (u32)((rdev & 0xff) | (rdev >> 12 & 0xfff00)),
                        uid,
                        gid,
                        mode & MODE_BITS};
    devlink_format(out, &d);
}

long meta_mknod(struct task *t, const struct parent *p, u32 mode, u32 uid, u32 gid, u64 rdev)
{
    char target[DEVLINK_SIZE + 1];
    (void)t;
    node_target(target, mode, uid, gid, rdev);
    device_mark(p);
    return HOST3(__NR_symlinkat, target, p->fd, p->name);
}

long meta_mknod_acl(struct task *t, int mount, const struct parent *p, const struct meta_new *n,
                    u64 rdev)
{
    char target[DEVLINK_SIZE + 1];
    struct meta_naming naming = {0};
    node_target(target, n->mode, n->uid, n->gid, rdev);
    device_mark(p);
    long r = meta_naming_begin(t, mount, p, n, target, &naming);
    return r < 0 ? r
                 : meta_naming_end(t, p, &naming, HOST3(__NR_symlinkat, target, p->fd, p->name));
}

static bool read_node(const struct parent *p, struct devlink *d)
{
    char target[DEVLINK_SIZE + 2];
    long n = host_readlinkat(p->fd, p->name, target, sizeof target);
    return n > 0 && devlink_parse(target, (size_t)n, d);
}

bool meta_device(const struct parent *p, u32 *type, u32 *major, u32 *minor)
{
    struct devlink d;
    if (!read_node(p, &d))
        return false;
    *type = d.type == 'b' ? S_IFBLK : S_IFCHR;
    *major = d.major;
    *minor = d.minor;
    return true;
}

#define WORD_LENGTH (sizeof DEVLINK_WORD - 1)

long device_link_to_host(char *target, size_t n)
{
    int depth = devlink_depth(target, n);
    if (depth < 0)
        return (long)n;
    if (depth == DEVLINK_NESTED)
        return -EPERM;
    memmove(target + WORD_LENGTH + 1, target + WORD_LENGTH, n - WORD_LENGTH);
    target[WORD_LENGTH] = '+';
    target[n + 1] = 0;
    return (long)n + 1;
}

long device_link_to_guest(char *target, size_t n)
{
    if (devlink_depth(target, n) <= 0)
        return (long)n;
    memmove(target + WORD_LENGTH, target + WORD_LENGTH + 1, n - WORD_LENGTH - 1);
    return (long)n - 1;
}

bool device_stat(const struct parent *p, struct statx *st)
{
    char target[DEVLINK_SIZE + DEVLINK_NESTED + 1];
    struct devlink d;
    if ((st->stx_mode & S_IFMT) != S_IFLNK || st->stx_size < DEVLINK_SIZE ||
        st->stx_size >= sizeof target)
        return false;
    long n = host_readlinkat(p->fd, p->name, target, sizeof target);
    if (n < 0 || !devlink_parse(target, (size_t)n, &d)) {
        if (n > 0 && devlink_depth(target, (size_t)n) > 0)
            st->stx_size = (u64)n - 1;
        return false;
    }
    st->stx_mode = (u16)((d.type == 'b' ? S_IFBLK : S_IFCHR) | (d.mode & MODE_BITS));
    st->stx_uid = d.uid;
    st->stx_gid = d.gid;
    st->stx_rdev_major = d.major;
    st->stx_rdev_minor = d.minor;
    st->stx_size = 0;
    st->stx_blocks = 0; // ext4 gives a link of this length one
    return true;
}
