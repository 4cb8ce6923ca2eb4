// SPDX-License-Identifier: MIT
// See warm.h. A root is known by its directory of programs, with its ctime: where programs come or
// go the list is gone through again, which costs a stat for each name. A library that was replaced
// is not noticed here; guests ask for it themselves, as for everything that is not in the list.
#define _GNU_SOURCE
#include "warm.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "root.h"
#include "types.h"

#define LIST_VERSION 1 // another list, another number

static const char *const loaders[] = {"ld-linux-x86-64.so.2", "ld-musl-x86_64.so.1", NULL};
static const char *const libraries[] = {
    "libc.so.6",       "libtinfo.so.6",    "libselinux.so.1", "libacl.so.1", "libattr.so.1",
    "libpcre2-8.so.0", "libpthread.so.0",  "libdl.so.2",      "libm.so.6",   "librt.so.1",
    "libgmp.so.10",    "libreadline.so.8", "libcap.so.2",     NULL};
// What has most of its system calls itself comes first.
static const char *const programs[] = {
    "busybox", "sh",       "bash",      "dash",      "coreutils", "env",       "ls",
    "cat",     "sed",      "grep",      "find",      "tar",       "xargs",     "awk",
    "mawk",    "gawk",     "gzip",      "egrep",     "fgrep",     "which",     "cmp",
    "diff",    "[",        "arch",      "b2sum",     "base32",    "base64",    "basename",
    "chgrp",   "chmod",    "chown",     "cksum",     "comm",      "cp",        "csplit",
    "cut",     "date",     "dd",        "df",        "dir",       "dircolors", "dirname",
    "du",      "echo",     "expand",    "expr",      "factor",    "false",     "fmt",
    "fold",    "groups",   "head",      "hostid",    "hostname",  "id",        "install",
    "join",    "kill",     "link",      "ln",        "logname",   "md5sum",    "mkdir",
    "mkfifo",  "mknod",    "mktemp",    "mv",        "nice",      "nl",        "nohup",
    "nproc",   "numfmt",   "od",        "paste",     "pathchk",   "pr",        "printenv",
    "printf",  "ptx",      "pwd",       "readlink",  "realpath",  "rm",        "rmdir",
    "seq",     "sha1sum",  "sha256sum", "sha512sum", "shred",     "shuf",      "sleep",
    "sort",    "split",    "stat",      "stdbuf",    "stty",      "sum",       "sync",
    "tac",     "tail",     "tee",       "test",      "timeout",   "touch",     "tr",
    "true",    "truncate", "tsort",     "tty",       "uname",     "unexpand",  "uniq",
    "unlink",  "users",    "vdir",      "wc",        "who",       "whoami",    "yes",
    "ps",      "mount",    "umount",    "login",     "su",        NULL};

static const struct group {
    const char *directory;
    const char *const *names;
} groups[] = {{"lib64", loaders},   {"lib", loaders},  {"lib/x86_64-linux-gnu", libraries},
              {"lib64", libraries}, {"bin", programs}, {"usr/bin", programs}};

void warm_begin(struct warming *w, int cache, int root)
{
    struct stat st;
    *w = (struct warming){.cache = cache, .root = root, .ends = true};
    int bin = root >= 0 ? root_open(root, "bin", O_PATH | O_DIRECTORY) : -1;
    if (bin < 0)
        return;
    if (!fstat(bin, &st)) {
        snprintf(w->mark, sizeof w->mark, "w%d-%lx.%lx.%lx.%lx", LIST_VERSION, st.st_dev, st.st_ino,
                 st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
        w->ends = !faccessat(cache, w->mark, F_OK, 0);
    }
    close(bin);
}

// Opens a file of the root that the cache does not have; -1: not there, or not to be rewritten.
static int open_wanted(const struct warming *w, const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    // What it is comes first: opening a device does things.
    int fd = root_open(w->root, path, O_PATH), file = -1;
    if (fd < 0)
        return -1;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !rewrite_is_known(w->cache, fd)) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        file = open(path, O_RDONLY | O_CLOEXEC);
    }
    close(fd);
    return file;
}

int warm_next(struct warming *w)
{
    for (; w->group < ARRAY_LEN(groups); w->group++, w->name = 0) {
        const struct group *g = &groups[w->group];
        while (g->names[w->name]) {
            int fd = open_wanted(w, g->directory, g->names[w->name++]);
            if (fd >= 0)
                return fd;
        }
    }
    int mark = openat(w->cache, w->mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
    if (mark >= 0)
        close(mark);
    w->ends = true;
    return -1;
}
