// SPDX-License-Identifier: MIT
// lximage: an ext4 image by libext2fs, and the command itself (image.h).
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

void give_up(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("lxrun: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    exit(1);
}

static void *must(void *p)
{
    if (!p)
        give_up("out of memory");
    return p;
}

// ---- Inodes ----

static void image_load(struct image *i, const char *path, bool write)
{
    int flags = EXT2_FLAG_64BITS | (write ? EXT2_FLAG_RW : 0);
    errcode_t e = ext2fs_open(path, flags, 0, 0, unix_io_manager, &i->fs);
    if (e)
        give_up("cannot read the image %s: %s", path, error_message(e));
    i->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (i->fd < 0)
        give_up("cannot open the image %s: %s", path, strerror(errno));
}

void inode_load(const struct image *i, ext2_ino_t ino, struct ext2_inode_large *inode)
{
    memset(inode, 0, sizeof *inode);
    errcode_t e = ext2fs_read_inode_full(i->fs, ino, (struct ext2_inode *)inode, sizeof *inode);
    if (e)
        give_up("cannot read inode %u of the image: %s", ino, error_message(e));
}

struct timespec inode_time(const struct ext2_inode_large *inode, bool modified)
{
    // 34 bits of seconds and 30 of nanoseconds (kernel: fs/ext4/ext4.h, ext4_decode_extra_time).
    __u32 extra = modified ? inode->i_mtime_extra : inode->i_atime_extra;
    struct timespec t = {(int)(modified ? inode->i_mtime : inode->i_atime), extra >> 2};
    t.tv_sec += (time_t)(extra & 3) << 32;
    return t;
}

dev_t inode_device(const struct ext2_inode_large *inode)
{
    unsigned old = inode->i_block[0], new = inode->i_block[1];
    if (old)
        return makedev(old >> 8 & 0xff, old & 0xff);
    return makedev((new & 0xfff00) >> 8, (new & 0xff) | (new >> 12 & 0xfff00));
}

char *inode_link(const struct image *i, ext2_ino_t ino, const struct ext2_inode_large *inode)
{
    size_t size = EXT2_I_SIZE(inode);
    char *target = must(calloc(1, size + 1));
    ext2_file_t file;
    unsigned got = 0;
    if (ext2fs_is_fast_symlink((struct ext2_inode *)inode)) {
        memcpy(target, inode->i_block, size);
        return target;
    }
    errcode_t e = ext2fs_file_open(i->fs, ino, 0, &file);
    if (!e)
        e = ext2fs_file_read(file, target, (unsigned)size, &got);
    if (e || got != size)
        give_up("cannot read symlink %u of the image", ino);
    ext2fs_file_close(file);
    return target;
}

// ---- Directories ----

struct listing {
    struct name *names;
    size_t n, room;
    bool root;
};

static int list_one(ext2_ino_t dir, int entry, struct ext2_dir_entry *d, int offset, int size,
                    char *buf, void *arg)
{
    struct listing *l = arg;
    int n = ext2fs_dirent_name_len(d);
    (void)dir, (void)offset, (void)size, (void)buf;
    if (entry == DIRENT_DOT_FILE || entry == DIRENT_DOT_DOT_FILE || !d->inode)
        return 0;
    if (l->root && n == 10 && !memcmp(d->name, "lost+found", 10))
        return 0;
    if (l->n == l->room) {
        l->room = l->room * 2 + 16;
        l->names = must(realloc(l->names, l->room * sizeof *l->names));
    }
    l->names[l->n++] = (struct name){must(strndup(d->name, (size_t)n)), d->inode};
    return 0;
}

int name_compare(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->name, ((const struct name *)b)->name);
}

struct name *names_load(const struct image *i, ext2_ino_t dir, size_t *n)
{
    struct listing l = {.root = dir == EXT2_ROOT_INO};
    errcode_t e = ext2fs_dir_iterate2(i->fs, dir, 0, NULL, list_one, &l);
    if (e)
        give_up("cannot read directory %u of the image: %s", dir, error_message(e));
    if (l.n)
        qsort(l.names, l.n, sizeof *l.names, name_compare);
    *n = l.n;
    return l.names;
}

void names_free(struct name *names, size_t n)
{
    while (n)
        free(names[--n].name);
    free(names);
}

// ---- Data ----

struct blocks {
    const struct image *image;
    part_fn *fn;
    void *arg;
    off_t size;
    blk64_t logical, physical; // of the part that is being put together
    blk64_t length;
};

static void flush_part(struct blocks *b)
{
    off_t block = b->image->fs->blocksize, at = (off_t)b->logical * block;
    off_t length = (off_t)b->length * block;
    if (at + length > b->size)
        length = b->size - at;
    if (b->length && length > 0)
        b->fn(b->arg, b->image->fd, at, (off_t)b->physical * block, (size_t)length);
    b->length = 0;
}

static void add_blocks(struct blocks *b, blk64_t logical, blk64_t physical, blk64_t length)
{
    if (!b->length || b->logical + b->length != logical || b->physical + b->length != physical) {
        flush_part(b);
        b->logical = logical;
        b->physical = physical;
    }
    b->length += length;
}

static int add_block(ext2_filsys fs, blk64_t *physical, e2_blkcnt_t logical, blk64_t ref,
                     int offset, void *arg)
{
    (void)fs, (void)ref, (void)offset;
    if (logical >= 0)
        add_blocks(arg, (blk64_t)logical, *physical, 1);
    return 0;
}

static void add_extents(struct blocks *b, ext2_ino_t ino)
{
    ext2_extent_handle_t handle;
    struct ext2fs_extent x;
    errcode_t e = ext2fs_extent_open(b->image->fs, ino, &handle);
    if (e)
        give_up("cannot read inode %u of the image: %s", ino, error_message(e));
    for (int op = EXT2_EXTENT_ROOT; !(e = ext2fs_extent_get(handle, op, &x)); op = EXT2_EXTENT_NEXT)
        // What was only set aside (fallocate) reads as zeros.
        if ((x.e_flags & EXT2_EXTENT_FLAGS_LEAF) && !(x.e_flags & EXT2_EXTENT_FLAGS_UNINIT))
            add_blocks(b, x.e_lblk, x.e_pblk, x.e_len);
    ext2fs_extent_free(handle);
    if (e != EXT2_ET_EXTENT_NO_NEXT && e != EXT2_ET_NO_CURRENT_NODE)
        give_up("cannot read inode %u of the image: %s", ino, error_message(e));
}

void data_parts(const struct image *i, ext2_ino_t ino, const struct ext2_inode_large *inode,
                part_fn *fn, void *arg)
{
    struct blocks b = {.image = i, .fn = fn, .arg = arg, .size = (off_t)EXT2_I_SIZE(inode)};
    errcode_t e = 0;
    if (inode->i_flags & EXT4_INLINE_DATA_FL)
        give_up("inode %u of the image has inline data, which is not supported", ino);
    if (inode->i_flags & (EXT4_ENCRYPT_FL))
        give_up("inode %u of the image is encrypted", ino);
    if (inode->i_flags & EXT4_EXTENTS_FL)
        add_extents(&b, ino);
    else
        e = ext2fs_block_iterate3(i->fs, ino, BLOCK_FLAG_DATA_ONLY, NULL, add_block, &b);
    if (e)
        give_up("cannot read inode %u of the image: %s", ino, error_message(e));
    flush_part(&b);
}

// ---- Extended attributes ----

struct attributes {
    struct attribute *list;
    size_t n;
};

static int attribute_compare(const void *a, const void *b)
{
    return strcmp(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

static void attribute_add(struct attributes *a, const char *name, const void *value, size_t size)
{
    a->list = must(realloc(a->list, (a->n + 1) * sizeof *a->list));
    a->list[a->n] = (struct attribute){must(strdup(name)), must(malloc(size + 1)), size};
    memcpy(a->list[a->n++].value, value, size);
}

static void attributes_sort(const struct attributes *a)
{
    if (a->n)
        qsort(a->list, a->n, sizeof *a->list, attribute_compare);
}

// An ACL on the disk leaves out what an entry does not need (kernel: fs/ext4/acl.h); the one that
// system calls know has an id in every entry.
static void acl_add(struct attributes *a, const char *name, const char *value, size_t size)
{
    struct entry {
        __u16 tag, permissions;
        __u32 id;
    };
    struct {
        __u32 version;
        struct entry entry[4096];
    } acl = {.version = 2}; // POSIX_ACL_XATTR_VERSION
    size_t n = 0, at = sizeof acl.version;
    while (at + 4 <= size && n < sizeof acl.entry / sizeof *acl.entry) {
        struct entry *e = &acl.entry[n++];
        e->id = ~0U;
        memcpy(e, value + at, 4);
        bool has_id = e->tag == 2 || e->tag == 8; // ACL_USER, ACL_GROUP
        if (has_id && at + 8 <= size)
            memcpy(&e->id, value + at + 4, 4);
        at += has_id ? 8 : 4;
    }
    attribute_add(a, name, &acl, sizeof acl.version + n * sizeof(struct entry));
}

static int attribute_of_inode(char *name, char *value, size_t size, void *arg)
{
    if (!strncmp(name, "system.posix_acl_", 17))
        acl_add(arg, name, value, size);
    else
        attribute_add(arg, name, value, size);
    return 0;
}

struct attribute *attributes_of_inode(const struct image *i, ext2_ino_t ino, size_t *n)
{
    struct attributes a = {0};
    struct ext2_xattr_handle *handle;
    errcode_t e = ext2fs_xattrs_open(i->fs, ino, &handle);
    if (!e)
        e = ext2fs_xattrs_read(handle);
    if (!e)
        e = ext2fs_xattrs_iterate(handle, attribute_of_inode, &a);
    if (e)
        give_up("cannot read the attributes of inode %u of the image: %s", ino, error_message(e));
    ext2fs_xattrs_close(&handle);
    attributes_sort(&a);
    *n = a.n;
    return a.list;
}

struct attribute *attributes_of_file(const char *name, size_t *n)
{
    static char list[65536], value[65536];
    struct attributes a = {0};
    ssize_t size = llistxattr(name, list, sizeof list);
    if (size < 0 && errno != ENOTSUP)
        give_up("cannot list the attributes of %s: %s", name, strerror(errno));
    for (const char *p = list; p < list + size; p += strlen(p) + 1) {
        ssize_t got = lgetxattr(name, p, value, sizeof value);
        if (got < 0)
            give_up("cannot read attribute %s of %s: %s", p, name, strerror(errno));
        attribute_add(&a, p, value, (size_t)got);
    }
    attributes_sort(&a);
    *n = a.n;
    return a.list;
}

void attributes_free(struct attribute *a, size_t n)
{
    while (n--) {
        free(a[n].name);
        free(a[n].value);
    }
    free(a);
}

// ---- Hard links ----

struct pair {
    dev_t dev;
    ino_t ino;
    ext2_ino_t image; // 0: a free place
    unsigned left;    // names that are still to come
};

static struct pair *pairs;
static size_t pair_room, pair_count, names_left;

static struct pair *pair_place(dev_t dev, ino_t ino)
{
    size_t at = (size_t)(ino * 0x9e3779b97f4a7c15 ^ dev) & (pair_room - 1);
    while (pairs[at].image && (pairs[at].ino != ino || pairs[at].dev != dev))
        at = (at + 1) & (pair_room - 1);
    return &pairs[at];
}

static void pair_make_room(void)
{
    struct pair *old = pairs;
    size_t n = pair_room;
    pair_room = n ? n * 2 : 1024;
    pairs = must(calloc(pair_room, sizeof *pairs));
    for (size_t i = 0; i < n; i++)
        if (old[i].image)
            *pair_place(old[i].dev, old[i].ino) = old[i];
    free(old);
}

bool pair_note(const struct stat *st, ext2_ino_t image, unsigned links, bool *first)
{
    if (pair_count * 2 >= pair_room)
        pair_make_room();
    struct pair *p = pair_place(st->st_dev, st->st_ino);
    *first = !p->image;
    if (*first) {
        *p = (struct pair){st->st_dev, st->st_ino, image, links - 1};
        pair_count++;
        names_left += links - 1;
        return links > 0;
    }
    if (p->image != image || !p->left)
        return false;
    p->left--;
    names_left--;
    return true;
}

bool pairs_even(void)
{
    return !names_left;
}

// ---- The command ----

int main(int argc, char **argv)
{
    struct image i;
    const char *what = argc == 4 ? argv[1] : "";
    bool finish = !strcmp(what, "finish"), back = !strcmp(what, "extract");
    if (!finish && !back && strcmp(what, "compare") != 0)
        give_up("usage: lximage finish|compare DIR IMAGE | extract IMAGE DIR");
    image_load(&i, argv[back ? 2 : 3], finish);
    if (chdir(argv[back ? 3 : 2]))
        give_up("cannot enter %s: %s", argv[back ? 3 : 2], strerror(errno));
    umask(0);
    if (back)
        extract(&i);
    compare(&i, finish);
    errcode_t e = ext2fs_close(i.fs);
    if (e)
        give_up("cannot write the image: %s", error_message(e));
    return 0;
}
