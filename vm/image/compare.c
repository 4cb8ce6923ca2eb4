// SPDX-License-Identifier: MIT
// lximage: is an image, inode by inode, what the tree is?
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

#define PIECE (1 << 20)

static _Noreturn void differ(const char *name, const char *what)
{
    char *dir = get_current_dir_name();
    give_up("the image is not the tree: %s of %s/%s", what, dir ? dir : "", name);
}

// ---- Content ----

struct content {
    const char *name;
    int fd;
    off_t at; // so far it is the same
};

static char piece[2][PIECE];

static bool is_zero(const char *p, size_t n)
{
    return !n || (!*p && !memcmp(p, p + 1, n - 1));
}

static size_t next_piece(off_t from, off_t to)
{
    return to - from < PIECE ? (size_t)(to - from) : PIECE;
}

// The image has nothing up to `end`; so may the tree have, or zeros.
static void compare_hole(struct content *c, off_t end)
{
    while (c->at < end) {
        off_t data = lseek(c->fd, c->at, SEEK_DATA);
        c->at = data < 0 && errno == ENXIO ? end : data > c->at ? data : c->at;
        if (c->at >= end)
            break;
        size_t n = next_piece(c->at, end);
        if (pread(c->fd, piece[0], n, c->at) != (ssize_t)n || !is_zero(piece[0], n))
            differ(c->name, "content");
        c->at += (off_t)n;
    }
    c->at = end;
}

static void compare_part(void *arg, int fd, off_t in_file, off_t in_image, size_t length)
{
    struct content *c = arg;
    compare_hole(c, in_file);
    off_t end = in_file + (off_t)length;
    for (size_t n; c->at < end; c->at += (off_t)n) {
        n = next_piece(c->at, end);
        if (pread(c->fd, piece[0], n, c->at) != (ssize_t)n ||
            pread(fd, piece[1], n, in_image + c->at - in_file) != (ssize_t)n ||
            memcmp(piece[0], piece[1], n) != 0)
            differ(c->name, "content");
    }
}

static void compare_content(const struct image *i, const char *name, ext2_ino_t ino,
                            const struct ext2_inode_large *inode)
{
    struct content c = {.name = name, .fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    if (c.fd < 0)
        differ(name, "the way to read");
    data_parts(i, ino, inode, compare_part, &c);
    compare_hole(&c, (off_t)EXT2_I_SIZE(inode));
    close(c.fd);
}

// ---- One inode ----

static void compare_attributes(const struct image *i, const char *name, ext2_ino_t ino)
{
    size_t n, m;
    struct attribute *a = attributes_of_file(name, &n), *b = attributes_of_inode(i, ino, &m);
    bool same = n == m;
    for (size_t k = 0; same && k < n; k++)
        same = !strcmp(a[k].name, b[k].name) && a[k].size == b[k].size &&
               !memcmp(a[k].value, b[k].value, a[k].size);
    if (!same)
        differ(name, "attributes");
    attributes_free(a, n);
    attributes_free(b, m);
}

static void set_time(__u32 *seconds, __u32 *extra, const struct timespec *t)
{
    *seconds = (__u32)t->tv_sec;
    *extra = (__u32)t->tv_nsec << 2 | (((__u64)t->tv_sec - (__u64)(int)t->tv_sec) >> 32 & 3);
}

// What mke2fs -d leaves out.
static void finish_inode(const struct image *i, const struct stat *st, ext2_ino_t ino,
                         struct ext2_inode_large *inode)
{
    set_time(&inode->i_atime, &inode->i_atime_extra, &st->st_atim);
    set_time(&inode->i_mtime, &inode->i_mtime_extra, &st->st_mtim);
    set_time(&inode->i_ctime, &inode->i_ctime_extra, &st->st_ctim);
    if (ino == EXT2_ROOT_INO) {
        inode->i_mode = (__u16)st->st_mode;
        inode->i_uid = (__u16)st->st_uid;
        inode->i_gid = (__u16)st->st_gid;
        inode->osd2.linux2.l_i_uid_high = (__u16)(st->st_uid >> 16);
        inode->osd2.linux2.l_i_gid_high = (__u16)(st->st_gid >> 16);
    }
    errcode_t e = ext2fs_write_inode_full(i->fs, ino, (struct ext2_inode *)inode, sizeof *inode);
    if (e)
        give_up("cannot write inode %u of the image: %s", ino, error_message(e));
}

static void compare_inode(const struct image *i, const char *name, ext2_ino_t ino, bool set_times,
                          struct stat *st)
{
    struct ext2_inode_large inode;
    if (lstat(name, st))
        give_up("%s: %s", name, strerror(errno));
    inode_load(i, ino, &inode);
    if (set_times)
        finish_inode(i, st, ino, &inode);
    struct timespec mtime = inode_time(&inode, true);
    if (st->st_mode != inode.i_mode)
        differ(name, "type or mode");
    if (st->st_uid != inode_uid(inode) || st->st_gid != inode_gid(inode))
        differ(name, "owner");
    if (st->st_mtim.tv_sec != mtime.tv_sec || st->st_mtim.tv_nsec != mtime.tv_nsec)
        differ(name, "time");
    compare_attributes(i, name, ino);
    if (S_ISDIR(st->st_mode))
        return;
    bool first;
    if (!pair_note(st, ino, inode.i_links_count, &first))
        differ(name, "hard link");
    if (S_ISREG(st->st_mode)) {
        if (st->st_size != (off_t)EXT2_I_SIZE(&inode))
            differ(name, "size");
        if (first)
            compare_content(i, name, ino, &inode);
    } else if (S_ISLNK(st->st_mode)) {
        char target[4097] = "", *other = inode_link(i, ino, &inode);
        if (readlink(name, target, sizeof target - 1) < 0 || strcmp(target, other) != 0)
            differ(name, "target");
        free(other);
    } else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
        if (st->st_rdev != inode_device(&inode))
            differ(name, "device");
    }
}

// ---- Directories ----

static struct name *names_of_tree(size_t *n)
{
    size_t room = 64;
    struct name *names = malloc(room * sizeof *names);
    DIR *d = opendir(".");
    if (!d || !names)
        differ(".", "the way to read");
    *n = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (*n == room) {
            room *= 2;
            names = realloc(names, room * sizeof *names);
            if (!names)
                give_up("out of memory");
        }
        names[(*n)++].name = strdup(e->d_name);
    }
    closedir(d);
    if (*n)
        qsort(names, *n, sizeof *names, name_compare);
    return names;
}

// The current directory, and what is below.
static void compare_directory(const struct image *i, ext2_ino_t dir, bool set_times)
{
    size_t n, m;
    struct name *ours = names_of_tree(&n), *theirs = names_load(i, dir, &m);
    for (size_t k = 0; k < n || k < m; k++) {
        struct stat st;
        if (k >= n || k >= m || strcmp(ours[k].name, theirs[k].name) != 0)
            differ(k < n ? ours[k].name : theirs[k].name, "the name");
        compare_inode(i, ours[k].name, theirs[k].ino, set_times, &st);
        if (!S_ISDIR(st.st_mode))
            continue;
        int here = open(".", O_PATH | O_CLOEXEC);
        int there = open(ours[k].name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (here < 0 || there < 0 || fchdir(there))
            differ(ours[k].name, "the way to enter");
        close(there);
        compare_directory(i, theirs[k].ino, set_times);
        if (fchdir(here))
            give_up("cannot go back: %s", strerror(errno));
        close(here);
    }
    names_free(ours, n);
    names_free(theirs, m);
}

void compare(const struct image *i, bool set_times)
{
    struct stat st;
    compare_inode(i, ".", EXT2_ROOT_INO, set_times, &st);
    compare_directory(i, EXT2_ROOT_INO, set_times);
    // The tree's own counts say nothing: a file may have names outside of it.
    if (!pairs_even())
        differ(".", "the number of links of a file");
}
