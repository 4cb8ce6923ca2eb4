// SPDX-License-Identifier: MIT
// Who uses a mount, for umount2(2). In this process that is known by the mount's index; for others
// the host's /proc tells it, where the mount's files are in no other mount (a tmpfs).
#include "host.h"
#include "mounting.h"

static bool used_here(struct task *t, int m)
{
    struct loc loc;
    if (t->fs->cwd_mount == m && loc_of_fd(t, AT_FDCWD, &loc) >= 0 && loc.mount == m)
        return true;
    for (int fd = 0; fd < FD_KINDS; fd++)
        if (fd_mount(t, fd) == m && !fd_is_reserved(t, fd) && host_fcntl(fd, F_GETFD, 0) >= 0)
            return true;
    return t->fs->root_mount == m;
}

// Does the link `name` below /proc lead to root or into it?
static bool leads_into(struct task *t, const char *name, const char *root)
{
    char link[LX_PATH_MAX];
    size_t n = strlen(root);
    long r = host_readlinkat(reserved_fd(t, RESERVED_PROC), name, link, sizeof link - 1);
    if (r < (long)n)
        return false;
    link[r] = 0;
    return !strncmp(link, root, n) && (!link[n] || link[n] == '/');
}

// What is asked of the numbers that a directory of /proc lists.
struct question {
    const char *root; // host path of the mount's root
    long pid;         // whose directory it is, 0: /proc itself
    bool (*each)(struct task *t, const struct question *q, long number);
};

// Asks q of the numbers in directory `name` of /proc, until the answer is true.
static bool any_number(struct task *t, const char *name, const struct question *q)
{
    char buf[2048] __attribute__((aligned(8)));
    bool found = false;
    long n, fd = temp_open(t, reserved_fd(t, RESERVED_PROC), name, O_RDONLY | O_DIRECTORY, 0);
    while (fd >= 0 && !found && (n = HOST3(__NR_getdents64, fd, buf, sizeof buf)) > 0) {
        for (long at = 0; at < n && !found;) {
            const struct dirent64 *d = (const void *)(buf + at);
            at += d->reclen;
            long number = str_number(d->name, strlen(d->name));
            found = number >= 0 && q->each(t, q, number);
        }
    }
    if (fd >= 0)
        temp_close(t, (int)fd);
    return found;
}

static bool fd_uses(struct task *t, const struct question *q, long fd)
{
    char name[48];
    if (fd_is_reserved(t, (int)fd))
        return false; // lxcore's, at the same numbers in nearly every process
    fmt(name, sizeof name, "%ld/fd/%ld", q->pid, fd);
    return leads_into(t, name, q->root);
}

static bool process_uses(struct task *t, const struct question *q, long pid)
{
    char name[48];
    const struct proc_slot *s = proc_find(t->instance, (u32)pid);
    if (!s || !(s->mnt_ns_seen >> t->fs->mnt_ns & 1))
        return false;
    fmt(name, sizeof name, "%ld/cwd", pid);
    if (leads_into(t, name, q->root))
        return true;
    fmt(name, sizeof name, "%ld/fd", pid);
    return any_number(t, name, &(struct question){q->root, pid, fd_uses});
}

static bool is_held_alone(struct task *t, int m)
{
    for (int i = 1; i < MOUNTS_MAX; i++) {
        const struct mount_entry *o = mount_at(t, i);
        if (i != m && o->state != MOUNT_FREE && o->base == BASE_HELD &&
            o->holder == mount_at(t, m)->holder)
            return false;
    }
    return !mount_at(t, m)->base_path[0];
}

bool mount_is_alone(struct task *t, int m)
{
    const struct mount_entry *e = mount_at(t, m);
    if (e->base == BASE_HELD)
        return is_held_alone(t, m);
    size_t n = strlen(e->base_path);
    for (int i = 1; i < MOUNTS_MAX; i++) {
        const struct mount_entry *o = mount_at(t, i);
        if (i != m && o->state != MOUNT_FREE && o->base == BASE_STORE &&
            !strncmp(o->base_path, e->base_path, n) && (!o->base_path[n] || o->base_path[n] == '/'))
            return false;
    }
    return e->base == BASE_STORE && !strchr(e->base_path, '/');
}

bool mount_in_use(struct task *t, int m)
{
    char root[LX_PATH_MAX];
    if (used_here(t, m))
        return true;
    if (!mount_is_alone(t, m) || host_link_of_fd(t, mount_root_fd(t, m), root, sizeof root) < 0)
        return false;
    return any_number(t, ".", &(struct question){root, 0, process_uses});
}
