// SPDX-License-Identifier: MIT
// What the parts of the calls of extended attributes share (syscalls/xattr.c, xattrsubject.c,
// xattrop.c, xattracl.c). Guest values are addresses; each function returns 0, a size or -errno.
#ifndef LX_XATTROP_H
#define LX_XATTROP_H

#include "fs.h"
#include "overlay.h"
#include "xattr.h"

// What a call works on: a place found by path, or an open descriptor.
struct subject {
    s32 fd; // -1: p
    s32 mount;
    struct parent *p;
    bool *asked;      // set when the host has been asked about an attribute
    struct loc *loc;  // with p, where that may be in an overlay; else NULL
    const char *proc; // the way in /proc, if it is there and not made by procfs; else NULL
};

struct xattr_names {
    char guest[XATTR_NAME_SIZE];
    char host[XATTR_NAME_SIZE]; // xattr_name_to_host()
};

// ---- The subject (syscalls/xattrsubject.c) ----

// fgetxattr(2) and so on of the host, by the host's name.
long subject_get(const struct subject *s, const char *name, uptr value, size_t size);
long subject_set(struct task *t, const struct subject *s, const char *name, uptr value, size_t size,
                 int flags);
long subject_list(const struct subject *s, char *list, size_t size);
long subject_remove(const struct subject *s, const char *name);
// What the guest sees of it.
long subject_stat(struct task *t, const struct subject *s, struct statx *st);
int subject_mount(struct task *t, const struct subject *s);
bool subject_in_proc(struct task *t, const struct subject *s);
// Is it what never had a name: a pipe, socket, or eventfd and the like, which have no type? Linux
// keeps but user.* for them, if anything.
bool subject_is_nameless(struct task *t, const struct subject *s, const struct statx *st);
// In an overlay: the file is about to be changed, if the host will not refuse that by its type.
// -ESTALE: it has been copied up. Others may have put another in its place: to be begun again.
long subject_up(struct task *t, const struct subject *s, const char *name);
// A symlink, FIFO, socket or device node, whose attributes are kept with its name: as
// special_begin().
bool subject_special(struct task *t, const struct subject *s, struct special *x);
// r, unless there is no such file.
long subject_error(struct task *t, const struct subject *s, long r);

// ---- The four operations (syscalls/xattrop.c) ----

// As getxattr(2) and so on of *s; value and out are the guest's memory.
long xattr_get(struct task *t, const struct subject *s, struct xattr_names *n, uptr value,
               size_t size);
long xattr_set(struct task *t, const struct subject *s, struct xattr_names *n, uptr value,
               size_t size, int flags);
long xattr_remove(struct task *t, const struct subject *s, struct xattr_names *n);
long xattr_list(struct task *t, const struct subject *s, uptr out, size_t size);
// As special_set() of the guest's name, with a value in lxcore's memory; ends *x.
long xattr_change_special(struct task *t, struct special *x, const struct xattr_names *n,
                          const void *value, size_t size, int flags, const u32 *mode);
// The host refuses user.* where it cannot be (links, FIFOs, device nodes); for the classes that are
// kept as user.* that is no matter of permission.
long xattr_kept_error(const struct xattr_names *n, long r);

// ---- ACLs (syscalls/xattracl.c) ----

static inline bool xattr_is_acl(const char *name)
{
    return str_starts(name, "system.posix_acl_");
}
// A new ACL (acl(5)), or none for size 0. An access ACL carries the mode with it; one that is no
// more than a mode is not kept.
long xattr_set_acl(struct task *t, const struct subject *s, const struct xattr_names *n, uptr value,
                   size_t size);
long xattr_get_acl(struct task *t, const struct subject *s, const struct xattr_names *n, uptr value,
                   size_t size);

#endif
