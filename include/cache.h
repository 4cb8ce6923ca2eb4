// SPDX-License-Identifier: MIT
// The cache of rewritten code, as the hosted program uses it (rewrite/cache.c; the format is in
// rewrite.h).
#ifndef LX_CACHE_H
#define LX_CACHE_H

#include <stdbool.h>

// The file of known attributes in the same directory (cli/attrs.c).
#define CACHE_ATTRS "attrs"
#define CACHE_ATTRS_NESTED "attrs-nested" // the same inodes have others for an lxrun inside lxrun

// Opens the cache directory of the user, $XDG_CACHE_HOME/lxrun or $HOME/.cache/lxrun, which is made
// when it is not there. Returns a descriptor that is good for lxcore too, or -errno: -ENOENT when
// neither variable is set, -EPERM when the directory is another user's, others may write to it, or
// it is a symlink.
int cache_open(void);

// Makes the entry of the file behind a descriptor, unless the cache has it. Returns 0 when the
// index knows the file now, be it as one that has nothing to rewrite; else -errno: -EAGAIN when
// the file changed a moment ago (try later), -EINVAL when it is not a regular file, or
// one without a name.
// May be called by many processes at a time. Takes up to seconds and several times the file's size
// of memory: not for a process that others wait for.
int rewrite_file(int cache, int fd);
// Does the index know the file behind a descriptor (also one of O_PATH)? Looks at no content.
bool rewrite_is_known(int cache, int fd);

// lxrun --rewrite FILE... and lxrun --disas FILE: they print, and return an exit status (0 or 125).
int rewrite_command(char **files, bool verbose);
int disas_command(char **files);

#endif
