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
#include "instance.h"
#include "root.h"

#define PREFIX "lxrun-"
#define TEMPLATE "XXXXXX" // mkdtemp(3)
#define LOCK_NAME "lock"
#define BOOT_ID 36
#define OWN " own   \n"
#define SHARED " shared\n"
#define LOCK_TEXT (BOOT_ID + sizeof OWN - 1)
#define ZFS_MAGIC 0x2fc12fc1 // not the kernel's
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

// Whether this kernel alone has the directory's files. Only a local file system is: what a network,
// a hypervisor (9P, virtiofs, also gVisor's) or User-Mode Linux brings has another kernel behind
// it.
static bool is_own(int dir)
{
    static const u32 local[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
                                TMPFS_MAGIC,      F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
                                RAMFS_MAGIC,      ZFS_MAGIC};
    struct statfs fs;
    for (size_t i = 0; !fstatfs(dir, &fs) && i < ARRAY_LEN(local); i++)
        if ((u32)fs.f_type == local[i])
            return true;
    return false;
}

// What the lock file says: the kernel's name of its run, and whether the files are that kernel's
// own.
static void lock_text(char text[LOCK_TEXT + 1], int dir)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    memset(text, '?', BOOT_ID);
    if (fd >= 0) {
        if (read(fd, text, BOOT_ID) != BOOT_ID)
            memset(text, '?', BOOT_ID);
        close(fd);
    }
    strcpy(text + BOOT_ID, is_own(dir) ? OWN : SHARED);
}

// A lock is of one kernel. Of what was made under another one it tells only if both had the files
// for themselves: two kernels cannot at once, so that one's run is over. No clock says that: one
// that is set makes the beginning of this run, too, look later than it was.
static bool lock_tells(int lock, int dir)
{
    char made_by[LOCK_TEXT], here[LOCK_TEXT + 1];
    lock_text(here, dir);
    if (pread(lock, made_by, LOCK_TEXT, 0) != LOCK_TEXT)
        return false;
    return (here[0] != '?' && !memcmp(made_by, here, BOOT_ID)) ||
           (!memcmp(made_by + BOOT_ID, OWN, strlen(OWN)) && !strcmp(here + BOOT_ID, OWN));
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

// Does process `process` of directory procs hold something open that is path, or below it?
static bool holds(int procs, const char *process, const char *path)
{
    char name[32], link[LX_PATH_MAX];
    size_t n = strlen(path);
    bool found = false;
    snprintf(name, sizeof name, "%.20s/fd", process);
    int fd = openat(procs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *e; d && !found && (e = readdir(d));) {
        ssize_t got = readlinkat(fd, e->d_name, link, sizeof link - 1);
        link[MAX(got, 0)] = 0;
        found = !strncmp(link, path, n) && (link[n] == '/' || !link[n]);
    }
    if (d)
        closedir(d);
    return found;
}

// A supervisor that was killed has lost its lock, and its guests live on. They hold the directories
// of their mounts.
static bool has_guests(int dir)
{
    char path[LX_PATH_MAX];
    DIR *d = opendir("/proc");
    bool found = !d || !fd_host_path(dir, path, sizeof path);
    for (struct dirent *e; !found && (e = readdir(d));)
        found = isdigit((unsigned char)*e->d_name) && atoi(e->d_name) != getpid() &&
                holds(dirfd(d), e->d_name, path);
    if (d)
        closedir(d);
    return found;
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
        if (lock_tells(lock, dir) && !has_guests(dir))
            remove_tree(parent, name, LOCK_NAME);
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
    char text[LOCK_TEXT + 1];
    lock_text(text, s->fd);
    if (s->lock >= 0 && write(s->lock, text, LOCK_TEXT) == LOCK_TEXT &&
        (!need_xattr || !fsetxattr(s->fd, "user.lxrun.store", "", 0, 0)))
        return true;
    store_remove(s);
    return false;
}

void store_remove(struct store *s)
{
    if (!s->path)
        return;
    // Without its lock, one that is half removed could be anybody's (remove_if_stale).
    remove_tree(AT_FDCWD, s->path, LOCK_NAME);
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
    bool bad = dev < 0; // errno is that of what failed
    for (size_t i = 0; i < ARRAY_LEN(nodes) && !bad; i++) {
        char target[DEVLINK_SIZE + 1];
        devlink_format(target, &nodes[i].node);
        bad = symlinkat(target, dev, nodes[i].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(links) && !bad; i++)
        bad = symlinkat(links[i].target, dev, links[i].name);
    for (size_t i = 0; i < ARRAY_LEN(directories) && !bad; i++)
        bad = mkdirat(dev, directories[i], 0755);
    if (bad)
        fail_errno("cannot fill %s/%s", s->path, name);
    close(dev);
}
