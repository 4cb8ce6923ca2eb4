// SPDX-License-Identifier: MIT
// Makes an instance: its memory, its mount table with the roots opened, its first identity.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "attrs.h"
#include "attrstores.h"
#include "drivename.h"
#include "engine.h"
#include "fail.h"
#include "launch.h"
#include "layout.h"
#include "mark.h"
#include "newcalls.h"
#include "rewriter.h"
#include "root.h"

#define RELEASE_SUFFIX "-lxrun"

// Is this lxrun a guest of another one, whose lxcore lies where that of its own would?
static bool is_nested(uptr place)
{
    void *p = mmap((void *)place, LX_PAGE, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p == MAP_FAILED)
        return errno == EEXIST;
    munmap(p, LX_PAGE);
    return false;
}

static void open_lxcore(struct launch *l)
{
    static const char *const places[2][2] = {{"/lxcore", "/../lib/lxrun/lxcore"},
                                             {"/lxcore-nested", "/../lib/lxrun/lxcore-nested"}};
    char self[PATH_MAX], path[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        fail_errno("cannot read /proc/self/exe");
    self[n] = 0;
    *strrchr(self, '/') = 0;
    l->nested = is_nested(LX_PLACE);
    if (l->nested && is_nested(LX_PLACE_NESTED))
        fail("this is a guest of an lxrun that is a guest itself; deeper it cannot go");
    for (size_t i = 0; i < ARRAY_LEN(places[0]); i++) {
        snprintf(path, sizeof path, "%s%s", self, places[l->nested][i]);
        l->lxcore_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (l->lxcore_fd >= 0)
            return;
    }
    fail("cannot find %s beside %s/lxrun or in ../lib/lxrun", places[l->nested][0] + 1, self);
}

// RLIMIT_FSIZE is for the guest's files. What an instance needs is made without it as far as may
// be, and where that is not far enough, it is an error that says so, not a death by SIGXFSZ.
static struct rlimit writes_limit;

static void on_excess(int sig)
{
    (void)sig; // EFBIG says it; execve takes the handler away
}

static void lift_writes_limit(void)
{
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    struct sigaction old, act = {.sa_handler = on_excess};
    if (getrlimit(RLIMIT_FSIZE, &writes_limit))
        fail_errno("getrlimit");
    if (writes_limit.rlim_cur == RLIM_INFINITY)
        return;
    if (!sigaction(SIGXFSZ, NULL, &old) && old.sa_handler == SIG_DFL)
        sigaction(SIGXFSZ, &act, NULL);
    if (!setrlimit(RLIMIT_FSIZE, &none)) // the host's root
        return;
    none = (struct rlimit){writes_limit.rlim_max, writes_limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
}

static void restore_writes_limit(void)
{
    if (writes_limit.rlim_cur != RLIM_INFINITY && setrlimit(RLIMIT_FSIZE, &writes_limit))
        fail_errno("setrlimit");
}

static void make_memory(struct launch *l)
{
    struct stat st;
    char name[40];
    snprintf(name, sizeof name, "lxrun-instance-%d", (int)getpid());
    l->memory_fd = memfd_create(name, MFD_CLOEXEC);
    if (l->memory_fd < 0 || ftruncate(l->memory_fd, sizeof *l->memory) || fstat(l->memory_fd, &st))
        fail_errno("cannot make the instance's memory%s", errno == EFBIG ? " (see ulimit -f)" : "");
    l->memory = mmap(NULL, sizeof *l->memory, PROT_READ | PROT_WRITE, MAP_SHARED, l->memory_fd, 0);
    if (l->memory == MAP_FAILED)
        fail_errno("cannot map the instance's memory");
    l->memory->maker = (u32)getpid();
    l->memory->memfd_dev = (u64)major(st.st_dev) << 32 | minor(st.st_dev);
}

// The number in a file of /proc; 0 when there is none.
static u32 host_setting(const char *path)
{
    unsigned value = 0;
    FILE *f = fopen(path, "re");
    if (f) {
        if (fscanf(f, "%u", &value) != 1)
            value = 0;
        fclose(f);
    }
    return value;
}

static bool has_openat2(void)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(__NR_openat2, AT_FDCWD, "/", &how, sizeof how);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

// Of the calls that lxcore can do without, those that this host has not, or a container's filter
// does not let pass. A flag that there is not is EINVAL to the others, before they look at anything
// else.
static u32 lacking(void)
{
    static const struct {
        long nr;
        u32 lacks;
    } calls[] = {{__NR_setxattrat, LACKS_XATTRAT},     {__NR_getxattrat, LACKS_XATTRAT},
                 {__NR_listxattrat, LACKS_XATTRAT},    {__NR_removexattrat, LACKS_XATTRAT},
                 {__NR_fchmodat2, LACKS_FCHMODAT2},    {__NR_faccessat2, LACKS_FACCESSAT2},
                 {__NR_close_range, LACKS_CLOSE_RANGE}};
    u32 lacks = has_openat2() ? 0 : LACKS_OPENAT2;
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (!syscall(calls[i].nr, -1, "", ~0, ~0, NULL, 0) || errno != EINVAL)
            lacks |= calls[i].lacks;
    return lacks;
}

static void fill_memory(struct launch *l)
{
    const struct options *o = l->options;
    struct instance *in = l->memory;
    struct utsname u;
    struct timespec boot, tick;
    if (uname(&u) || clock_gettime(CLOCK_BOOTTIME, &boot) ||
        clock_getres(CLOCK_REALTIME_COARSE, &tick))
        fail_errno("cannot ask the host for its name and time");
    in->magic = INSTANCE_MAGIC;
    in->page_count = (u32)(sizeof *in / LX_PAGE);
    in->engine = engine_choose(o->engine, l->nested);
    in->verbose = o->verbose;
    in->counting = o->stats;
    if (o->verbose)
        fprintf(stderr, "lxrun: system calls are caught by: %s\n", engine_name(in->engine));
    in->host_lacks = lacking();
    in->protected_symlinks = host_setting("/proc/sys/fs/protected_symlinks");
    in->mnt_ns_used = in->uts_ns_used = 1; // the first program's
    in->mount_generation = in->dir_attr_changes = in->record_changes = 1;
    in->next_mount_id = 20; // small ones look odd: Linux itself begins about there
    in->host_uid = getuid();
    in->writes_limited = writes_limit.rlim_cur < WRITES_ENOUGH;
    in->host_gid = getgid();
    in->boot_ns = (u64)boot.tv_sec * 1000000000 + (u64)boot.tv_nsec;
    in->tick_ns = (u64)tick.tv_sec * 1000000000 + (u64)tick.tv_nsec;
    snprintf(in->uts.sysname, sizeof in->uts.sysname, "Linux");
    snprintf(in->uts.machine, sizeof in->uts.machine, "x86_64");
    if (o->hostname && strlen(o->hostname) >= sizeof in->uts.nodename)
        fail("--hostname: longer than %zu characters", sizeof in->uts.nodename - 1);
    if (o->release && strlen(o->release) >= sizeof in->uts.release)
        fail("--kernel-release: longer than %zu characters", sizeof in->uts.release - 1);
    snprintf(in->uts.nodename, sizeof in->uts.nodename, "%s",
             o->hostname ? o->hostname : u.nodename);
    snprintf(in->uts.domainname, sizeof in->uts.domainname, "(none)");
    if (o->release)
        snprintf(in->uts.release, sizeof in->uts.release, "%s", o->release);
    else
        snprintf(in->uts.release, sizeof in->uts.release, "%.*s" RELEASE_SUFFIX,
                 (int)(sizeof in->uts.release - sizeof RELEASE_SUFFIX), u.release);
    snprintf(in->uts.version, sizeof in->uts.version, "%s", u.version);
}

// ---- Mounts (launch.h) ----

// Index of the mount that the normalised guest path lies in, by its text; *rest: what follows.
static int mount_of(const struct launch *l, const char *path, const char **rest)
{
    int best = 0;
    size_t best_len = 0;
    for (int m = 1; m < l->mounts; m++) {
        const char *point = l->memory->mounts[m].point;
        size_t n = strlen(point);
        if (n >= best_len && !strncmp(path, point, n) && (!path[n] || path[n] == '/')) {
            best = m;
            best_len = n;
        }
    }
    *rest = path + best_len + (path[best_len] == '/');
    return best;
}

struct mount_entry *add_mount(struct launch *l, int fd, u32 type, u32 flags, const char *point,
                              const char *source, const char *options)
{
    struct stat st;
    const char *rest;
    if (l->mounts == MOUNTS_MAX)
        fail("more than %d mounts", MOUNTS_MAX);
    if (fstat(fd, &st))
        fail_errno("%s", source);
    struct mount_entry *e = &l->memory->mounts[l->mounts];
    e->type = type;
    e->flags = flags;
    e->id = l->memory->next_mount_id++;
    e->parent = l->mounts ? mount_of(l, point, &rest) : -1;
    e->base = BASE_INHERITED;
    e->locked = flags & MS_RDONLY;
    e->root_uid = st.st_uid;
    e->root_gid = st.st_gid;
    // The instance's own directories are new; the guest's tree may have a mark.
    if ((type == FS_TMPFS || type == FS_DEVFS ||
         (!l->mounts && l->memory->keeps_dirs && mark_tree(fd))))
        e->marked_dev = (u64)major(st.st_dev) << 32 | minor(st.st_dev);
    if (!l->mounts && l->memory->keeps_dirs && attrs_ctime_is_fine(fd))
        l->memory->fine_ctime_dev = (u64)major(st.st_dev) << 32 | minor(st.st_dev);
    snprintf(e->point, sizeof e->point, "%s", point);
    snprintf(e->source, sizeof e->source, "%s", source);
    snprintf(e->options, sizeof e->options, "%s", options);
    e->state = MOUNT_LIVE;
    const char *last = strrchr(e->point, '/') + 1;
    u32 hash = *last ? name_hash(last, strlen(last)) : 0;
    if (*last)
        l->memory->mount_names[name_word(hash)] |= name_bit(hash);
    l->memory->mounts_live |= 1UL << l->mounts;
    l->mount_fd[l->mounts++] = fd;
    return e;
}

static int open_directory(const char *path)
{
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void make_point(struct launch *l, const char *guest, bool directory, char *out)
{
    char path[LX_PATH_MAX], in_mount[LX_PATH_MAX];
    const char *rest;
    if (snprintf(path, sizeof path, "%s", guest) >= (int)sizeof path)
        fail("%.60s...: path too long", guest);
    path_normalise(path);
    int m = mount_of(l, path, &rest);
    const char *base = l->memory->mounts[m].point;
    base += !strcmp(base, "/");
    bool may_make = !(l->memory->mounts[m].flags & MS_RDONLY); // /etc/fstab is the guest's
    if (!*rest || !root_make(l->mount_fd[m], rest, directory, may_make, in_mount, sizeof in_mount))
        strcpy(out, path);
    else if (snprintf(out, LX_PATH_MAX, "%s/%s", base, in_mount) >= LX_PATH_MAX)
        fail("%.60s...: path too long", guest);
}

// A host directory as a mount of its own, where the host has it.
static void add_host_mount(struct launch *l, const char *host, u32 type, u32 flags,
                           const char *source, const char *options)
{
    char point[LX_PATH_MAX];
    int fd = open_directory(host);
    if (fd < 0)
        return;
    make_point(l, host, true, point);
    add_mount(l, fd, type, flags, point, source, options);
}

static void make_store(struct launch *l)
{
    static const char *const places[] = {NULL, "/dev/shm", "/tmp", "/var/tmp"};
    for (int need_xattr = 1; need_xattr >= 0; need_xattr--)
        for (size_t i = 0; i < ARRAY_LEN(places); i++)
            if (store_create(&l->store, i ? places[i] : getenv("XDG_RUNTIME_DIR"), need_xattr))
                return;
    fail("no directory for the instance's own files: tried $XDG_RUNTIME_DIR, /dev/shm, /tmp and "
         "/var/tmp");
}

// /dev and what is mounted in it, for a guest with a root of its own.
static void add_dev(struct launch *l)
{
    char point[LX_PATH_MAX];
    store_make_dev(&l->store, "dev");
    make_point(l, "/dev", true, point);
    add_mount(l, openat(l->store.fd, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC), FS_DEVFS, MS_NOSUID,
              point, "devtmpfs", "mode=755");
    add_host_mount(l, "/dev/pts", FS_DEVPTS, MS_NOSUID | MS_NOEXEC, "devpts",
                   "gid=5,mode=620,ptmxmode=666");
    // In memory where the host has room for such, else beside the instance's other files.
    const struct store *s = store_create(&l->shm, "/dev/shm", true) ? &l->shm : &l->store;
    if (mkdirat(s->fd, "shm", 0755))
        fail_errno("cannot make %s/shm", s->path);
    int shm = openat(s->fd, "shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (shm < 0)
        fail_errno("%s/shm", s->path);
    fsetxattr(shm, "user.containers.override_stat", "0:0:1777", 8, 0);
    make_point(l, "/dev/shm", true, point);
    add_mount(l, shm, FS_TMPFS, MS_NOSUID | MS_NODEV, point, "tmpfs", "mode=1777");
}

static void add_mounts(struct launch *l)
{
    const struct options *o = l->options;
    const u32 guarded = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    int root = open_directory(o->root ? o->root : "/");
    struct stat st, host;
    if (root < 0 || fstat(root, &st))
        fail_errno("--root %s", o->root);
    l->memory->keeps_dirs =
        stat("/", &host) || host.st_dev != st.st_dev || host.st_ino != st.st_ino;
    add_mount(l, root, FS_VOLFS, 0, "/", "rootfs", "");
    // Names of abstract sockets and IPC objects are kept apart by root. FNV-1a over what identifies
    // it: what an earlier tree with that inode number has left is not its own.
    struct statx birth = {0};
    statx(root, "", AT_EMPTY_PATH, STATX_BTIME, &birth);
    const u64 id[3] = {st.st_dev, st.st_ino,
                       (u64)birth.stx_btime.tv_sec * 1000000000 + birth.stx_btime.tv_nsec};
    u32 hash = 2166136261u;
    for (size_t bit = 0; bit < 8 * sizeof id; bit += 8)
        hash = (hash ^ (u8)(id[bit / 64] >> bit % 64)) * 16777619u;
    l->memory->abstract_prefix = hash;

    add_host_mount(l, "/proc", FS_PROC, guarded, "proc", "");
    if (o->root) {
        add_host_mount(l, "/sys", FS_SYSFS, guarded | MS_RDONLY, "sysfs", "");
        add_dev(l);
    }
}

// Where the guest sees the host's working directory; "/" where it does not.
static void find_cwd(const struct launch *l, char *out)
{
    char cwd[LX_PATH_MAX], base[LX_PATH_MAX];
    size_t best = 0;
    strcpy(out, "/");
    if (!getcwd(cwd, sizeof cwd))
        return;
    for (int m = 0; m < l->mounts; m++) {
        const struct mount_entry *e = &l->memory->mounts[m];
        if ((e->type != FS_VOLFS && e->type != FS_DRVFS && e->type != FS_DRIVE) ||
            !fd_host_path(l->mount_fd[m], base, sizeof base))
            continue;
        size_t n = strcmp(base, "/") ? strlen(base) : 0;
        if (strncmp(cwd, base, n) != 0 || (cwd[n] && cwd[n] != '/') || n + 1 <= best)
            continue;
        best = n + 1;
        const char *point = strcmp(e->point, "/") ? e->point : "";
        if (snprintf(out, LX_PATH_MAX, "%s%s", point, cwd + n) >= LX_PATH_MAX || !*out)
            strcpy(out, "/");
        else if (e->drive.names)
            drivename_to_guest(out + strlen(point));
    }
}

static void fill_first(struct launch *l)
{
    const struct options *o = l->options;
    struct exec_state *s = &l->first;
    s->first = 1;
    s->image_fd = s->interp_fd = -1;
    user_cred(&l->user, &s->cred);
    umask(0);
    s->cwd_mount = -1;
    s->dumpable = 1;
    char cwd[LX_PATH_MAX];
    if (strlen(*o->program) >= LX_PATH_MAX)
        fail("%.60s...: name too long", *o->program);
    for (int m = 0; m < l->mounts; m++)
        s->mount_id[m] = l->memory->mounts[m].id;
    find_cwd(l, cwd);
    if (o->cd) {
        char *cd = *o->cd == '/' ? must_format("%s", o->cd) : must_format("%s/%s", cwd, o->cd);
        if (snprintf(cwd, sizeof cwd, "%s", cd) >= (int)sizeof cwd)
            fail("--cd %.60s...: name too long", o->cd);
        free(cd);
    }
    s->root = s->exe = exec_put_text(s, "");
    s->execfn = exec_put_text(s, *o->program);
    s->cwd = exec_put_text(s, cwd);
}

static struct launch *unfinished;

static void remove_stores(void)
{
    store_remove(&unfinished->shm);
    store_remove(&unfinished->store);
}

void instance_make(struct launch *l, const struct options *o)
{
    *l = (struct launch){.options = o,
                         .cache_fd = -1,
                         .attrs_fd = -1,
                         .attrstore_fd = -1,
                         .rewrite_fd = -1,
                         .requests_fd = -1,
                         .store.fd = -1,
                         .shm.fd = -1};
    // What is made here is for all users of the guest.
    l->first.umask = umask(022);
    lift_writes_limit();
    open_lxcore(l);
    l->proc_fd = open_directory("/proc");
    if (l->proc_fd < 0)
        fail_errno("/proc");
    make_memory(l);
    fill_memory(l);
    unfinished = l;
    fail_hook = remove_stores; // until the supervisor does it
    make_store(l);
    add_mounts(l);
    user_find(&l->user, l->mount_fd[0], o->user);
    l->memory->user_uid = l->user.uid;
    l->memory->user_gid = l->user.gid;
    drives_add(l);
    attrstore_add(l);
    rewriter_prepare(l);
    attrs_prepare(l);
    restore_writes_limit();
    fill_first(l);
    l->env = environment_make(o, &l->user);
}
