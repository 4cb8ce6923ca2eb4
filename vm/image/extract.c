// SPDX-License-Identifier: MIT
// lximage: makes the tree that an image holds, in the current directory.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "image.h"

#define PIECE (1 << 20)

static _Noreturn void cannot(const char *name, const char *what)
{
    give_up("cannot %s %s: %s", what, name, strerror(errno));
}

// ---- Regular files ----

struct copy {
    const char *name;
    int fd;
};

static void copy_part(void *arg, int fd, off_t in_file, off_t in_image, size_t length)
{
    static char piece[PIECE];
    const struct copy *c = arg;
    while (length) {
        ssize_t n = pread(fd, piece, length < PIECE ? length : PIECE, in_image);
        if (n <= 0)
            give_up("cannot read %s from the image: %s", c->name,
                    n < 0 ? strerror(errno) : "it ends before");
        n = pwrite(c->fd, piece, (size_t)n, in_file); // less, where the disk is full
        if (n < 0)
            cannot(c->name, "write");
        in_file += n;
        in_image += n;
        length -= (size_t)n;
    }
}

static void make_file(const struct image *i, const char *name, ext2_ino_t ino,
                      const struct ext2_inode_large *inode)
{
    struct copy c = {name, open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (c.fd < 0)
        cannot(name, "make");
    data_parts(i, ino, inode, copy_part, &c);
    if (ftruncate(c.fd, (off_t)EXT2_I_SIZE(inode)) || close(c.fd))
        cannot(name, "write");
}

// ---- Hard links ----

struct first {
    ext2_ino_t ino;
    char *path; // from the tree's root
};

static struct first *firsts;
static size_t first_room, first_count;
static int root;

static struct first *first_place(ext2_ino_t ino)
{
    size_t at = ino * 0x9e3779b9u & (first_room - 1);
    while (firsts[at].ino && firsts[at].ino != ino)
        at = (at + 1) & (first_room - 1);
    return &firsts[at];
}

// An inode with several names: true if it has one already, which this becomes another of.
static bool make_link(const char *path, const char *name, ext2_ino_t ino)
{
    if (first_count * 2 >= first_room) {
        struct first *old = firsts;
        size_t n = first_room;
        first_room = n ? n * 2 : 1024;
        firsts = calloc(first_room, sizeof *firsts);
        if (!firsts)
            give_up("out of memory");
        for (size_t k = 0; k < n; k++)
            if (old[k].ino)
                *first_place(old[k].ino) = old[k];
        free(old);
    }
    struct first *f = first_place(ino);
    if (f->ino) {
        if (linkat(root, f->path, AT_FDCWD, name, 0))
            cannot(name, "link");
        return true;
    }
    *f = (struct first){ino, strdup(path)};
    first_count++;
    return false;
}

// ---- All kinds ----

static void make(const struct image *i, const char *name, ext2_ino_t ino,
                 const struct ext2_inode_large *inode)
{
    mode_t type = inode->i_mode & S_IFMT;
    if (type == S_IFREG) {
        make_file(i, name, ino, inode);
    } else if (type == S_IFLNK) {
        char *target = inode_link(i, ino, inode);
        if (symlink(target, name))
            cannot(name, "make");
        free(target);
    } else if (type == S_IFDIR ? mkdir(name, 0700)
                               : mknod(name, type | 0600, inode_device(inode))) {
        cannot(name, "make");
    }
}

// Owner, then mode (a change of owner takes set-id bits away), attributes, times.
static void dress(const struct image *i, const char *name, ext2_ino_t ino,
                  const struct ext2_inode_large *inode)
{
    size_t n;
    struct timespec times[] = {inode_time(inode, false), inode_time(inode, true)};
    if (lchown(name, inode_uid(*inode), inode_gid(*inode)))
        cannot(name, "change the owner of");
    if (!S_ISLNK(inode->i_mode) && chmod(name, inode->i_mode & 07777))
        cannot(name, "change the mode of");
    struct attribute *a = attributes_of_inode(i, ino, &n);
    for (size_t k = 0; k < n; k++)
        if (lsetxattr(name, a[k].name, a[k].value, a[k].size, 0))
            give_up("cannot give %s its attribute %s: %s", name, a[k].name, strerror(errno));
    attributes_free(a, n);
    if (utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW))
        cannot(name, "set the times of");
}

static void extract_directory(const struct image *i, ext2_ino_t dir, char *path, size_t end)
{
    size_t n;
    struct name *names = names_load(i, dir, &n);
    for (size_t k = 0; k < n; k++) {
        const char *name = names[k].name;
        struct ext2_inode_large inode;
        inode_load(i, names[k].ino, &inode);
        size_t length = strlen(name);
        if (end + length + 2 > PATH_MAX)
            give_up("a path of the image is too long: %s/%s", path, name);
        memcpy(path + end, name, length + 1);
        if (!S_ISDIR(inode.i_mode) && inode.i_links_count > 1 &&
            make_link(path, name, names[k].ino))
            continue;
        make(i, name, names[k].ino, &inode);
        if (S_ISDIR(inode.i_mode)) {
            int here = open(".", O_PATH | O_CLOEXEC);
            if (here < 0 || chdir(name))
                cannot(name, "enter");
            path[end + length] = '/';
            extract_directory(i, names[k].ino, path, end + length + 1);
            if (fchdir(here))
                cannot(name, "leave");
            close(here);
        }
        dress(i, name, names[k].ino, &inode);
    }
    names_free(names, n);
}

void extract(const struct image *i)
{
    char path[PATH_MAX] = "";
    struct ext2_inode_large inode;
    root = open(".", O_PATH | O_CLOEXEC);
    extract_directory(i, EXT2_ROOT_INO, path, 0);
    inode_load(i, EXT2_ROOT_INO, &inode);
    dress(i, ".", EXT2_ROOT_INO, &inode);
}
