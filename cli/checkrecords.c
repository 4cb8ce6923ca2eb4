// SPDX-License-Identifier: MIT
// Attributes of a directory that are about the entries in it: records of owners by name
// (fs/side.c), many owners in one (fs/sidedir.c), the root's records by inode (fs/sidelink.c), and
// the marks which say that such are there.
#define _GNU_SOURCE
#include "checking.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "fail.h"

#define MARK_NODES OWN "nodes"
#define MARK_ACL OWN "acl"
#define MARK_TREE OWN "marked"
#define NUMBER OWN "ino" // of what an overlay has copied up (fs/overlayup.c)

static bool by_name(const struct entry *e)
{
    return S_ISLNK(e->st.stx_mode) || S_ISFIFO(e->st.stx_mode) || S_ISSOCK(e->st.stx_mode);
}

void check_note_inode(struct check *c, const struct entry *e)
{
    if (!by_name(e) || !(e->st.stx_mask & STATX_BTIME))
        return;
    if (c->inodes == c->room) {
        c->room = c->room ? c->room * 2 : 1024;
        c->inode = realloc(c->inode, c->room * sizeof *c->inode);
        if (!c->inode)
            fail_errno("no memory for the tree's links");
    }
    side_link_name(&e->st, c->inode[c->inodes++]);
}

static const struct entry *entry_of(const struct entry *e, size_t n, const char *record)
{
    for (size_t i = 0; i < n; i++)
        if (by_name(&e[i]) && !strcmp(e[i].record, record))
            return &e[i];
    return NULL;
}

static bool is_record_name(const char *name)
{
    const char *hash = name + strlen(SIDE_PREFIX);
    return strlen(hash) == 16 && strspn(hash, "0123456789abcdef") == 16;
}

// "uid:gid=*;uid:gid=AbCdEfGh...;..." (fs/sidedir.c). What they say of no entry is not in the way.
static bool are_sets(const char *s)
{
    u32 uid, gid;
    do {
        if (!attr_number(&s, 10, ':', &uid) || !attr_number(&s, 10, '=', &gid))
            return false;
        size_t n = strcspn(s, ";");
        if (strncmp(s, "*", n) != 0 && (n % SIDE_SETS_DIGITS || strspn(s, SIDE_SETS_BASE) != n))
            return false;
        s += n;
    } while (*s++ == ';');
    return true;
}

// ";name=value..." of n bytes, with bytes as %XX.
static bool are_attributes(const char *s, size_t n)
{
    const char *end = s + n;
    while (s < end && *s == ';') {
        const char *name = ++s;
        bool value = false;
        for (; s < end && *s != ';'; s++) {
            value |= *s == '=';
            if (*s <= ' ' || *s == 0x7f ||
                (*s == '%' && (end - s < 3 || !isxdigit(s[1]) || !isxdigit(s[2]))))
                return false;
        }
        if (!value || *name == '=')
            return false;
    }
    return s == end;
}

// One record of n bytes: 1: it is the entry's; 0: another's; -1: not understood. inode: it is
// marked with a number, as while names change (fs/side.c).
static int read_record(const char *text, size_t n, const struct entry *of, bool *inode)
{
    char copy[ATTR_SIZE + 32], is[16] = "";
    const char *s = copy;
    u32 uid, gid, mode;
    const char *more = memchr(text, ';', n); // attributes (fs/sidexattr.c)
    if (more && !are_attributes(more, n - (size_t)(more - text)))
        return -1;
    snprintf(copy, sizeof copy, "%.*s", (int)(more ? (size_t)(more - text) : n), text);
    char *number = strchr(copy, '@');
    *inode = number;
    if (number)
        *number++ = 0;
    if (!attr_number(&s, 10, ':', &uid) || !attr_number(&s, 10, ':', &gid) ||
        !attr_number(&s, 8, ':', &mode) || mode > MODE_BITS || strlen(s) != 10)
        return -1;
    if (of)
        snprintf(is, sizeof is, "%c:%08x",
                 S_ISLNK(of->st.stx_mode)    ? 'l'
                 : S_ISFIFO(of->st.stx_mode) ? 'p'
                                             : 's',
                 of->check);
    return !strcmp(s, is) && (!number || strtoull(number, NULL, 10) == of->st.stx_ino);
}

// Removes a record, or leaves only what is the entry's of it, without the number of its inode.
static bool shorten(const struct entry *dir, const char *name, char *text, size_t n)
{
    char *number = memchr(text, '@', n);
    if (number) {
        size_t digits = 1 + strspn(number + 1, "0123456789"), at = (size_t)(number - text);
        memmove(number, number + digits, n - at - digits);
        n -= digits;
    }
    return n ? !lsetxattr(dir->by_fd, name, text, n, 0) : !lremovexattr(dir->by_fd, name);
}

static void check_record(struct check *c, const struct entry *dir, const char *name,
                         const struct entry *e, size_t n)
{
    static char text[XATTR_SIZE_MAX + 1];
    char *own = text;
    const char *why = NULL;
    size_t own_size = 0;
    const struct entry *of = entry_of(e, n, name);
    bool inode = false, any = false, bad = false;
    ssize_t got = lgetxattr(dir->by_fd, name, text, sizeof text - 1);
    text[MAX(got, 0)] = 0;
    if (!is_record_name(name) || got <= 0)
        bad = true;
    for (char *s = text; *s && !bad;) {
        size_t size = strcspn(s, " ");
        int r = read_record(s, size, of, &inode);
        bad |= r < 0;
        any |= inode;
        if (r > 0 && !own_size) {
            own = s;
            own_size = size;
        }
        s += size + (s[size] == ' ');
    }
    if (bad)
        why = "is not understood";
    else if (any)
        why = "is of a rename that was not finished";
    else if (!own_size)
        why = of ? "is of another file than now has the name" : "is of no entry";
    enum kind kind = bad ? WRONG : LEFT_OVER;
    if (why && found(c, dir, kind, "record %s '%s' %s", name + strlen(SIDE_PREFIX), text, why))
        repaired(c, kind, shorten(dir, name, own, bad ? 0 : own_size));
}

static void check_sets(struct check *c, const struct entry *dir)
{
    static char text[XATTR_SIZE_MAX + 1];
    ssize_t n = lgetxattr(dir->by_fd, SIDE_SETS, text, sizeof text - 1);
    text[MAX(n, 0)] = 0;
    if (!are_sets(text) && found(c, dir, WRONG, "the owners '%.40s' are not understood", text))
        repaired(c, WRONG, !lremovexattr(dir->by_fd, SIDE_SETS));
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

void check_inodes(struct check *c, const struct entry *root, const struct dir *d)
{
    static char text[XATTR_SIZE_MAX + 1];
    if (c->inodes)
        qsort(c->inode, c->inodes, sizeof *c->inode, compare);
    for (const char *s = d->list; s < d->list + d->list_size; s += strlen(s) + 1) {
        u32 uid, gid, mode;
        if (strncmp(s, SIDE_LINK_PREFIX, strlen(SIDE_LINK_PREFIX)) != 0)
            continue;
        ssize_t n = lgetxattr(root->by_fd, s, text, sizeof text - 1);
        text[MAX(n, 0)] = 0;
        const char *end = text;
        bool bad = strlen(s) != SIDE_LINK_SIZE - 1 || !attr_number(&end, 10, ':', &uid) ||
                   !attr_number(&end, 10, ':', &gid) || !attr_number(&end, 8, ':', &mode) ||
                   mode > MODE_BITS || !*end || !strchr("lps", *end) ||
                   !are_attributes(end + 1, strlen(end + 1));
        bool lost =
            !bad && !(c->inodes && bsearch(s, c->inode, c->inodes, sizeof *c->inode, compare));
        enum kind kind = bad ? WRONG : LEFT_OVER;
        if ((bad || lost) && found(c, root, kind, "record %s '%s' of an inode %s", s + strlen(OWN),
                                   text, bad ? "is not understood" : "that is not in the tree"))
            repaired(c, kind, !lremovexattr(root->by_fd, s));
    }
}

// Directories that are, or were, the root of a mount have the mark, too.
static bool below_acl_mark(const struct dir *d)
{
    for (; d; d = d->up)
        if (listed(d, MARK_ACL))
            return true;
    return false;
}

void check_names(struct check *c, const struct dir *d, const struct entry *self,
                 const struct entry *e, size_t n)
{
    char text[64 + NAME_MAX];
    for (const char *s = d->list; s < d->list + d->list_size; s += strlen(s) + 1) {
        if (!strcmp(s, SIDE_SETS)) {
            check_sets(c, self);
        } else if (!strncmp(s, SIDE_PREFIX, strlen(SIDE_PREFIX))) {
            check_record(c, self, s, e, n);
        } else if (!strncmp(s, OWN, strlen(OWN)) && strncmp(s, ESCAPED, strlen(ESCAPED)) != 0 &&
                   strcmp(s, MARK_NODES) != 0 && strcmp(s, NUMBER) != 0 &&
                   strcmp(s, MARK_ACL) != 0 &&
                   strncmp(s, SIDE_LINK_PREFIX, strlen(SIDE_LINK_PREFIX)) != 0 &&
                   (strcmp(s, MARK_TREE) != 0 || d->up)) {
            snprintf(text, sizeof text, "an attribute %s, which lxrun does not know here", s);
            found_only(c, self, text);
        }
    }
    if (d->has_node && !listed(d, MARK_NODES) &&
        found(c, self, WRONG, "has device nodes, and no mark that says so"))
        repaired(c, WRONG, !lsetxattr(self->by_fd, MARK_NODES, "", 0, 0));
    if (listed(d, ACL_DEFAULT) && !below_acl_mark(d) &&
        found(c, self, WRONG, "has a default ACL, and the root of the tree no mark that says so"))
        repaired(c, WRONG, !fsetxattr(c->root, MARK_ACL, "1", 1, 0));
}
