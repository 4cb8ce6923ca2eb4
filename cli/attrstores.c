// SPDX-License-Identifier: MIT
// See attrstores.h.
#define _GNU_SOURCE
#include "attrstores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attr.h"
#include "launch.h"
#include "root.h"

#define SUFFIX ".lxrun-attrs"

// A directory of the user's own that nobody else writes to.
static int open_own(const char *path)
{
    struct stat st;
    mkdir(path, 0700);
    int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 022))) {
        close(fd);
        return -1;
    }
    return fd;
}

void attrstore_add(struct launch *l)
{
    int root = l->mount_fd[0];
    char path[LX_PATH_MAX], beside[LX_PATH_MAX + sizeof SUFFIX], self[32];
    struct instance *in = l->memory;
    struct stat st;
    snprintf(self, sizeof self, "/proc/self/fd/%d", root);
    if (!in->keeps_dirs || l->mounts == MOUNTS_MAX)
        return;
    if (getxattr(self, META_XATTR, NULL, 0) >= 0 || errno != EOPNOTSUPP || fstat(root, &st) ||
        !fd_host_path(root, path, sizeof path))
        return;
    snprintf(beside, sizeof beside, "%s" SUFFIX, path);
    int fd = open_own(beside);
    if (fd < 0) {
        if (l->options->verbose)
            fprintf(stderr, "lxrun: %s cannot be made: owners and modes of %s stay the host's\n",
                    beside, path);
        return;
    }
    struct mount_entry *e = &in->mounts[l->mounts];
    e->type = FS_LAYER; // no path leads there
    e->id = in->next_mount_id++;
    e->parent = -1;
    e->base = BASE_INHERITED;
    e->state = MOUNT_LAYER;
    in->mounts[0].attrstore = l->mounts;
    in->mounts[0].attrstore_dev = (u64)major(st.st_dev) << 32 | minor(st.st_dev);
    in->has_attrstores = 1;
    l->attrstore_fd = l->mount_fd[l->mounts++] = fd;
}

void attrstore_end(struct launch *l)
{
    if (l->attrstore_fd >= 0)
        remove_tree(l->attrstore_fd, ATTRSTORE_GONE, NULL);
}
