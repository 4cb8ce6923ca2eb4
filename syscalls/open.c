// SPDX-License-Identifier: MIT
// open, openat, openat2, creat. The work is in fs/open.c.
#include "fs.h"
#include "host.h"
#include "syscall_rows.h"
#include "uaccess.h"

// Flags that open(2) knows; others are ignored by it and refused by openat2.
#define OPEN_FLAGS                                                                                 \
    (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |          \
     O_DSYNC | FASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |            \
     O_CLOEXEC | O_PATH | __O_TMPFILE)
#define O_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)

static long do_open(struct task *t, int dirfd, uptr path, struct open_how *how)
{
    char name[LX_PATH_MAX];
    long r = copy_str_from_guest(name, path, sizeof name);
    return r < 0 ? r : fs_open(t, dirfd, name, how);
}

// What open(2) forgives and openat2 does not (Linux: fs/open.c, build_open_how()).
static struct open_how how_of(int flags, u32 mode)
{
    struct open_how how = {.flags = (u32)flags & OPEN_FLAGS, .mode = mode & 07777};
    if (how.flags & O_PATH)
        how.flags &= O_PATH_FLAGS;
    if (!(how.flags & (O_CREAT | __O_TMPFILE)))
        how.mode = 0;
    return how;
}

// openat2's own checks, for both: combinations that make no sense.
static long check_how(const struct open_how *how)
{
    if ((how->flags & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
        return -EINVAL;
    if ((how->flags & __O_TMPFILE) &&
        (!(how->flags & O_DIRECTORY) || (how->flags & O_ACCMODE) == O_RDONLY))
        return -EINVAL;
    return 0;
}

long sys_openat(struct task *t, int dirfd, uptr path, int flags, unsigned int mode)
{
    struct open_how how = how_of(flags, mode);
    long r = check_how(&how);
    return r < 0 ? r : do_open(t, dirfd, path, &how);
}

long sys_open(struct task *t, uptr path, int flags, unsigned int mode)
{
    return sys_openat(t, AT_FDCWD, path, flags, mode);
}

long sys_creat(struct task *t, uptr path, unsigned int mode)
{
    return sys_openat(t, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_openat2(struct task *t, int dirfd, uptr path, uptr how_ptr, size_t size)
{
    struct open_how how;
    if (size < sizeof how)
        return -EINVAL;
    if (size > LX_PAGE)
        return -E2BIG;
    if (copy_from_guest(&how, how_ptr, sizeof how))
        return -EFAULT;
    for (size_t i = sizeof how; i < size; i++) {
        u8 rest;
        if (copy_from_guest(&rest, how_ptr + i, 1))
            return -EFAULT;
        if (rest)
            return -E2BIG;
    }
    if (how.flags & ~(u64)OPEN_FLAGS)
        return -EINVAL;
    if (how.resolve & ~(u64)(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS |
                             RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED))
        return -EINVAL;
    if ((how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EINVAL;
    if (how.mode & ~07777UL || (how.mode && !(how.flags & (O_CREAT | __O_TMPFILE))))
        return -EINVAL;
    if ((how.flags & O_PATH) && (how.flags & ~(u64)O_PATH_FLAGS))
        return -EINVAL;
    if ((how.resolve & RESOLVE_CACHED) && (how.flags & (O_TRUNC | O_CREAT | __O_TMPFILE)))
        return -EAGAIN;
    long r = check_how(&how);
    return r < 0 ? r : do_open(t, dirfd, path, &how);
}
