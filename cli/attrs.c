// SPDX-License-Identifier: MIT
// See attrs.h. Entries are checked one by one and belong to a state of an inode, so the file needs
// neither a lock nor a version of its content: damage is the same as not knowing.
#define _GNU_SOURCE
#include "attrs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cache.h"

#define CHANGES 8    // some 20 us
#define TICK 1000000 // ns, of CONFIG_HZ=1000

bool fs_is_one_of(int fd, const u32 *types, size_t n)
{
    struct statfs fs;
    if (fstatfs(fd, &fs))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((u32)fs.f_type == types[i])
            return true;
    return false;
}

// A file system of this machine, for others would show each process what another machine wrote,
// late; and one that overwrites what it has given room, for copying at a write can find no room,
// which in a mapping is SIGBUS.
static bool is_suited(int fd)
{
    static const u32 types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC};
    return fs_is_one_of(fd, types, ARRAY_LEN(types));
}

// Room for all of it, on the disk too: a hole that could not be filled would be a SIGBUS.
static bool has_room(int fd)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1)
        return false;
    if ((u64)st.st_size == ATTRS_SIZE && (u64)st.st_blocks * 512 >= ATTRS_SIZE)
        return true;
    return !posix_fallocate(fd, 0, ATTRS_SIZE) && !ftruncate(fd, ATTRS_SIZE);
}

static u64 ctime_of(const struct stat *st)
{
    return (u64)st->st_ctim.tv_sec * 1000000000 + (u64)st->st_ctim.tv_nsec;
}

// Changes a file without a name, looking at it in between: CHANGES times in less time than the
// fastest clock of ticks needs to tell them apart.
bool attrs_ctime_is_fine(int dir)
{
    struct stat st;
    int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    bool fine = fd >= 0 && !fstat(fd, &st);
    u64 first = fine ? ctime_of(&st) : 0, last = first;
    for (int i = 0; fine && i < CHANGES; i++, last = ctime_of(&st))
        fine = !fsetxattr(fd, "user.lxrun.probe", &i, sizeof i, 0) && !fstat(fd, &st) &&
               ctime_of(&st) > last;
    if (fd >= 0)
        close(fd);
    return fine && last - first < (CHANGES - 1) * TICK;
}

void attrs_prepare(struct launch *l)
{
    int cache = cache_open();
    if (cache < 0)
        return;
    const char *name = l->nested ? CACHE_ATTRS_NESTED : CACHE_ATTRS;
    int fd = openat(cache, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && !(is_suited(fd) && has_room(fd))) {
        unlinkat(cache, name, 0);
        close(fd);
        fd = -1;
    }
    close(cache);
    l->attrs_fd = fd;
    l->memory->keeps_attrs = fd >= 0;
}
