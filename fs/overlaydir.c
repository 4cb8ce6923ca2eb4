// SPDX-License-Identifier: MIT
// Listings of overlay directories. A descriptor is that of one layer's directory. Its listing comes
// first, without what other layers hide or list; then follow the names of those. Where the
// listing is in those is remembered by the descriptor, as long as the descriptor stands at the end
// of its own directory: rewinding begins anew.
#include "host.h"
#include "meta.h"
#include "overlay.h"
#include "walk.h"

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

static bool same_directory(int a, int b)
{
    struct statx x, y;
    return host_statx(a, "", AT_EMPTY_PATH, STATX_INO, &x) >= 0 &&
           host_statx(b, "", AT_EMPTY_PATH, STATX_INO, &y) >= 0 && is_same_inode(&x, &y);
}

// Has part i the name? -1: a whiteout of it.
static int has(struct task *t, int m, const struct parts *p, int i, const char *name,
               struct statx *st)
{
    bool white;
    return overlay_look(t, m, p->fd[i], name, st, &white) < 0 ? 0 : white ? -1 : 1;
}

static void set_type(struct dirent64 *d, const struct statx *st)
{
    if (d->type == st->stx_mode >> 12)
        return;
    d->type = st->stx_mode >> 12; // another file
    d->ino = st->stx_ino;
}

// Is the name of part i to be listed? Of several parts that have it, it is the lowest one that
// shows it: lower layers do not change, so what is copied up meanwhile is listed all the same, and
// once.
static bool shows(struct task *t, int m, const struct parts *p, int i, struct dirent64 *d)
{
    struct statx st;
    int there = 0, here = d->type == DT_DIR ? 0 : has(t, m, p, i, d->name, &st);
    if (here < 0)
        return false;
    if (here > 0)
        set_type(d, &st);
    for (int below = i + 1; below < p->n && !there; below++)
        there = has(t, m, p, below, d->name, &st);
    if (there > 0)
        return false;
    for (int above = i - 1; above >= 0; above--) {
        there = has(t, m, p, above, d->name, &st);
        if (there < 0)
            return false;
        if (there > 0)
            set_type(d, &st);
    }
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

#define ALL_LISTED (-1)

// Lists the parts but the descriptor's own, from where *l says.
static long list_others(struct task *t, int m, struct listing_place *l, struct parts *p, int own,
                        char *out, size_t size)
{
    int i = 0;
    // By its layer: parts come and go.
    while (l->part && i < p->n && p->layer[i] != l->part)
        i++;
    for (; i < p->n; i++, l->pos = 0) {
        l->part = p->layer[i];
        long n = i == own ? 0 : list_part(t, m, p, i, &l->pos, out, size);
        if (n)
            return n;
    }
    l->part = ALL_LISTED;
    return 0;
}

static long list(struct task *t, int m, int fd, struct parts *p, char *out, size_t size)
{
    struct listing_place *l = &t->files->listing[fd % LISTINGS];
    int own = 0;
    long n;
    while (own < p->n && !same_directory(p->fd[own], fd))
        own++;
    // What has come to its own directory since its end is another reading's.
    if (l->fd == fd && l->own && l->own == HOST3(__NR_lseek, fd, 0, SEEK_CUR))
        return list_others(t, m, l, p, own, out, size);
    while ((n = HOST3(__NR_getdents64, fd, out, size)) > 0) {
        if (own == p->n)
            return n; // hidden by now, or removed
        l->fd = -1;   // what was known is of an earlier reading
        size_t left = drop_hidden(t, m, p, own, out, (size_t)n, true);
        if (left)
            return (long)left;
    }
    if (n < 0 || own == p->n)
        return n;
    *l = (struct listing_place){.fd = fd, .own = HOST3(__NR_lseek, fd, 0, SEEK_CUR)};
    return list_others(t, m, l, p, own, out, size);
}

long overlay_getdents(struct task *t, int fd, char *out, size_t size)
{
    struct parts p;
    struct loc loc;
    long r = loc_of_fd(t, fd, &loc);
    if (r == -ENAMETOOLONG && walk_in_upper(t, fd))
        return HOST3(__NR_getdents64, fd, out, size);
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
    u32 seen = dirs_changes(t);
    long n = open_parts(t, m, rel, &p);
    for (int tries = 0; n == -ENOENT && tries < 100 && dirs_changed(t, &seen); tries++)
        n = open_parts(t, m, rel, &p); // renamed between the look and the opening
    if (n < 0)
        return false;
    for (int i = 0; i < p.n && n == 0; i++) {
        s64 pos = 0;
        n = list_part(t, m, &p, i, &pos, out, sizeof out);
    }
    close_parts(t, &p);
    return n == 0;
}
