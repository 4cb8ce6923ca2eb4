// SPDX-License-Identifier: MIT
// The walk that takes openat2's place in lxrun (cli/rootwalk.c) beside openat2 itself, by paths at
// random in a tree with links at random: the same file, or the same error.
// (scripts/check-rootwalk.sh)
//
//     rootwalk DIR SEED
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "root.h"

#define LEN(a) (sizeof(a) / sizeof *(a))

static const char *const pieces[] = {"a",   "b",    "f",   "l1",     "l2",      "l3", "l4",
                                     "..",  ".",    "..",  "/",      "//",      "p",  "loop",
                                     "abs", "dots", "../", "a/dots", "missing", "a/", "b/"};
static const char *const links[] = {"l1", "l2", "l3", "l4", "a/l1", "a/l2", "a/b/l1", "b/l3"};
static const char *const texts[] = {"a", "..", "/a/b",      "../../..", "/",      "l1",
                                    "f", "p/", "missing/x", "/../../a", "./b/..", "../outside"};
static const int flags[] = {O_PATH,
                            O_PATH | O_DIRECTORY,
                            O_RDONLY | O_NONBLOCK,
                            O_RDONLY | O_DIRECTORY,
                            O_PATH | O_NOFOLLOW,
                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK};

_Noreturn void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    exit(1);
}

static size_t below(size_t n)
{
    return (size_t)rand() % n;
}

static long identity(int fd)
{
    struct stat st;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st))
        fail("fstat\n");
    close(fd);
    return (long)st.st_ino;
}

static long by_openat2(int root, const char *path, int flags, bool beneath)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = (beneath ? RESOLVE_BENEATH : RESOLVE_IN_ROOT) |
                                      RESOLVE_NO_MAGICLINKS};
    long r;
    do // a rename anywhere on the machine makes ".." doubtful
        r = identity((int)syscall(SYS_openat2, root, path, &how, sizeof how));
    while (r == -EAGAIN);
    return r;
}

static int make_tree(const char *dir)
{
    int root =
        chdir(dir) || mkdir("outside", 0755) || mkdir("root", 0755) ? -1 : open("root", O_PATH);
    if (root < 0 || mkdirat(root, "a", 0755) || mkdirat(root, "a/b", 0755) ||
        mkdirat(root, "b", 0755) || mknodat(root, "f", S_IFREG | 0600, 0) ||
        mknodat(root, "a/f", S_IFREG | 0600, 0) || mknodat(root, "p", S_IFIFO | 0600, 0) ||
        symlinkat("loop", root, "loop") || symlinkat("/a/b", root, "abs") ||
        symlinkat("..", root, "a/dots") || symlinkat("../..", root, "dots"))
        fail("cannot make the tree\n");
    return root;
}

static void make_path(char path[200])
{
    *path = 0;
    for (size_t n = 1 + below(9); n; n--) {
        strcat(path, pieces[below(LEN(pieces))]);
        strcat(path, below(4) ? "/" : "");
    }
    for (size_t n = strlen(path); below(2) && n > 1 && path[n - 1] == '/';)
        path[--n] = 0;
}

int main(int argc, char **argv)
{
    char path[200];
    int tried = 0, found = 0, differ = 0;
    if (argc != 3)
        return 2;
    srand((unsigned)atoi(argv[2]));
    int root = make_tree(argv[1]);
    if (by_openat2(root, ".", O_PATH, false) == -ENOSYS) {
        printf("this host has no openat2\n");
        return 77;
    }
    for (int round = 0; round < 60; round++) {
        for (size_t i = 0; i < LEN(links); i++)
            if ((unlinkat(root, links[i], 0) && errno != ENOENT) ||
                symlinkat(texts[below(LEN(texts))], root, links[i]))
                fail("cannot make a link\n");
        for (int i = 0; i < 2000; i++, tried++) {
            make_path(path);
            int how = flags[below(LEN(flags))];
            bool beneath = below(2);
            long r = by_openat2(root, path, how, beneath);
            long ours = identity(walk_in_root(root, path, how, beneath));
            found += r > 0;
            if (r != ours && differ++ < 20)
                printf("%s, flags %o, %s: %ld, not %ld\n", path, (unsigned)how,
                       beneath ? "beneath" : "in the root", ours, r);
        }
    }
    printf("%d tried, %d found, %d differ\n", tried, found, differ);
    return differ > 0;
}
