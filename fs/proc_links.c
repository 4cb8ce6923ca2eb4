// SPDX-License-Identifier: MIT
// Symbolic links in /proc, in guest terms. A link to something with a guest path is followed by
// that path, under the guest's own rules; one without (a pipe, a socket, a deleted file, a file
// from outside that lxrun was started with) can only be followed by the host.
#include <linux/capability.h>
#include <linux/fs.h>

#include "host.h"
#include "mqueue.h"
#include "proc.h"
#include "procfs.h"
#include "reach.h"

// Of namespaces but the first, which is the host's: their numbers (as of inodes) begin here.
#define NS_NUMBERS 0xf8000000u

static long put_text(char *out, size_t n, const char *text)
{
    size_t len = str_copy(out, text, n);
    return len >= n ? -ENAMETOOLONG : (long)len;
}

static bool is_deleted(const char *path)
{
    static const char mark[] = " (deleted)";
    size_t n = strlen(path);
    return n >= sizeof mark && !strcmp(path + n - (sizeof mark - 1), mark);
}

// Device files are the host's own, wherever the guest's /dev is.
static bool is_device(const char *host)
{
    static const u32 known[][2] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const char *path = device_host_path(known[i][0], known[i][1]);
        if (path && !strcmp(path, host))
            return true;
    }
    return false;
}

// A file that procfs made: "/memfd:lxrun-proc:PATH (deleted)" is /proc/PATH.
static void put_made(char *out, size_t n, const char *host)
{
    const char *rel = host + strlen(proc_memfd_link());
    size_t len = (size_t)fmt(out, n, "/proc/%s", rel);
    if (is_deleted(out))
        out[len - sizeof " (deleted)" + 1] = 0;
}

// Is it sealed as procfs's are? A descriptor of the place alone (O_PATH) cannot say so.
static bool has_seals(struct task *t, int fd)
{
    char path[FD_PATH_SIZE];
    long seals = host_fcntl(fd, F_GET_SEALS, 0);
    if (seals == -EBADF) {
        fmt(path, sizeof path, FD_PATH, fd);
        long file = temp_open(t, AT_FDCWD, path, O_RDONLY, 0);
        if (file >= 0) {
            seals = host_fcntl((int)file, F_GET_SEALS, 0);
            temp_close(t, (int)file);
        }
    }
    return seals == PROC_MEMFD_SEALS;
}

// The name is the guest's to choose, for a memfd of its own: it leads to nothing but a file of the
// host's /proc, and only one that is sealed is taken for procfs's.
static const char *made_name(struct task *t, int fd, char path[LX_PATH_MAX])
{
    char host[LX_PATH_MAX];
    if (host_link_of_fd(t, fd, host, sizeof host) < 0 || !str_starts(host, proc_memfd_link()) ||
        !has_seals(t, fd))
        return NULL;
    put_made(path, LX_PATH_MAX, host);
    return path + sizeof "/proc/" - 1;
}

const char *procfs_name_of_fd(struct task *t, int fd, struct loc *loc)
{
    if (loc_of_fd(t, fd, loc) >= 0)
        return mount_at(t, loc->mount)->type == FS_PROC ? loc->rel : NULL;
    return fd == AT_FDCWD ? NULL : made_name(t, fd, loc->rel);
}

bool procfs_fstat(struct task *t, int fd, u32 mask, struct statx *st)
{
    char path[LX_PATH_MAX];
    int proc = reserved_fd(t, RESERVED_PROC);
    const char *rel = made_name(t, fd, path);
    if (!rel)
        return false;
    long named = procfs_lookup(t, rel);
    if (named >= 0)
        named = temp_open(t, proc, rel, O_PATH | O_NOFOLLOW, WALK_RESOLVE);
    if (named < 0)
        return false;
    long r = host_statx((int)named, "", AT_EMPTY_PATH, mask, st);
    temp_close(t, (int)named);
    if (r >= 0)
        procfs_stat(t, rel, st);
    return r >= 0;
}

// Of one in a mount of the guest's, NULL for anything else.
static const char *made_of_mount(struct task *t, int fd, char path[LX_PATH_MAX])
{
    int mount = fd_mount(t, fd);
    return mount < 0 || mount_at(t, mount)->type != FS_PROC ? NULL : made_name(t, fd, path);
}

// Of one that is no more nothing is left to read; Linux says ESRCH then. Another descriptor that
// shares its position with fd keeps the old file. (The guest's threads are not kept from closing fd
// meanwhile: for them the call then is one on whatever has its number.)
void procfs_made_anew(struct task *t, int fd)
{
    char path[LX_PATH_MAX];
    const char *rel = made_of_mount(t, fd, path);
    if (!rel)
        return;
    long at = HOST3(__NR_lseek, fd, 0, SEEK_CUR), cloexec = host_fcntl(fd, F_GETFD, 0);
    long made = procfs_open(t, rel, O_RDONLY);
    if (made == -ENOENT || made == -ESRCH)
        made = HOST2(__NR_memfd_create, proc_memfd_name(), 0);
    if (made < 0)
        return;
    HOST3(__NR_dup3, made, fd, cloexec & FD_CLOEXEC ? O_CLOEXEC : 0);
    HOST3(__NR_lseek, fd, at, SEEK_SET);
    host_close((int)made);
}

// Linux: of the made files those in sys have default_llseek(), where no size is a size of 0; the
// others have seq_lseek(), which knows of no end.
long procfs_lseek(struct task *t, int fd, long offset, u32 whence)
{
    char path[LX_PATH_MAX];
    const char *rel = whence == SEEK_END || whence == SEEK_DATA || whence == SEEK_HOLE
                          ? made_of_mount(t, fd, path)
                          : NULL;
    if (rel && !str_starts(rel, "sys/"))
        return -EINVAL;
    if (rel && whence != SEEK_END && offset >= 0)
        return -ENXIO;
    if (rel)
        offset = whence == SEEK_HOLE ? 0 : offset;
    long r = HOST3(__NR_lseek, fd, offset, rel ? SEEK_SET : whence);
    // Where it is said to stay, it has not been read from there.
    if (r == 0 && (whence != SEEK_CUR || offset))
        procfs_made_anew(t, fd);
    return r;
}

// What the host says a descriptor or working directory is, translated. -EXDEV: the text in out is
// for showing only. *mount: the one it is said to lie in (-1: not known), and then does.
static long translate(struct task *t, const char *host, int *mount, char *out, size_t n)
{
    if (host[0] != '/') {
        put_text(out, n, host);
        return -EXDEV;
    }
    char own[40];
    fmt(own, sizeof own, "/memfd:lxrun-instance-%u ", t->instance->maker);
    if (str_starts(host, own))
        return -ENOENT; // lxcore's own in a process that moved its reserved block
    if (str_starts(host, proc_memfd_link())) {
        put_made(out, n, host);
        procfs_guest_path(t, out + sizeof "/proc/" - 1);
        return -EXDEV;
    }
    const char *queue = mqueue_shown(t, host);
    if (queue) {
        fmt(out, n, "/%s", queue);
        return -EXDEV;
    }
    bool deleted = is_deleted(host);
    if (deleted && str_starts(host, "/memfd:")) {
        put_text(out, n, host);
        return -EXDEV;
    }
    // A guest's /dev has the host's nodes, which lie in none of its mounts.
    bool device = is_device(host);
    if (device && (*mount < 0 || mount_at(t, *mount)->type == FS_DEVFS))
        return put_text(out, n, host);
    long r = path_found_to_guest(t, host, mount, out, n);
    if (r >= 0)
        return deleted || out[0] != '/' ? -EXDEV : r;
    if (device)
        return put_text(out, n, host);
    fmt(out, n, "(unreachable)%s", host);
    return -EXDEV;
}

static long read_host(struct task *t, const struct proc_path *pp, char *host, size_t n)
{
    char path[96];
    if (strlen(pp->rest) > 40)
        return -ENOENT;
    if (pp->in_task)
        fmt(path, sizeof path, "%u/task/%u/%s", pp->pid, pp->tid, pp->rest);
    else
        fmt(path, sizeof path, "%u/%s", pp->pid, pp->rest);
    long r = host_readlinkat(reserved_fd(t, RESERVED_PROC), path, host, n - 1);
    if (r >= 0)
        host[r] = 0;
    return r;
}

// The kernel's own link names lxcore: the program is what lxcore loaded.
static long read_exe(struct task *t, const struct proc_path *pp, char *out, size_t n)
{
    const struct proc_slot *s = proc_find(t->instance, pp->tgid);
    const char *exe = proc_is_own(t, pp) || !s ? t->proc->exe : s->exe;
    return *exe ? put_text(out, n, exe) : -ENOENT;
}

// Of one of the instance's own, by the name that its link has; 0: it is the host's.
static u32 namespace_number(struct task *t, const struct proc_path *pp)
{
    const struct namespaces ns = proc_namespaces(t, pp);
    if (!strcmp(pp->rest, "ns/mnt") && ns.mnt)
        return t->instance->mnt_ns_number[ns.mnt];
    return !strcmp(pp->rest, "ns/uts") && ns.uts ? t->instance->uts_ns_number[ns.uts] : 0;
}

// A link whose text the host has to be asked for; fd, cwd: what it is. In a frame of its own: each
// step of a walk in /proc asks whether it is at a link.
static __attribute__((noinline)) long read_object(struct task *t, const struct proc_path *pp,
                                                  bool fd, bool cwd, char *out, size_t n)
{
    char host[LX_PATH_MAX];
    int prefer = -1, number = fd ? (int)str_number(pp->rest + 3, strlen(pp->rest + 3)) : -1;
    bool own = proc_is_own(t, pp), again = false;
    long r = 0;
    for (int tries = 0; !tries || again; tries++) {
        temps_begin(t);
        r = read_host(t, pp, host, sizeof host);
        again = r >= 0 && own && fd && fd_mount_comes(t, number, tries, &prefer);
        temps_end(t);
    }
    if (r < 0)
        return r;
    if (own && cwd)
        prefer = t->fs->cwd_mount;
    int was = prefer;
    r = translate(t, host, &prefer, out, n);
    if (r >= 0 && own && fd)
        fd_learn_mount(t, number, was, prefer);
    return r;
}

static long read_process_link(struct task *t, const struct proc_path *pp, char *out, size_t n)
{
    bool fd = str_starts(pp->rest, "fd/") && pp->rest[3], cwd = !strcmp(pp->rest, "cwd");
    bool exe = !strcmp(pp->rest, "exe"), root = !strcmp(pp->rest, "root");
    if (exe)
        proc_settled(t, pp);
    if (!fd && !cwd && !exe && !root && !str_starts(pp->rest, "ns/"))
        return -EINVAL;
    if (!pp->tgid)
        return -ENOENT;
    if (pp->init ? !cred_has_cap(&t->cred, CAP_SYS_PTRACE) : reach_may_inspect(t, pp->tgid) < 0)
        return -EACCES;
    if (pp->init) // as a thread of the kernel's has it
        return cwd || root ? put_text(out, n, "/") : -ENOENT;
    // lxcore's own knowledge is of the process: is there such a thread of it, and is it no zombie?
    char some[2];
    bool here = proc_is_own(t, pp) && (!pp->in_task || pp->tid == t->tid);
    if ((exe || root) && !here && read_host(t, pp, some, sizeof some) == -ENOENT)
        return -ENOENT;
    if (exe) {
        long r = read_exe(t, pp, out, n);
        return r >= 0 && proc_is_own(t, pp) && t->proc->holds_program ? -EXDEV : r;
    }
    u32 number = namespace_number(t, pp);
    if (number) {
        char text[32];
        fmt(text, sizeof text, "%s:[%u]", pp->rest + 3, NS_NUMBERS + number);
        return put_text(out, n, text);
    }
    return root ? put_text(out, n, "/") : read_object(t, pp, fd, cwd, out, n);
}

long procfs_is_seen(struct task *t, const char *rel, char room[LX_PATH_MAX])
{
    struct proc_path pp;
    long r = procfs_lookup(t, rel);
    if (r < 0)
        return r;
    proc_parse(t, rel, &pp);
    if (!pp.pid || proc_is_own(t, &pp) || !str_starts(pp.rest, "fd/"))
        return 0;
    r = procfs_readlink(t, rel, room, LX_PATH_MAX);
    return r == -ENOENT ? r : 0;
}

long procfs_readlink(struct task *t, const char *rel, char *out, size_t n)
{
    struct proc_path pp;
    if (!strcmp(rel, "self")) {
        fmt(out, n, "%u", t->proc->tgid);
        return (long)strlen(out);
    }
    if (!strcmp(rel, "thread-self")) {
        fmt(out, n, "%u/task/%u", t->proc->tgid, t->tid);
        return (long)strlen(out);
    }
    if (!strcmp(rel, "mounts"))
        return put_text(out, n, "self/mounts");
    if (!strcmp(rel, "net"))
        return put_text(out, n, "self/net");
    proc_parse(t, rel, &pp);
    return pp.pid ? read_process_link(t, &pp, out, n) : -EINVAL;
}
