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
#include <unistd.h>

#include "cache.h"

// A file system of this machine, for others would show each process what another machine wrote,
// late; and one that overwrites what it has given room, for copying at a write can find no room,
// which in a mapping is SIGBUS.
static bool is_suited(int fd)
{
    static const u32 types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC};
    struct statfs fs;
    if (fstatfs(fd, &fs))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if ((u32)fs.f_type == types[i])
            return true;
    return false;
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

void attrs_prepare(struct launch *l)
{
    int cache = cache_open();
    if (cache < 0)
        return;
    int fd = openat(cache, CACHE_ATTRS, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && !(is_suited(fd) && has_room(fd))) {
        unlinkat(cache, CACHE_ATTRS, 0);
        close(fd);
        fd = -1;
    }
    close(cache);
    l->attrs_fd = fd;
    l->memory->keeps_attrs = fd >= 0;
}
