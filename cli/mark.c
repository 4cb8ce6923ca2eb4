// SPDX-License-Identifier: MIT
// See mark.h. lxcore gives every regular file with an attribute the host's S_ISVTX, but a tree may
// have been made by an older lxrun, by others who read and write the attribute, or by a copy that
// left modes out. So each tree is looked through once, and files that lack the bit get it. Then an
// attribute of the root directory says so:
//
//     user.lxrun.marked = state:inode number:time of birth
//
// Number and birth are the directory's own: a copy of the tree does not count as marked.
#define _GNU_SOURCE
#include "mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "attr.h"
#include "attrs.h"
#include "root.h"

#define MARK "user.lxrun.marked"
#define DEPTH 200  // directories open at a time
#define LOOK_FOR 2 // seconds
enum { MARKED = '1', LOOKING = 's', TOO_LARGE = '0' };

// Those that are known to keep the bit, and to say when an inode was born.
static bool is_suited(int root)
{
    static const u32 types[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC};
    return fs_is_one_of(root, types, ARRAY_LEN(types));
}

struct mark {
    char path[32]; // of the root directory
    char is[80], should[80];
};

// What the mark says now: LOOKING where there is none yet, or another directory's. 0: there can be
// none.
static char read_mark(int root, struct mark *m)
{
    struct statx st;
    if (statx(root, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) ||
        !(st.stx_mask & STATX_BTIME))
        return 0;
    snprintf(m->should, sizeof m->should, "%c:%llu:%lld.%09u", LOOKING,
             (unsigned long long)st.stx_ino, (long long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
    snprintf(m->path, sizeof m->path, "/proc/self/fd/%d", root);
    ssize_t n = getxattr(m->path, MARK, m->is, sizeof m->is);
    bool own = n == (ssize_t)strlen(m->should) && !memcmp(m->is + 1, m->should + 1, (size_t)n - 1);
    return own ? *m->is : LOOKING;
}

static bool write_mark(struct mark *m, char state)
{
    *m->should = state;
    return !setxattr(m->path, MARK, m->should, strlen(m->should), 0);
}

bool mark_is_there(int root)
{
    struct mark m;
    return read_mark(root, &m) == MARKED;
}

static time_t give_up;
static bool changed;

// Gives the regular file of this name in `dir` the bit, if it has an attribute without it. False:
// neither can be told.
static bool look_at(int dir, const char *name)
{
    struct stat st;
    char path[NAME_MAX + 32]; // an attribute is not asked for from a directory before Linux 6.13
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
        return false;
    if (!S_ISREG(st.st_mode) || (st.st_mode & S_ISVTX) || lgetxattr(path, META_XATTR, NULL, 0) < 0)
        return true;
    changed = true;
    return !fchmodat(dir, name, (st.st_mode & 07777) | S_ISVTX, AT_SYMLINK_NOFOLLOW);
}

// Looks through what lies below `dir` on file system dev, and closes it; left: as many levels more
// may be open. Each is reached from the one above: a guest makes paths that are longer than
// PATH_MAX. False: not all was seen.
static bool look_below(int dir, dev_t dev, int left)
{
    struct timespec now;
    struct stat st;
    DIR *d = fdopendir(dir);
    bool fine = d && left && !fstat(dir, &st) && !clock_gettime(CLOCK_MONOTONIC, &now) &&
                now.tv_sec <= give_up;
    while (fine && st.st_dev == dev) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (!e) {
            fine = !errno;
            break;
        }
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) {
            int below = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0 || e->d_type == DT_DIR) {
                fine = below >= 0 && look_below(below, dev, left - 1);
                continue;
            }
        }
        if (e->d_type == DT_REG || e->d_type == DT_UNKNOWN)
            fine = look_at(dir, e->d_name);
    }
    if (d)
        closedir(d);
    else
        close(dir);
    return fine;
}

// The bits are on the disk before the mark that promises them.
static bool sync_bits(int root)
{
    int fd = changed ? openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool fine = !changed || (fd >= 0 && !syncfs(fd));
    if (fd >= 0)
        close(fd);
    return fine;
}

bool mark_tree(int root)
{
    struct mark m;
    struct stat st;
    struct timespec now;
    char state = is_suited(root) ? read_mark(root, &m) : 0;
    // What is written first shows whether there can be a mark.
    if (state != LOOKING || clock_gettime(CLOCK_MONOTONIC, &now) || !write_mark(&m, LOOKING))
        return state == MARKED;
    give_up = now.tv_sec + LOOK_FOR;
    changed = false;
    int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool all = dir >= 0 && !fstat(dir, &st) && look_below(dir, st.st_dev, DEPTH);
    state = all ? MARKED : TOO_LARGE;
    return sync_bits(root) && write_mark(&m, state) && state == MARKED;
}
