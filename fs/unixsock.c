// SPDX-License-Identifier: MIT
// Binding AF_UNIX sockets to guest names and finding those of others. How a name is written for the
// host: fs/unixname.c. Linux: net/unix/af_unix.c, whose order of errors is kept.
#include <linux/mount.h>

#include "host.h"
#include "overlay.h"
#include "pin.h"
#include "unixsock.h"
#include "xattr.h"

#define AF_UNIX 1
#define SOL_SOCKET 1
#define SO_PASSCRED 16
#define SO_DOMAIN 39
#define SO_PASSPIDFD 76

static int socket_option(int fd, int name)
{
    int v = 0, n = sizeof v;
    return HOST5(__NR_getsockopt, fd, SOL_SOCKET, name, &v, &n) < 0 ? 0 : v;
}

bool unix_is_socket(int fd)
{
    return socket_option(fd, SO_DOMAIN) == AF_UNIX;
}

static long host_bind(int fd, const union address *a, int len)
{
    return HOST3(__NR_bind, fd, a, len);
}

// ---- Abstract names ----

static long bind_abstract(struct task *t, int fd, const char *name, int len)
{
    union address a = {.family = AF_UNIX};
    long id = -1;
    if (unix_abstract_is_long(len)) {
        id = unix_name_claim(t, name, (size_t)len);
        if (id < 0)
            return id;
    }
    int n = unix_abstract_to_host(t, name, len, a.un.sun_path);
    long r = host_bind(fd, &a, (int)UNIX_PATH_AT + n);
    if (r < 0)
        unix_name_drop(t, id);
    else
        unix_name_bound(t, id);
    return r;
}

static bool has_name(int fd)
{
    union address a;
    int n = sizeof a;
    return HOST3(__NR_getsockname, fd, &a, &n) >= 0 && n > (int)UNIX_PATH_AT;
}

// The kernel's own choice would be a name outside this root's: five digits are chosen here, as
// unix_autobind() does.
static long autobind(struct task *t, int fd)
{
    u32 start = 0;
    if (has_name(fd))
        return 0;
    HOST3(__NR_getrandom, &start, sizeof start, 0);
    for (u32 i = 0; i < 0x100000; i++) {
        char name[8] = {0};
        fmt(name + 1, sizeof name - 1, "%05x", (start + i) & 0xfffff);
        long r = bind_abstract(t, fd, name, 6);
        if (r != -EADDRINUSE)
            return r;
    }
    return -ENOSPC;
}

// ---- Files ----

static u32 socket_mode(int fd)
{
    struct statx st;
    u32 mode = 0777; // fchmod(2) before bind changes it
    if (host_statx(fd, "", AT_EMPTY_PATH, STATX_MODE, &st) >= 0)
        mode = st.stx_mode & 0777;
    return mode;
}

// A name that leaves no room for the number: a placeholder takes the name, so that there is one
// winner, and the socket, bound under a short name beside it, then replaces it.
static long bind_long(struct task *t, int fd, const struct parent *p, long id, union address *a)
{
    char temp[24];
    fmt(temp, sizeof temp, ".lxs%u", t->tid);
    long r = HOST4(__NR_mknodat, p->fd, p->name, S_IFSOCK | 0600, 0);
    if (r < 0)
        return r == -EEXIST ? -EADDRINUSE : r;
    HOST3(__NR_unlinkat, p->fd, temp, 0); // left by one that was killed here
    int length = unix_name_encode(t, id, p->fd, temp, a->un.sun_path, sizeof a->un.sun_path);
    r = host_bind(fd, a, (int)UNIX_PATH_AT + length + 1);
    if (r >= 0) {
        r = HOST4(__NR_renameat, p->fd, temp, p->fd, p->name);
        if (r < 0)
            HOST3(__NR_unlinkat, p->fd, temp, 0);
    }
    if (r < 0)
        HOST3(__NR_unlinkat, p->fd, p->name, 0);
    return r;
}

// Binds in directory p and gives the file its owner.
static long bind_file(struct task *t, int fd, const struct loc *loc, const struct parent *p,
                      const char *path)
{
    struct statx st;
    union address a = {.family = AF_UNIX};
    struct acl_new acl;
    struct meta_new n = {.acl = &acl};
    struct meta_naming naming = {.mode_later = true};
    bool exists = host_statx(p->fd, p->name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, 0, &st) >= 0;
    if (exists || !*p->name)
        return -EADDRINUSE;
    if (loc->must_be_dir)
        return -ENOENT;
    if (mount_flags(t, MAX(loc->mount, 0)) & MS_RDONLY)
        return -EROFS;
    long r = meta_stat_dir(t, loc->mount, p, &st);
    if (r >= 0)
        r = may_access(&t->cred, &st, MAY_WRITE | MAY_EXEC);
    if (r < 0)
        return r;
    n.mode = S_IFSOCK | acl_inherit(t, loc->mount, p, socket_mode(fd), &acl);
    meta_new_owner(t, &st, &n);
    long id = unix_name_claim(t, path, strlen(path));
    if (id < 0)
        return id;
    int length = unix_name_encode(t, id, p->fd, p->name, a.un.sun_path, sizeof a.un.sun_path);
    r = meta_naming_begin(t, loc->mount, p, &n, "", &naming);
    if (r >= 0) {
        if (length < (int)sizeof a.un.sun_path)
            r = host_bind(fd, &a, (int)UNIX_PATH_AT + length + 1);
        else
            r = bind_long(t, fd, p, id, &a);
        if (r >= 0)
            host_chmod_at(p, meta_host_mode(n.mode));
        r = meta_naming_end(t, p, &naming, r);
    }
    if (r == -EEXIST)
        r = -EADDRINUSE;
    if (r < 0) {
        unix_name_drop(t, id);
        return r;
    }
    unix_name_bound(t, id);
    return 0;
}

static long bind_path(struct task *t, int fd, const char *path)
{
    struct loc loc;
    struct parent p;
    struct overlay_make over = {0};
    temps_begin(t); // the root of a mount is not to change its number meanwhile
    long r = path_parent(t, AT_FDCWD, path, WALK_NAME, &loc, &p);
    if (r >= 0) {
        if (p.over)
            r = overlay_make_begin(t, &loc, &p, &over);
        if (r == -EEXIST)
            r = -EADDRINUSE;
        if (r >= 0)
            r = bind_file(t, fd, &loc, &p, path);
        if (p.over || over.white)
            r = overlay_make_end(t, &loc, &p, &over, false, r);
        parent_done(t, &p);
    }
    temps_end(t);
    return r;
}

// sun_path of a pathname address as a string.
static void copy_path(char *out, const struct sockaddr_un *a, int len)
{
    size_t n = (size_t)len - UNIX_PATH_AT;
    memcpy(out, a->sun_path, n);
    out[n] = 0;
}

long unix_bind(struct task *t, int fd, const struct sockaddr_un *a, int len)
{
    char path[UNIX_PATH_MAX + 1];
    int n = len - (int)UNIX_PATH_AT;
    if (n == 0)
        return autobind(t, fd);
    if (n < 0 || n > UNIX_PATH_MAX)
        return -EINVAL;
    if (!a->sun_path[0])
        return bind_abstract(t, fd, a->sun_path, n);
    copy_path(path, a, len);
    return bind_path(t, fd, path);
}

// ---- Targets ----

// Moves a temporary descriptor into the reserved block, where no guest call can take its number
// away, however long the call that names it blocks. Where no place is free it becomes an ordinary
// one: a temporary may not be held while blocked.
static long pin(struct task *t, int temp, struct unix_target *to)
{
    struct files *f = t->files;
    long r = -EBUSY;
    for (int i = 0; f->refs > 1 && i < RESERVED_PINS && r < 0; i++) {
        if (!reserved_claim(&f->pin[i], t->tid))
            continue;
        r = HOST3(__NR_dup3, temp, reserved_fd(t, RESERVED_PIN + i), O_CLOEXEC);
        if (r >= 0)
            to->pin = i;
        else
            reserved_release(&f->pin[i]);
    }
    if (r < 0)
        r = host_fcntl(temp, F_DUPFD_CLOEXEC, 0);
    temp_close(t, temp);
    if (r >= 0)
        to->fd = (int)r;
    return r;
}

long unix_target_end(struct task *t, struct unix_target *to, long result)
{
    if (to->error && result == -ENOENT)
        result = to->error;
    bool lost = result == -ENOENT || result == -ECONNREFUSED; // it may be another file's number now
    if (to->pin >= 0 && lost && to->fd != reserved_fd(t, RESERVED_PIN + to->pin))
        result = -LX_ERESTART;
    if (to->pin >= 0) {
        reserved_fill(t, RESERVED_PIN + to->pin);
        reserved_release(&t->files->pin[to->pin]);
    } else if (to->fd >= 0) {
        host_close(to->fd);
    }
    to->fd = to->pin = -1;
    return result;
}

// Holds the socket file that the guest's path leads to.
static long open_target(struct task *t, const char *path)
{
    struct statx st;
    long fd = path_pin(t, path, WALK_FOLLOW | WALK_OBJECT, &st);
    if (fd < 0)
        return fd;
    long r = may_access(&t->cred, &st, MAY_WRITE);
    if (r >= 0 && (st.stx_mode & S_IFMT) != S_IFSOCK)
        r = -ECONNREFUSED;
    if (r >= 0)
        return fd;
    temp_close(t, (int)fd);
    return r;
}

// The kernel gives a nameless socket that wants credentials a name before it sends.
static void name_sender(struct task *t, int fd)
{
    if (socket_option(fd, SO_PASSCRED) || socket_option(fd, SO_PASSPIDFD))
        autobind(t, fd);
}

long unix_target_begin(struct task *t, int fd, union address *a, int *len, struct unix_target *to)
{
    char path[UNIX_PATH_MAX + 1];
    int n = *len - (int)UNIX_PATH_AT;
    to->fd = to->pin = -1;
    to->error = 0;
    if (n <= 0 || n > UNIX_PATH_MAX)
        return 0; // the host tells what is wrong with it
    name_sender(t, fd);
    if (!a->un.sun_path[0]) {
        memcpy(path, a->un.sun_path, (size_t)n);
        *len = (int)UNIX_PATH_AT + unix_abstract_to_host(t, path, n, a->un.sun_path);
        return 0;
    }
    copy_path(path, &a->un, *len);
    long r = open_target(t, path);
    if (r >= 0)
        r = pin(t, (int)r, to);
    to->error = (s32)MIN(r, 0);
    *len = (int)UNIX_PATH_AT + 1 +
           (r < 0 ? fmt(a->un.sun_path, sizeof a->un.sun_path, "/proc/self/fd/none")
                  : fmt(a->un.sun_path, sizeof a->un.sun_path, FD_PATH, to->fd));
    return 0;
}
