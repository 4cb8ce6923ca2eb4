// SPDX-License-Identifier: MIT
// Paths of a guest tree on the host, before there is an instance: every symlink is taken inside
// the tree (RESOLVE_IN_ROOT).
#ifndef LX_CLI_ROOT_H
#define LX_CLI_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// openat2 inside the tree; O_CLOEXEC is added. A descriptor, or -1 with errno.
int root_open(int root_fd, const char *path, int flags);
// The same, but what leads out of the tree is EXDEV (RESOLVE_BENEATH).
int root_open_beneath(int root_fd, const char *path, int flags);
// What both do on hosts without openat2 (cli/rootwalk.c).
int walk_in_root(int root_fd, const char *path, int flags, bool beneath);
// A plain file of the tree for reading; NULL where there is none.
FILE *root_read(int root_fd, const char *path);
// Makes path (relative, normalised) a directory, or a plain file, of the tree with all that leads
// there, and writes the symlink-free path to it into out. may_make: or nothing is made that is not
// there. False with errno.
bool root_make(int root_fd, const char *path, bool directory, bool may_make, char *out, size_t n);
// Host path of an open descriptor.
bool fd_host_path(int fd, char *out, size_t n);
// Removes empty and "." components of an absolute path and takes ".." by the text.
void path_normalise(char *path);
// Removes a directory and what is below it, never following a symlink. last: what goes last of what
// is in it, or NULL.
void remove_tree(int dirfd, const char *name, const char *last);

#endif
