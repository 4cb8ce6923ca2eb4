// SPDX-License-Identifier: MIT
// build/lximage: trees of files and ext4 images. It runs under lxrun as the guest's root, so that
// owners, modes and device nodes are plain system calls here, and libext2fs does the other side.
//
//   lximage finish DIR IMAGE     gives what mke2fs -d made of DIR the times that it does not keep,
//                                then compares every inode of both
//   lximage compare DIR IMAGE    only compares
//   lximage extract IMAGE DIR    makes DIR (empty) the tree in IMAGE, then compares the same way
#ifndef LX_VM_IMAGE_H
#define LX_VM_IMAGE_H

#include <ext2fs/ext2fs.h>
#include <stdbool.h>
#include <sys/stat.h>

struct image {
    ext2_filsys fs;
    int fd; // of the file, for the data
};

// ---- image.c ----

_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));
void inode_load(const struct image *i, ext2_ino_t ino, struct ext2_inode_large *inode);
struct timespec inode_time(const struct ext2_inode_large *inode, bool modified);
dev_t inode_device(const struct ext2_inode_large *inode);
char *inode_link(const struct image *i, ext2_ino_t ino, const struct ext2_inode_large *inode);

struct name {
    char *name;
    ext2_ino_t ino;
};
// The entries of a directory, sorted; without ".", ".." and the root's lost+found.
struct name *names_load(const struct image *i, ext2_ino_t dir, size_t *n);
void names_free(struct name *names, size_t n);
int name_compare(const void *a, const void *b);

// Calls fn for each part of a regular file that has data, in order; the rest reads as zeros.
typedef void part_fn(void *arg, int fd, off_t in_file, off_t in_image, size_t length);
void data_parts(const struct image *i, ext2_ino_t ino, const struct ext2_inode_large *inode,
                part_fn *fn, void *arg);

struct attribute {
    char *name;
    void *value;
    size_t size;
};
// Extended attributes, sorted by name: of an inode of the image, of a file of the current
// directory.
struct attribute *attributes_of_inode(const struct image *i, ext2_ino_t ino, size_t *n);
struct attribute *attributes_of_file(const char *name, size_t *n);
void attributes_free(struct attribute *a, size_t n);

// Notes a name of an inode of the tree, and what has that name in the image: an inode with so many
// links. *first: it is the first name. False: those before were of another inode of the image, or
// there are more of them than links.
bool pair_note(const struct stat *st, ext2_ino_t image, unsigned links, bool *first);
// Has every inode had as many names as links?
bool pairs_even(void);

// ---- compare.c, extract.c ----

// Of the tree that is the current directory. set_times: the image's are to be those of the tree.
void compare(const struct image *i, bool set_times);
void extract(const struct image *i);

#endif
