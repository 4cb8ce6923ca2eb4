// SPDX-License-Identifier: MIT
// Names of extended attributes. The guest's user.* are stored as they are. What an unprivileged
// host cannot store (trusted.*, security.*, POSIX ACLs) and names that lxrun itself uses are stored
// as "user.lxrun.x." and the guest's whole name, so that lxrun can run inside lxrun.
#include <linux/capability.h>
#include <linux/xattr.h>

#include "attrstore.h"
#include "host.h"
#include "nocase.h"
#include "xattr.h"

#define ESCAPE "user.lxrun.x."

static const char *const own[] = {"user.lxrun.", "user.containers."};

static bool is_own(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (str_starts(name, own[i]))
            return true;
    return false;
}

long xattr_name_to_host(const char *guest, char *host)
{
    static const char *const kept[] = {"trusted.", "security."};
    bool escape = is_own(guest);
    if (!escape && str_starts(guest, "user.")) {
        str_copy(host, guest, XATTR_NAME_SIZE);
        return guest[5] ? 0 : -EINVAL;
    }
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (!str_starts(guest, kept[i]))
            continue;
        if (!guest[strlen(kept[i])])
            return -EINVAL;
        escape = true;
    }
    if (!strcmp(guest, "system.posix_acl_access") || !strcmp(guest, "system.posix_acl_default") ||
        !strcmp(guest, CASE_XATTR))
        escape = true;
    if (!escape)
        return -EOPNOTSUPP;
    return fmt(host, XATTR_NAME_SIZE, ESCAPE "%s", guest) < XATTR_NAME_SIZE ? 0 : -ERANGE;
}

size_t xattr_list_to_guest(char *list, size_t size, bool trusted)
{
    size_t out = 0;
    for (size_t at = 0, n; at < size; at += n) {
        const char *name = list + at;
        n = strnlen(name, size - at) + 1;
        const char *guest = name;
        if (str_starts(name, ESCAPE))
            guest += sizeof ESCAPE - 1;
        else if (strcmp(name, SOCKET_XATTR) && (is_own(name) || !str_starts(name, "user.")))
            continue; // lxrun's, or the host's
        if (!trusted && str_starts(guest, "trusted."))
            continue;
        size_t len = n - (size_t)(guest - name);
        memmove(list + out, guest, len);
        out += len;
    }
    return out;
}

// struct vfs_ns_cap_data (linux/capability.h).
struct caps_value {
    u32 magic;
    struct {
        u32 permitted, inheritable;
    } part[2];
    u32 rootid;
};

void file_caps_read(int fd, struct file_caps *f)
{
    struct caps_value v = {0};
    long n = host_fgetxattr(fd, CAPS_HOST, &v, sizeof v);
    if (n < (long)XATTR_CAPS_SZ_2 || v.rootid) // those of another user namespace
        return;
    f->there = true;
    f->effective = v.magic & VFS_CAP_FLAGS_EFFECTIVE;
    f->permitted = ((u64)v.part[1].permitted << 32 | v.part[0].permitted) & CAP_FULL_SET;
    f->inheritable = ((u64)v.part[1].inheritable << 32 | v.part[0].inheritable) & CAP_FULL_SET;
}

long host_fgetxattr(int fd, const char *name, void *value, size_t size)
{
    struct parent p = {.fd = fd, .name = ""};
    long r = HOST4(__NR_fgetxattr, fd, name, value, size);
    return attrstore_stands_in(r) ? attrstore_get(&p, name, value, size) : r;
}

long host_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    struct parent p = {.fd = fd, .name = ""};
    long r = HOST5(__NR_fsetxattr, fd, name, value, size, flags);
    return attrstore_stands_in(r) ? attrstore_set(&p, name, value, size, flags) : r;
}

long host_flistxattr(int fd, char *list, size_t size)
{
    struct parent p = {.fd = fd, .name = ""};
    long r = HOST3(__NR_flistxattr, fd, list, size);
    return attrstore_is_used() ? attrstore_list(&p, list, size, r) : r;
}

long host_fremovexattr(int fd, const char *name)
{
    struct parent p = {.fd = fd, .name = ""};
    long r = HOST2(__NR_fremovexattr, fd, name);
    return attrstore_stands_in(r) ? attrstore_remove(&p, name) : r;
}
