// SPDX-License-Identifier: MIT
// Opening a program for execve: by the way that the instance remembers (fs/ways.c), else by a walk.
#include <linux/mount.h>

#include "attr.h"
#include "fs.h"
#include "host.h"
#include "meta.h"
#include "open.h"
#include "overlay.h"

static u64 flags_of(struct task *t, int mount)
{
    return mount >= 0 ? mount_flags(t, mount) : 0;
}

// May a file with these attributes be executed, in mount `mount` (-1: none)?
static long may_execute(struct task *t, int mount, const struct statx *st)
{
    if ((st->stx_mode & S_IFMT) != S_IFREG || (flags_of(t, mount) & MS_NOEXEC))
        return -EACCES;
    return may_access(&t->cred, st, MAY_EXEC);
}

// Opens a program by the way that is known. What is not as it should be ends with -ESTALE.
static long open_known(struct task *t, const struct known_way *w, struct statx *st,
                       char *guest_path, bool *nosuid)
{
    int root = mount_root_fd(t, 0);
    // Whatever may have taken the file's place: nothing waits for it.
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY, .resolve = WALK_RESOLVE};
    long fd = root < 0 ? root : open_way(t, root, way_text(w), &how, false);
    if (fd < 0)
        return -ESTALE;
    struct parent p = {.fd = (s32)fd, .name = ""};
    if (fd_is_reserved(t, (int)fd) || meta_stat(t, 0, &p, STATX_BASIC_STATS, st) < 0 ||
        may_execute(t, 0, st) < 0) {
        if (fd_is_reserved(t, (int)fd))
            reserved_return(t, (int)fd);
        else
            host_close((int)fd);
        return -ESTALE;
    }
    if (guest_path)
        fmt(guest_path, LX_PATH_MAX, "/%s", way_text(w));
    *nosuid = flags_of(t, 0) & MS_NOSUID;
    return fd;
}

// What fd is open on (fexecve(3)).
static long open_exec_fd(struct task *t, int fd, struct statx *st, char *guest_path, bool *nosuid)
{
    long r = meta_fstat(t, fd, STATX_BASIC_STATS, st);
    if (r < 0)
        return r;
    int mount = mount_of_fd(t, fd);
    r = may_execute(t, mount, st);
    if (r < 0)
        return r;
    if (guest_path && path_of_fd(t, fd, guest_path, LX_PATH_MAX) < 0)
        guest_path[0] = 0;
    *nosuid = flags_of(t, mount) & MS_NOSUID;
    return host_reopen(fd, O_RDONLY, 0, false);
}

static __attribute__((noinline)) long open_exec_slow(struct task *t, int dirfd, const char *path,
                                                     int flags, struct statx *st, char *guest_path,
                                                     bool *nosuid, const struct way_key *key)
{
    struct loc loc;
    struct parent p;
    int walk = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW | WALK_OBJECT) |
               (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
    if ((flags & AT_EMPTY_PATH) && !*path)
        return open_exec_fd(t, dirfd, st, guest_path, nosuid);
    temps_begin(t);
    long r = path_parent(t, dirfd, path, walk, &loc, &p);
    if (r >= 0) {
        bool magic = p.temporary && !*p.name; // a link of /proc to something without a path
        int mount = magic ? mount_of_fd(t, p.fd) : loc.mount;
        r = meta_stat(t, loc.mount, &p, STATX_BASIC_STATS | META_HOSTS_NUMBERS, st);
        if (r >= 0 && (st->stx_mode & S_IFMT) == S_IFLNK)
            r = -ELOOP;
        else if (r >= 0 && (st->stx_mode & S_IFMT) == S_IFREG && loc.must_be_dir)
            r = -ENOTDIR;
        if (r >= 0)
            r = may_execute(t, mount, st);
        *nosuid = flags_of(t, mount) & MS_NOSUID;
        if (r >= 0)
            r = host_open_loc(t, &loc, O_RDONLY, 0, 0);
        // Whom it makes the task, and whether he may run it, is not what another file says.
        bool matters = !fs_unchecked(&t->cred) || (st->stx_mode & (S_ISUID | S_ISGID)) ||
                       (META_MORE(st) & CAPS_HOLD);
        if (r >= 0 && matters && !mount_has_own_numbers(t, loc.mount) &&
            !open_is_same((int)r, st)) {
            host_close((int)r);
            r = -ESTALE;
        }
        if (r >= 0 && is_overlay(t, loc.mount))
            overlay_numbers(t, loc.mount, &(struct parent){.fd = (s32)r, .name = ""}, st);
        if (r >= 0 && guest_path &&
            (magic || loc.held ? path_of_fd(t, p.fd, guest_path, LX_PATH_MAX)
                               : path_of_loc(t, &loc, guest_path, LX_PATH_MAX)) < 0)
            guest_path[0] = 0;
        if (r >= 0 && !magic && !loc.held)
            way_learn(t, key, &loc);
        parent_done(t, &p);
    }
    temps_end(t);
    return r;
}

long fs_open_exec(struct task *t, int dirfd, const char *path, int flags, struct statx *st,
                  char *guest_path, bool *nosuid)
{
    struct way_key key = {.path = NULL};
    struct known_way way;
    if (!flags && way_known(t, path, &key, &way)) {
        long fd = open_known(t, &way, st, guest_path, nosuid);
        if (fd != -ESTALE)
            return fd;
    }
    for (int tries = 0;; tries++) {
        long fd = open_exec_slow(t, dirfd, path, flags, st, guest_path, nosuid, &key);
        if (fd != -ESTALE || tries == 100)
            return fd;
    }
}

long file_lease(struct task *t, int fd, long type)
{
    struct instance *in = t->instance;
    long r = host_fcntl(fd, F_SETOWN, (long)in->supervisor);
    if (r < 0)
        return r;
    __atomic_fetch_add(&in->leases_begun, 1, __ATOMIC_SEQ_CST);
    r = host_fcntl(fd, F_SETLEASE, type);
    if (!r)
        host_fcntl(fd, F_SETLEASE, F_UNLCK);
    u32 ended = __atomic_load_n(&in->leases_ended, __ATOMIC_SEQ_CST);
    while (ended != __atomic_load_n(&in->leases_begun, __ATOMIC_SEQ_CST) &&
           !__atomic_compare_exchange_n(&in->leases_ended, &ended, ended + 1, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return r;
}
