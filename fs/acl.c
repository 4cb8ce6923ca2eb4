// SPDX-License-Identifier: MIT
// POSIX access control lists in the form of their attribute (acl(5), linux/posix_acl_xattr.h).
// Three of the entries are the mode's: the attribute is brought in line with it when it is read, so
// chmod need not know of it.
//
// Creating a file would always have to ask whether its directory has a default ACL. Nearly no tree
// has one anywhere, so the root of a mount says whether there ever was one in it, and the mount
// table remembers that.
#include "host.h"
#include "meta.h"
#include "sync.h"
#include "xattr.h"

#define MARK "user.lxrun.acl"
// In mount_entry.flags.
#define ACL_KNOWN 0x40000000u // the mark was looked for
#define ACL_USED 0x20000000u  // it is there
#define ACL_VERSION 2

enum {
    ACL_USER_OBJ = 1,
    ACL_USER = 2,
    ACL_GROUP_OBJ = 4,
    ACL_GROUP = 8,
    ACL_MASK = 16,
    ACL_OTHER = 32,
};

struct acl_entry {
    u16 tag, perm;
    u32 id;
};
struct acl {
    u32 version;
    struct acl_entry entry[];
};

static size_t entries(size_t size)
{
    return (size - sizeof(struct acl)) / sizeof(struct acl_entry);
}

long acl_parse(const void *value, size_t size)
{
    const struct acl *a = value;
    if (size < sizeof *a || (size - sizeof *a) % sizeof a->entry[0])
        return -EINVAL;
    if (a->version != ACL_VERSION)
        return -EOPNOTSUPP;
    for (size_t i = 0; i < entries(size); i++) {
        const struct acl_entry *e = &a->entry[i];
        bool many = e->tag == ACL_USER || e->tag == ACL_GROUP;
        if (!e->tag || e->tag > ACL_OTHER || (e->tag & (e->tag - 1)) || (many && e->id == (u32)-1))
            return -EINVAL;
    }
    return 0;
}

long acl_check(const void *value, size_t size, bool *named)
{
    const struct acl *a = value;
    u32 seen = 0, last = 0;
    *named = false;
    long r = acl_parse(value, size);
    if (r < 0)
        return r;
    // In the order of their tags, each once but users and groups by number (posix_acl_valid()).
    for (size_t i = 0; i < entries(size); i++) {
        const struct acl_entry *e = &a->entry[i];
        bool many = e->tag == ACL_USER || e->tag == ACL_GROUP;
        if ((e->perm & ~7u) || e->tag < last || (e->tag == last && !many))
            return -EINVAL;
        last = e->tag;
        seen |= e->tag;
    }
    if (!seen)
        return 0; // none: the attribute is removed
    *named = seen & (ACL_USER | ACL_GROUP | ACL_MASK);
    if ((~seen & (ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER)) ||
        ((seen & (ACL_USER | ACL_GROUP)) && !(seen & ACL_MASK)))
        return -EINVAL;
    return 0;
}

// Where the bits of an entry stand in a mode; -1: not there. The mask, where there is one, takes
// the place of the owning group.
static int shift(const struct acl_entry *e, bool mask)
{
    switch (e->tag) {
    case ACL_USER_OBJ:
        return 6;
    case ACL_GROUP_OBJ:
        return mask ? -1 : 3;
    case ACL_MASK:
        return 3;
    case ACL_OTHER:
        return 0;
    default:
        return -1;
    }
}

static bool has_mask(const struct acl *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a->entry[i].tag == ACL_MASK)
            return true;
    return false;
}

u32 acl_mode(const void *value, size_t size, u32 mode)
{
    const struct acl *a = value;
    size_t n = entries(size);
    bool mask = has_mask(a, n);
    for (size_t i = 0; i < n; i++) {
        int at = shift(&a->entry[i], mask);
        if (at >= 0)
            mode = (mode & ~(7u << at)) | (u32)(a->entry[i].perm & 7) << at;
    }
    return mode;
}

void acl_set_mode(void *value, size_t size, u32 mode)
{
    struct acl *a = value;
    if (size < sizeof *a)
        return;
    size_t n = entries(size);
    bool mask = has_mask(a, n);
    for (size_t i = 0; i < n; i++) {
        int at = shift(&a->entry[i], mask);
        if (at >= 0)
            a->entry[i].perm = mode >> at & 7;
    }
}

// ---- What it permits ----

static bool has_id(const struct cred *c, const struct acl_entry *e)
{
    return e->tag == ACL_USER ? e->id == c->fsuid : cred_in_group(c, e->id);
}

// Linux: fs/posix_acl.c, posix_acl_permission(). The owner's entry is the mode's, and not asked.
static bool permits(const struct cred *c, const struct acl *a, size_t n, u32 gid, u32 want)
{
    u32 mask = 7;
    bool found = false;
    for (size_t i = 0; i < n; i++)
        if (a->entry[i].tag == ACL_MASK)
            mask = a->entry[i].perm;
    for (size_t i = 0; i < n; i++) {
        const struct acl_entry *e = &a->entry[i];
        bool group =
            e->tag == ACL_GROUP_OBJ ? cred_in_group(c, gid) : e->tag == ACL_GROUP && has_id(c, e);
        if (e->tag == ACL_USER && has_id(c, e))
            return (e->perm & mask & want) == want;
        found |= group;
        if (group && (e->perm & want) == want)
            return (mask & want) == want;
        if (e->tag == ACL_OTHER)
            return !found && (e->perm & want) == want;
    }
    return false;
}

u64 acl_permits(const struct cred *c, void *value, long n, const struct statx *st)
{
    bool named;
    u64 allows = ACL_HOLDS;
    if (n <= 0 || acl_check(value, (size_t)n, &named))
        return 0;
    acl_set_mode(value, (size_t)n, st->stx_mode);
    for (u32 want = 0; want < 8; want++)
        if (permits(c, value, entries((size_t)n), st->stx_gid, want))
            allows |= 1UL << want;
    return allows;
}

u64 acl_allows(const struct cred *c, const struct parent *p, const struct statx *st)
{
    struct acl_new acl;
    long n = host_getxattr_at(p, ACL_HOST_ACCESS, acl.value, sizeof acl.value);
    return acl_permits(c, acl.value, n, st);
}

// ---- Default ACLs ----

static struct parent mount_root(struct task *t, int mount)
{
    return (struct parent){.fd = mount_root_fd(t, mount), .name = "."};
}

static bool is_used(struct task *t, int mount)
{
    u32 *flags = &mount_at(t, mount)->flags;
    if (!(*flags & ACL_KNOWN)) {
        struct parent root = mount_root(t, mount);
        char value[4];
        bool used = host_getxattr_at(&root, MARK, value, sizeof value) >= 0;
        __atomic_fetch_or(flags, ACL_KNOWN | (used ? ACL_USED : 0), __ATOMIC_RELAXED);
    }
    return *flags & ACL_USED;
}

long acl_mark(struct task *t, int mount)
{
    struct parent root = mount_root(t, mount);
    if (is_used(t, mount))
        return 0;
    long r = host_setxattr_at(&root, MARK, "1", 1, 0);
    // Btrfs brings to the disk what fsync is called for, and not what came before elsewhere.
    if (r >= 0)
        r = sync_directory(t, root.fd, ".", __NR_fsync);
    if (r >= 0)
        __atomic_fetch_or(&mount_at(t, mount)->flags, ACL_USED, __ATOMIC_RELAXED);
    return r;
}

u32 acl_inherit(struct task *t, int mount, const struct parent *p, u32 mode, struct acl_new *new)
{
    struct parent dir = {.fd = p->fd, .name = "."};
    u32 changes = dir_attr_changes(t);
    new->size = 0;
    if (p->kept && dir_no_acl(t, p->kept))
        return mode & ~t->fs->umask;
    mode = acl_inherit_in(t, mount, &dir, mode, new);
    if (p->kept && !new->size)
        dir_no_acl_put(t, p->kept, changes);
    return mode;
}

u32 acl_inherit_in(struct task *t, int mount, const struct parent *dir, u32 mode,
                   struct acl_new *new)
{
    bool named;
    new->size = 0;
    if (!is_used(t, MAX(mount, 0)))
        return mode & ~t->fs->umask;
    long n = host_getxattr_at(dir, ACL_HOST_DEFAULT, new->value, sizeof new->value);
    if (n <= 0 || acl_check(new->value, (size_t)n, &named))
        return mode & ~t->fs->umask;
    new->size = (u32)n;
    return mode & (acl_mode(new->value, (size_t)n, 0) | ~0777u);
}

bool acl_is_given(u32 mode, const struct acl_new *new)
{
    bool named = false;
    return new &&new->size && (mode & S_IFMT) != S_IFLNK &&
           !acl_check(new->value, new->size, &named) && named;
}

// An access ACL that says no more than the mode is not kept.
const struct acl_new *acl_access(u32 mode, const struct acl_new *new, struct acl_new *access)
{
    if (!acl_is_given(mode, new))
        return NULL;
    access->size = new->size;
    memcpy(access->value, new->value, new->size);
    acl_set_mode(access->value, access->size, mode);
    return access;
}

long acl_give(const struct parent *p, u32 mode, const struct acl_new *new)
{
    struct acl_new buf;
    u32 type = mode & S_IFMT;
    long r = 0;
    if (!new || !carries_attr(mode))
        return 0;
    const struct acl_new *access = acl_access(mode, new, &buf);
    if (access)
        r = host_setxattr_at(p, ACL_HOST_ACCESS, access->value, access->size, 0);
    if (r >= 0 && new->size && type == S_IFDIR)
        r = host_setxattr_at(p, ACL_HOST_DEFAULT, new->value, new->size, 0);
    return r;
}

long acl_give_fd(int fd, u32 mode, const struct acl_new *new)
{
    struct acl_new buf;
    const struct acl_new *access = acl_access(mode, new, &buf);
    return access ? host_fsetxattr(fd, ACL_HOST_ACCESS, access->value, access->size, 0) : 0;
}
