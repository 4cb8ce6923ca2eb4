// SPDX-License-Identifier: MIT
// Private directories of an instance (store.h).
#define _GNU_SOURCE
#include "store.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "devlink.h"
#include "fail.h"
#include "root.h"

#define PREFIX "lxrun-"
#define TEMPLATE "XXXXXX" // mkdtemp(3)
#define LOCK_NAME "lock"
#define BOOT_ID 36
#define HOSTFS_MAGIC 0x00c0ffee // User-Mode Linux
// A younger directory may be one whose maker has not come to lock it yet.
#define STALE_SECONDS 60

static int lock_open(int dir, int flags)
{
    int fd = openat(dir, LOCK_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
        close(fd);
        return -1;
    }
    return fd;
}

// The kernel's name of its run.
static void boot_id(char id[BOOT_ID])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, id, BOOT_ID) != BOOT_ID)
        memset(id, '?', BOOT_ID);
    if (fd >= 0)
        close(fd);
}

// Whether other kernels may have the same files, a utility VM's host for one.
static bool is_shared(int dir)
{
    struct statfs fs;
    if (fstatfs(dir, &fs))
        return true;
    switch ((u32)fs.f_type) {
    case V9FS_MAGIC:
    case FUSE_SUPER_MAGIC: // virtiofs, too
    case HOSTFS_MAGIC:
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case AFS_SUPER_MAGIC:
    case CEPH_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

// A lock is of one kernel. What was made under another one is certainly nobody's only if that is
// this machine's own of an earlier run.
static bool lock_tells(int lock, int dir, const struct stat *made)
{
    char made_by[BOOT_ID], here[BOOT_ID];
    struct timespec up;
    boot_id(here);
    if (pread(lock, made_by, BOOT_ID, 0) == BOOT_ID && !memcmp(made_by, here, BOOT_ID))
        return true;
    clock_gettime(CLOCK_BOOTTIME, &up);
    return !is_shared(dir) && made->st_ctime < time(NULL) - up.tv_sec;
}

static bool is_store_name(const char *name)
{
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(name) != strlen(PREFIX TEMPLATE))
        return false;
    for (name += strlen(PREFIX); *name; name++)
        if (!isalnum((unsigned char)*name))
            return false;
    return true;
}

static void remove_if_stale(int parent, const char *name)
{
    struct stat st;
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISDIR(st.st_mode) ||
        st.st_uid != geteuid() || time(NULL) - st.st_ctime < STALE_SECONDS)
        return;
    // One without a lock is somebody else's, or nothing is in it yet.
    unlinkat(parent, name, AT_REMOVEDIR);
    int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int lock = dir >= 0 ? lock_open(dir, 0) : -1;
    if (lock >= 0) {
        if (lock_tells(lock, dir, &st))
            remove_tree(parent, name);
        close(lock);
    }
    if (dir >= 0)
        close(dir);
}

static void remove_stale(const char *where)
{
    DIR *d = opendir(where);
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_store_name(e->d_name))
            remove_if_stale(dirfd(d), e->d_name);
    if (d)
        closedir(d);
}

bool store_create(struct store *s, const char *where, bool need_xattr)
{
    *s = (struct store){.fd = -1, .lock = -1};
    if (!where || *where != '/')
        return false;
    remove_stale(where);
    s->path = must_format("%s/" PREFIX TEMPLATE, where);
    if (!mkdtemp(s->path)) {
        free(s->path);
        s->path = NULL;
        return false;
    }
    s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    s->lock = s->fd >= 0 ? lock_open(s->fd, O_CREAT | O_EXCL) : -1;
    char id[BOOT_ID];
    boot_id(id);
    if (s->lock >= 0 && write(s->lock, id, BOOT_ID) == BOOT_ID &&
        (!need_xattr || !fsetxattr(s->fd, "user.lxrun.store", "", 0, 0)))
        return true;
    store_remove(s);
    return false;
}

void store_remove(struct store *s)
{
    if (!s->path)
        return;
    remove_tree(AT_FDCWD, s->path);
    free(s->path);
    s->path = NULL;
    if (s->fd >= 0)
        close(s->fd);
    if (s->lock >= 0)
        close(s->lock);
    s->fd = s->lock = -1;
}

#define GID_TTY 5 // on every distribution that matters
static const struct {
    const char *name;
    struct devlink node;
} nodes[] = {
    {"null", {'c', 1, 3, 0, 0, 0666}},    {"zero", {'c', 1, 5, 0, 0, 0666}},
    {"full", {'c', 1, 7, 0, 0, 0666}},    {"random", {'c', 1, 8, 0, 0, 0666}},
    {"urandom", {'c', 1, 9, 0, 0, 0666}}, {"tty", {'c', 5, 0, 0, GID_TTY, 0666}},
    {"console", {'c', 5, 1, 0, 0, 0600}}, {"ptmx", {'c', 5, 2, 0, GID_TTY, 0666}},
};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
};

static const char *const directories[] = {"pts", "shm", "mqueue"};

void store_make_dev(const struct store *s, const char *name)
{
    if (mkdirat(s->fd, name, 0755))
        fail_errno("cannot make %s/%s", s->path, name);
    int dev = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int bad = dev < 0 || fchmod(dev, 0755);
    for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
        char target[DEVLINK_SIZE + 1];
        devlink_format(target, &nodes[i].node);
        bad |= symlinkat(target, dev, nodes[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        bad |= symlinkat(links[i].target, dev, links[i].name);
    for (size_t i = 0; i < ARRAY_LEN(directories); i++)
        bad |= mkdirat(dev, directories[i], 0755);
    if (bad)
        fail_errno("cannot fill %s/%s", s->path, name);
    close(dev);
}
