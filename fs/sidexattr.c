// SPDX-License-Identifier: MIT
// Attributes of what cannot carry any (xattr(7)): trusted.* and security.* of symlinks, FIFOs,
// sockets and device nodes, and access ACLs of all but the symlinks. They stand behind the
// inode's record (fs/side.c), which so begins to be needed:
//     uid:gid:mode:type:<check>;name=value;name=value
// in guest's names, each byte of a name or value that is not plain as %XX. So what becomes of
// records becomes of them: a change is one setxattr, they are there before the name is, rename
// takes them along, and every copy that takes the directory's attributes does. Who has none pays
// nothing.
#include <linux/capability.h>
#include <linux/xattr.h>

#include "host.h"
#include "meta.h"
#include "xattr.h"

// ---- The text ----

// The next name, from the ';' before it; *text then stands at its value. False: there is none.
static bool next_name(const char **text, char *name)
{
    if (**text != ';')
        return false;
    ++*text;
    size_t n = str_unescape(text, "=;", name, XATTR_NAME_SIZE - 1);
    name[MIN(n, (size_t)XATTR_NAME_SIZE - 1)] = 0;
    *text += **text == '=';
    return true;
}

long more_get(const char *more, const char *name, void *value, size_t size)
{
    char is[XATTR_NAME_SIZE];
    while (next_name(&more, is)) {
        size_t n = str_unescape(&more, ";;", strcmp(is, name) ? NULL : value, size);
        if (!strcmp(is, name))
            return size && n > size ? -ERANGE : (long)n;
    }
    return -ENODATA;
}

long more_set(char *more, const char *name, const void *value, size_t size)
{
    char is[XATTR_NAME_SIZE];
    const char *s = more;
    for (const char *start = s; next_name(&s, is); start = s) {
        str_unescape(&s, ";;", NULL, 0);
        if (strcmp(is, name) != 0)
            continue;
        char *at = more + (start - more);
        memmove(at, s, strlen(s) + 1);
        s = at;
    }
    char *out = more + strlen(more), *end = more + MORE_SIZE;
    if (!value)
        return 0;
    *out++ = ';';
    if (!str_escape(&out, end, name, strlen(name)) || end - out < 4)
        return -ENOSPC;
    *out++ = '=';
    if (!str_escape(&out, end, value, size))
        return -ENOSPC;
    *out = 0;
    return 0;
}

// ---- Of an inode ----

bool special_begin(struct task *t, int mount, const struct parent *p, struct special *x)
{
    struct statx st;
    struct loc loc;
    int flags = AT_SYMLINK_NOFOLLOW | (*p->name ? 0 : AT_EMPTY_PATH);
    x->located = false;
    if (host_statx(p->fd, p->name, flags, STATX_TYPE, &st) < 0 || !meta_by_name(st.stx_mode))
        return false;
    x->p = *p;
    x->mount = mount;
    if (!*p->name) {
        if (side_locate(t, p->fd, &loc, &x->p) < 0)
            return false;
        x->located = true;
        x->mount = loc.mount;
    }
    if (meta_is_kept(t, x->mount))
        return true;
    special_end(t, x);
    return false;
}

void special_end(struct task *t, struct special *x)
{
    if (x->located)
        parent_done(t, &x->p);
}

// Its text, for the caller to free by text_done(); NULL: no memory.
static char *text_of(struct task *t, const struct special *x, struct statx *host)
{
    char *more = arena_alloc(MORE_SIZE);
    if (!more)
        return NULL;
    *more = 0;
    if (host_statx(x->p.fd, x->p.name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, host) >= 0)
        side_record(t, x->mount, &x->p, host->stx_mode, host, more);
    return more;
}

static void text_done(char *more)
{
    arena_free(more, MORE_SIZE);
}

long special_get(struct task *t, const struct special *x, const char *name, void *value,
                 size_t size)
{
    struct statx host;
    char *more = text_of(t, x, &host);
    if (!more)
        return -ENOMEM;
    long r = more_get(more, name, value, size);
    text_done(more);
    return r;
}

long side_store_without(struct task *t, int mount, const struct parent *p, const struct statx *new,
                        const char *name)
{
    struct special x = {.p = *p, .mount = mount};
    struct statx host, now = *new;
    char *more = text_of(t, &x, &host);
    if (!more)
        return -ENOMEM;
    more_set(more, name, NULL, 0);
    META_MORE(&now) = *more ? MORE_ATTRS : 0;
    long r = side_store(t, mount, p, &now, more);
    text_done(more);
    return r;
}

long special_set(struct task *t, const struct special *x, const char *name, const void *value,
                 size_t size, int flags, const u32 *mode)
{
    struct meta_view v;
    struct statx host;
    long r = meta_look(t, x->mount, &x->p, &v);
    if (r < 0)
        return r;
    struct statx new = v.guest;
    new.stx_ino = v.host.stx_ino; // by which its name is known again
    char *more = text_of(t, x, &host);
    bool there = more && more_get(more, name, NULL, 0) >= 0;
    if (!more)
        r = -ENOMEM;
    else if (there ? flags & XATTR_CREATE : (flags & XATTR_REPLACE) || (!value && !mode))
        r = there ? -EEXIST : -ENODATA;
    else
        r = more_set(more, name, value, size);
    if (r >= 0) {
        META_MORE(&new) = *more ? MORE_ATTRS : 0;
        if (mode)
            new.stx_mode = (u16)((new.stx_mode &S_IFMT) | (*mode & MODE_BITS));
        r = side_store(t, x->mount, &x->p, &new, more);
    }
    if (more)
        text_done(more);
    meta_done(t, &v);
    return r;
}

long special_list(struct task *t, const struct special *x, bool trusted, char *list, size_t size)
{
    char name[XATTR_NAME_SIZE];
    struct statx host;
    size_t at = 0;
    char *more = text_of(t, x, &host);
    if (!more)
        return -ENOMEM;
    for (const char *s = more; next_name(&s, name); str_unescape(&s, ";;", NULL, 0)) {
        size_t n = strlen(name) + 1;
        if (!trusted && str_starts(name, XATTR_TRUSTED_PREFIX))
            continue;
        if (at + n <= size)
            memcpy(list + at, name, n);
        at += n;
    }
    text_done(more);
    return at > size ? -ERANGE : (long)at;
}
