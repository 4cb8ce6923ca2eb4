// SPDX-License-Identifier: MIT
// What openat2(2) does with RESOLVE_IN_ROOT or RESOLVE_BENEATH, for hosts that have it not (before
// Linux 5.6): the directories of the way are held open, each opened by its name alone in the one
// before it, so that ".." goes back to one of them and nothing leads out.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fail.h"
#include "instance.h"
#include "root.h"

#define LINKS_MAX 40

struct way {
    int root;
    int *dir; // below it, one in the other
    size_t n, room;
};

static int top(const struct way *w)
{
    return w->n ? w->dir[w->n - 1] : w->root;
}

static void go_back(struct way *w, size_t n)
{
    while (w->n > n)
        close(w->dir[--w->n]);
}

static bool go_into(struct way *w, const char *name)
{
    int fd = openat(top(w), name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (w->n == w->room) {
        w->room = 2 * w->room + 16;
        w->dir = realloc(w->dir, w->room * sizeof *w->dir);
        if (!w->dir)
            fail("out of memory");
    }
    w->dir[w->n++] = fd;
    return true;
}

// 1: link has the text of the link `name`; 0: it is none; -1: it must not be followed. A link of
// /proc need not lead where its text says.
static int read_link(const struct way *w, const char *name, char link[LX_PATH_MAX])
{
    struct statfs fs;
    ssize_t n = readlinkat(top(w), name, link, LX_PATH_MAX);
    if (n < 0)
        return 0; // what is wrong otherwise the open says
    if (n == LX_PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    link[n] = 0;
    if (fstatfs(top(w), &fs) || fs.f_type == PROC_SUPER_MAGIC) {
        errno = ELOOP;
        return -1;
    }
    return 1;
}

// An absolute path, or link, begins at the root.
static bool begin(struct way *w, const char *text, bool beneath)
{
    errno = EXDEV;
    if (*text == '/' && beneath)
        return false;
    if (*text == '/')
        go_back(w, 0);
    return true;
}

static bool go_up(struct way *w, bool beneath)
{
    errno = EXDEV;
    if (!w->n && beneath)
        return false;
    go_back(w, w->n ? w->n - 1 : 0);
    return true;
}

// Puts the link's text before `rest`, which stands in todo.
static bool put_in(char todo[LX_PATH_MAX], const char *link, const char *rest)
{
    size_t n = strlen(link), left = strlen(rest);
    errno = ENAMETOOLONG;
    if (n + left >= LX_PATH_MAX)
        return false;
    memmove(todo + n, rest, left + 1);
    memcpy(todo, link, n);
    return true;
}

// What a link was looked for and not found in must not be one now.
static int open_last(const struct way *w, const char *name, int flags)
{
    struct stat st;
    int fd = openat(top(w), name, flags | O_NOFOLLOW);
    if (fd >= 0 && !(flags & O_NOFOLLOW) && (fstat(fd, &st) || S_ISLNK(st.st_mode))) {
        close(fd);
        errno = ELOOP;
        return -1;
    }
    return fd;
}

static int walk(struct way *w, char todo[LX_PATH_MAX], int flags, bool beneath)
{
    char name[LX_PATH_MAX], link[LX_PATH_MAX];
    int links = 0;
    if (!begin(w, todo, beneath))
        return -1;
    for (char *p = todo;;) {
        p += strspn(p, "/");
        size_t n = strcspn(p, "/");
        if (!n)
            return openat(top(w), ".", flags);
        memcpy(name, p, n);
        name[n] = 0;
        p += n;
        bool last = !*p, ok = true;
        int is = 0;
        if (!strcmp(name, ".."))
            ok = go_up(w, beneath);
        else if (strcmp(name, ".") != 0) {
            is = last && (flags & O_NOFOLLOW) ? 0 : read_link(w, name, link);
            if (!is && last)
                return open_last(w, name, flags);
            ok = is < 0 ? false : is || go_into(w, name);
        }
        if (!ok)
            return -1;
        if (is) {
            errno = ELOOP;
            if (++links > LINKS_MAX || !put_in(todo, link, p) || !begin(w, todo, beneath))
                return -1;
            p = todo;
        }
    }
}

int walk_in_root(int root_fd, const char *path, int flags, bool beneath)
{
    char todo[LX_PATH_MAX];
    struct way w = {.root = root_fd};
    int fd = -1;
    errno = ENAMETOOLONG;
    if (strlen(path) < sizeof todo) {
        strcpy(todo, path);
        fd = walk(&w, todo, flags | O_CLOEXEC, beneath);
    }
    int e = errno;
    go_back(&w, 0);
    free(w.dir);
    errno = e;
    return fd;
}
