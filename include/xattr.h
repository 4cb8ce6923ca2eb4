// SPDX-License-Identifier: MIT
// Extended attributes: the guest's names and the host's (fs/xattr.c), the host's calls, and what
// attributes mean to the kernel: capabilities and ACLs.
#ifndef LX_XATTR_H
#define LX_XATTR_H

#include "fs.h"

#define XATTR_NAME_SIZE 256   // with the end
#define XATTR_LIST_SIZE 65536 // XATTR_LIST_MAX

// What kind of socket it is; only the host's sockfs has it (net/socket.c).
#define SOCKET_XATTR "system.sockprotoname"

// Host name of the guest's attribute. -EOPNOTSUPP: no such class of names; -EINVAL: only a prefix;
// -ERANGE: too long.
long xattr_name_to_host(const char *guest, char *host);
// Turns a list of host names into the guest's, in place; returns its new size.
size_t xattr_list_to_guest(char *list, size_t size, bool trusted);

// As host_getxattr_at() (fs/hostat.c).
long host_listxattr_at(const struct parent *p, char *list, size_t size);
long host_removexattr_at(const struct parent *p, const char *name);
// fgetxattr(2), fsetxattr(2), flistxattr(2), fremovexattr(2).
long host_fgetxattr(int fd, const char *name, void *value, size_t size);
long host_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
long host_flistxattr(int fd, char *list, size_t size);
long host_fremovexattr(int fd, const char *name);

// The capabilities of the program file fd, which has some.
void file_caps_read(int fd, struct file_caps *f);

// ---- ACLs (fs/acl.c) ----

// Where they and capabilities are kept.
#define CAPS_HOST "user.lxrun.x.security.capability"
#define ACL_HOST_ACCESS "user.lxrun.x.system.posix_acl_access"
#define ACL_HOST_DEFAULT "user.lxrun.x.system.posix_acl_default"
#define ACL_SIZE 4096

// What a new entry gets of its directory's default ACL.
struct acl_new {
    u32 size; // 0: nothing
    char value[ACL_SIZE] __attribute__((aligned(8)));
};
// The mode that an entry made beside p (in the same directory) with `mode` gets: less the umask or,
// where there is a default ACL, what that allows; *new is then for acl_give().
u32 acl_inherit(struct task *t, int mount, const struct parent *p, u32 mode, struct acl_new *new);
// The same for a file without a name in directory dir itself.
u32 acl_inherit_in(struct task *t, int mount, const struct parent *dir, u32 mode,
                   struct acl_new *new);
// Is that an access ACL?
bool acl_is_given(u32 mode, const struct acl_new *new);
// It, in *access, or NULL.
const struct acl_new *acl_access(u32 mode, const struct acl_new *new, struct acl_new *access);
// What an access ACL permits (META_MORE). *st: the guest's view of the inode p.
u64 acl_allows(const struct cred *c, const struct parent *p, const struct statx *st);
// The same of the ACL in value[ACL_SIZE], n bytes, whose mode entries become those of *st.
u64 acl_permits(const struct cred *c, void *value, long n, const struct statx *st);
// The entry is made: by its name, or by its descriptor. new: may be NULL.
long acl_give(const struct parent *p, u32 mode, const struct acl_new *new);
long acl_give_fd(int fd, u32 mode, const struct acl_new *new);
// A directory of this mount may have a default ACL from now on, also after a crash. 0 or -errno:
// the mark could not be written or synced, and a default ACL would be given to nobody.
long acl_mark(struct task *t, int mount);

// POSIX ACLs as their attributes hold them (linux/posix_acl_xattr.h), `size` bytes. Is it one? 0,
// or the -errno that comes before all that the file has to say.
long acl_parse(const void *acl, size_t size);
// Can it be set, too? 0 or -errno. *named: has it more than a mode can say?
long acl_check(const void *acl, size_t size, bool *named);
// The parts that are the mode's: `mode` with those of the ACL, and the ACL with those of `mode`.
u32 acl_mode(const void *acl, size_t size, u32 mode);
void acl_set_mode(void *acl, size_t size, u32 mode);

// ---- What cannot carry attributes itself: symlinks, FIFOs, sockets, device nodes ----

#define MORE_SIZE 16384 // of the text of its attributes (fs/sidexattr.c), with the end

struct special {
    struct parent p;
    int mount;
    bool located; // p is the name that a descriptor's inode has
};
// Finds the entry of such an inode, given by name, or by its descriptor where the name is "".
// False: it is another kind, or lxrun keeps nothing there, or it has no name any more. Else
// special_end() must follow.
bool special_begin(struct task *t, int mount, const struct parent *p, struct special *x);
void special_end(struct task *t, struct special *x);
// As the system calls, with values and lists in lxcore's memory. mode: the mode becomes that at the
// same time, if it is not NULL; value NULL: the attribute goes.
long special_get(struct task *t, const struct special *x, const char *name, void *value,
                 size_t size);
long special_set(struct task *t, const struct special *x, const char *name, const void *value,
                 size_t size, int flags, const u32 *mode);
long special_list(struct task *t, const struct special *x, bool trusted, char *list, size_t size);

#endif
