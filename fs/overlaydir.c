// SPDX-License-Identifier: MIT
// Listings of overlay directories. A descriptor is that of one layer's directory. Its listing comes
// first, without what layers above hide; then follow the names of the other layers. Where the
// listing is in those is remembered by the descriptor, as long as the descriptor stands at the end
// of its own directory: rewinding begins anew.
#include "host.h"
#include "meta.h"
#include "overlay.h"

#define SEEK_CUR 1

struct parts {
    s32 layer[MOUNTS_MAX];
    s32 fd[MOUNTS_MAX]; // directories of the layers, open (O_PATH)
    int n;
};

static void close_parts(struct task *t, struct parts *p)
{
    while (p->n > 0)
        temp_close(t, p->fd[--p->n]);
}

static long open_parts(struct task *t, int m, const char *rel, struct parts *p)
{
    int n = overlay_parts(t, m, rel, p->layer);
    for (p->n = 0; p->n < n; p->n++) {
        int root = mount_root_fd(t, p->layer[p->n]);
        long fd = root < 0
                      ? root
                      : temp_open(t, root, *rel ? rel : ".", O_PATH | O_DIRECTORY, WALK_RESOLVE);
        if (fd < 0) {
            close_parts(t, p);
            return fd;
        }
        p->fd[p->n] = (s32)fd;
    }
    return 0;
}

static bool same_inode(int a, int b)
{
    struct statx x, y;
    return host_statx(a, "", AT_EMPTY_PATH, STATX_INO, &x) >= 0 &&
           host_statx(b, "", AT_EMPTY_PATH, STATX_INO, &y) >= 0 && x.stx_ino == y.stx_ino &&
           x.stx_dev_minor == y.stx_dev_minor && x.stx_dev_major == y.stx_dev_major;
}

// Is the name of part i to be listed: no whiteout, and in no part above?
static bool shows(struct task *t, int m, const struct parts *p, int i, const struct dirent64 *d)
{
    struct statx st;
    if (d->type != DT_DIR &&
        host_statx(p->fd[i], d->name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) >= 0 &&
        overlay_is_white(t, m, p->fd[i], d->name, &st))
        return false;
    for (int above = 0; above < i; above++)
        if (host_statx(p->fd[above], d->name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) >= 0)
            return false;
    return true;
}

// Drops the names of n bytes of entries of part i that are not to be seen. dots: "." and "..".
static size_t drop_hidden(struct task *t, int m, const struct parts *p, int i, char *entries,
                          size_t n, bool dots)
{
    size_t out = 0;
    for (size_t at = 0; at < n;) {
        struct dirent64 *d = (struct dirent64 *)(entries + at);
        u16 len = d->reclen;
        bool dot = !strcmp(d->name, ".") || !strcmp(d->name, "..");
        if (dot ? dots : shows(t, m, p, i, d)) {
            memmove(entries + out, d, len);
            out += len;
        }
        at += len;
    }
    return out;
}

// Entries of part i from *pos on; 0 at its end.
static long list_part(struct task *t, int m, const struct parts *p, int i, s64 *pos, char *out,
                      size_t size)
{
    long fd = temp_open(t, p->fd[i], ".", O_RDONLY | O_DIRECTORY, WALK_RESOLVE), n;
    if (fd < 0)
        return fd;
    if (*pos)
        HOST3(__NR_lseek, fd, *pos, 0);
    size_t left = 0;
    while (!left && (n = HOST3(__NR_getdents64, fd, out, size)) > 0)
        left = drop_hidden(t, m, p, i, out, (size_t)n, false);
    *pos = HOST3(__NR_lseek, fd, 0, SEEK_CUR);
    temp_close(t, (int)fd);
    return left ? (long)left : n;
}

// Where the listing of fd is, if that is known and still so. own: the end of its own directory.
static struct listing_place *place_of(struct task *t, int fd, s64 own)
{
    struct listing_place *l = &t->files->listing[fd % LISTINGS];
    if (l->fd == fd && l->own == own)
        return l;
    *l = (struct listing_place){.fd = fd, .own = own};
    return l;
}

static long list(struct task *t, int m, int fd, struct parts *p, char *out, size_t size)
{
    int own = 0;
    long n;
    while (own < p->n && !same_inode(p->fd[own], fd))
        own++;
    while ((n = HOST3(__NR_getdents64, fd, out, size)) > 0) {
        if (own == p->n)
            return n;                             // hidden by now, or removed
        t->files->listing[fd % LISTINGS].fd = -1; // what was known is of an earlier reading
        size_t left = drop_hidden(t, m, p, own, out, (size_t)n, true);
        if (left)
            return (long)left;
    }
    if (n < 0 || own == p->n)
        return n;
    struct listing_place *l = place_of(t, fd, HOST3(__NR_lseek, fd, 0, SEEK_CUR));
    for (; l->part < p->n; l->part++, l->pos = 0) {
        n = l->part == own ? 0 : list_part(t, m, p, l->part, &l->pos, out, size);
        if (n)
            return n;
    }
    return 0;
}

long overlay_getdents(struct task *t, int fd, char *out, size_t size)
{
    struct parts p;
    struct loc loc;
    long r = loc_of_fd(t, fd, &loc);
    if (r < 0)
        return r;
    temps_begin(t);
    r = open_parts(t, loc.mount, loc.rel, &p);
    if (r >= 0) {
        r = list(t, loc.mount, fd, &p, out, size);
        close_parts(t, &p);
    }
    temps_end(t);
    return r;
}

bool overlay_is_empty(struct task *t, int m, const char *rel)
{
    char out[4096] __attribute__((aligned(8)));
    struct parts p;
    long n = open_parts(t, m, rel, &p);
    if (n < 0)
        return false;
    for (int i = 0; i < p.n && n == 0; i++) {
        s64 pos = 0;
        n = list_part(t, m, &p, i, &pos, out, sizeof out);
    }
    close_parts(t, &p);
    return n == 0;
}
