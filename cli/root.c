// SPDX-License-Identifier: MIT
// Paths of a guest tree on the host (root.h).
#define _GNU_SOURCE
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instance.h"

static int open_by(int root_fd, const char *path, int flags, bool beneath)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = (beneath ? RESOLVE_BENEATH : RESOLVE_IN_ROOT) |
                                      RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
    // EPERM: a container's filter.
    return fd >= 0 || (errno != ENOSYS && errno != EPERM)
               ? fd
               : walk_in_root(root_fd, path, flags, beneath);
}

int root_open(int root_fd, const char *path, int flags)
{
    return open_by(root_fd, path, flags, false);
}

int root_open_beneath(int root_fd, const char *path, int flags)
{
    return open_by(root_fd, path, flags, true);
}

// A guest can make it anything: what is no file is not opened, and one without end not read.
FILE *root_read(int root_fd, const char *path)
{
    const off_t enough = 256 << 20;
    struct stat st;
    char self[40];
    int place = root_open(root_fd, path, O_PATH), fd = -1;
    if (place < 0)
        return NULL;
    snprintf(self, sizeof self, "/proc/self/fd/%d", place);
    if (!fstat(place, &st) && S_ISREG(st.st_mode) && st.st_size <= enough)
        fd = open(self, O_RDONLY | O_CLOEXEC);
    close(place);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (fd >= 0 && !f)
        close(fd);
    return f;
}

bool fd_host_path(int fd, char *out, size_t n)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, n - 1);
    if (len < 0)
        return false;
    out[len] = 0;
    return true;
}

// One step of root_make: opens path[0..len), which is made below dir when it is missing.
static int step(int root_fd, int dir, const char *path, size_t len, bool directory, bool may_make)
{
    char prefix[LX_PATH_MAX];
    snprintf(prefix, sizeof prefix, "%.*s", (int)len, path);
    int fd = root_open(root_fd, prefix, O_PATH);
    if (fd >= 0 || errno != ENOENT || !may_make)
        return fd;
    const char *slash = strrchr(prefix, '/');
    const char *name = slash ? slash + 1 : prefix;
    if (directory) {
        if (mkdirat(dir, name, 0755) && errno != EEXIST)
            return -1;
    } else {
        int file = openat(dir, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
        if (file < 0)
            return -1;
        close(file);
    }
    return root_open(root_fd, prefix, O_PATH);
}

bool root_make(int root_fd, const char *path, bool directory, bool may_make, char *out, size_t n)
{
    char root[LX_PATH_MAX], there[LX_PATH_MAX];
    int fd = root_open(root_fd, ".", O_PATH);
    for (const char *p = path; fd >= 0 && *p;) {
        p += strcspn(p, "/");
        int next = step(root_fd, fd, path, (size_t)(p - path), *p || directory, may_make);
        close(fd);
        fd = next;
        p += *p == '/';
    }
    if (fd < 0)
        return false;
    bool ok = fd_host_path(root_fd, root, sizeof root) && fd_host_path(fd, there, sizeof there);
    close(fd);
    size_t skip = strcmp(root, "/") ? strlen(root) : 0;
    if (!ok || strncmp(there, root, skip) != 0)
        return false;
    snprintf(out, n, "%s", there[skip] ? there + skip + 1 : "");
    return true;
}

void path_normalise(char *path)
{
    char *out = path;
    for (const char *p = path; *p;) {
        p += strspn(p, "/");
        size_t len = strcspn(p, "/");
        if (len == 2 && p[0] == '.' && p[1] == '.') {
            while (out > path && *--out != '/')
                ;
        } else if (len && !(len == 1 && *p == '.')) {
            *out++ = '/';
            memmove(out, p, len);
            out += len;
        }
        p += len;
    }
    if (out == path)
        *out++ = '/';
    *out = 0;
}

// Trees of guests may be deeper than we may open directories: what lies deeper than this is moved
// up to the top, and removed from there.
#define LEVELS 8

struct removal {
    int top;
    unsigned moved;
};

static bool lift(struct removal *r, int dir, const char *name)
{
    char to[32];
    int e;
    do
        snprintf(to, sizeof to, "gone.%u", r->moved++);
    while ((e = renameat2(dir, name, r->top, to, RENAME_NOREPLACE)) && errno == EEXIST);
    return !e;
}

// Removes what is in the directory, but for the name `last`, and closes it. Has any of it gone?
static bool empty(struct removal *r, int dir, int levels, const char *last);

static bool remove_entry(struct removal *r, int dir, const char *name, int levels)
{
    if (!unlinkat(dir, name, 0))
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    int fd = levels ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0) {
        bool any = empty(r, fd, levels - 1, NULL);
        return !unlinkat(dir, name, AT_REMOVEDIR) || any;
    }
    if (!unlinkat(dir, name, AT_REMOVEDIR))
        return true;
    return levels < LEVELS && lift(r, dir, name);
}

static bool empty(struct removal *r, int dir, int levels, const char *last)
{
    DIR *d = fdopendir(dir);
    bool any = false;
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            !(last && !strcmp(e->d_name, last)))
            any |= remove_entry(r, dir, e->d_name, levels);
    if (d)
        closedir(d);
    else
        close(dir);
    return any;
}

void remove_tree(int dirfd, const char *name, const char *last)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct removal r = {.top = openat(dirfd, name, flags)};
    int fd;
    do
        fd = r.top >= 0 ? openat(r.top, ".", flags) : -1;
    while (fd >= 0 && empty(&r, fd, LEVELS, last));
    if (last && r.top >= 0)
        unlinkat(r.top, last, 0);
    if (r.top >= 0)
        close(r.top);
    unlinkat(dirfd, name, AT_REMOVEDIR);
}
