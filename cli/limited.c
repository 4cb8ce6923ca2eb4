// SPDX-License-Identifier: MIT
// Holders of tmpfs mounts with limits (limited.h). Who may not mount on the host gets a user
// namespace for it, where the host allows that.
#define _GNU_SOURCE
#include "limited.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fail.h"

// Those that live, and the number in the name of the directory that each has mounted over.
static struct {
    pid_t pid;
    unsigned number;
} holders[MOUNTS_MAX];

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

// A mount namespace in which we may mount.
static bool enter_namespace(void)
{
    char uid[40], gid[40];
    snprintf(uid, sizeof uid, "%u %u 1", geteuid(), geteuid());
    snprintf(gid, sizeof gid, "%u %u 1", getegid(), getegid());
    if (unshare(CLONE_NEWNS) &&
        (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !write_file("/proc/self/setgroups", "deny") ||
         !write_file("/proc/self/uid_map", uid) || !write_file("/proc/self/gid_map", gid)))
        return false;
    return !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void path_of(const struct launch *l, unsigned number, char *out, size_t n)
{
    snprintf(out, n, "%s/limited-%u", l->store.path, number);
}

static long make(const struct launch *l, unsigned number, const char *options)
{
    char path[LX_PATH_MAX];
    path_of(l, number, path, sizeof path);
    if (mkdir(path, 0700) || !enter_namespace() ||
        mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options) || chdir(path) ||
        // Owners are kept in such (tmpfs has them from Linux 6.6 on).
        setxattr(".", "user.lxrun.store", "", 0, 0) || removexattr(".", "user.lxrun.store"))
        return -errno;
    return 0;
}

static void answer(struct tmpfs_request *r, unsigned asked, unsigned holder, long result)
{
    r->holder = holder;
    r->result = (s32)result;
    __atomic_store_n(&r->done, asked, __ATOMIC_RELEASE);
    syscall(SYS_futex, &r->done, FUTEX_WAKE, 1, NULL, NULL, 0);
}

// The guest comes in by /proc/PID/cwd, which asks that we can do no more than it.
static void drop_all_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    syscall(SYS_capset, &header, none);
}

static _Noreturn void hold(struct launch *l, unsigned number, const char *options, unsigned asked,
                           pid_t supervisor)
{
    long r = make(l, number, options);
    prctl(PR_SET_NAME, "lxrun-tmpfs");
    drop_all_capabilities();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        _exit(0);
    closefrom(0);
    answer(&l->memory->tmpfs, asked, (unsigned)getpid(), r);
    if (r < 0)
        _exit(0);
    for (;;)
        pause();
}

static long join_namespace(pid_t holder, const char *which, int type)
{
    char path[64];
    struct stat here, there;
    snprintf(path, sizeof path, "/proc/self/ns/%s", which);
    if (stat(path, &here))
        return -errno;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", holder, which);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &there) || (here.st_ino != there.st_ino && setns(fd, type)))
        return -errno;
    close(fd);
    return 0;
}

static _Noreturn void change(struct launch *l, pid_t holder, unsigned number, const char *options,
                             unsigned asked)
{
    char path[LX_PATH_MAX];
    path_of(l, number, path, sizeof path);
    long r = join_namespace(holder, "user", CLONE_NEWUSER);
    if (r >= 0)
        r = join_namespace(holder, "mnt", CLONE_NEWNS);
    if (r >= 0 && mount(NULL, path, NULL, MS_REMOUNT | MS_NOSUID | MS_NODEV, options))
        r = -errno;
    answer(&l->memory->tmpfs, asked, (unsigned)holder, r);
    _exit(0);
}

static int find(pid_t pid)
{
    for (int i = 0; i < MOUNTS_MAX; i++)
        if (holders[i].pid == pid)
            return i;
    return -1;
}

// Without a signal at its end, so that waitpid() without __WALL passes over it (limited_alone).
static pid_t fork_quietly(void)
{
    return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
}

void limited_serve(struct launch *l)
{
    static unsigned next;
    struct tmpfs_request *r = &l->memory->tmpfs;
    unsigned asked = __atomic_load_n(&r->asked, __ATOMIC_ACQUIRE);
    pid_t holder = (pid_t)r->holder, us = getpid();
    char options[sizeof r->options];
    if (asked == r->done)
        return;
    memcpy(options, r->options, sizeof options);
    options[sizeof options - 1] = 0;
    for (int i = 0; i < MOUNTS_MAX; i++)
        if (holders[i].pid && kill(holders[i].pid, 0))
            holders[i].pid = 0;
    int i = find(holder); // 0, for a new one: a free place
    if (i < 0) {
        answer(r, asked, 0, -ENOSPC);
        return;
    }
    unsigned number = holder ? holders[i].number : next++;
    pid_t pid = fork_quietly();
    if (!pid && holder)
        change(l, holder, number, options, asked);
    if (!pid)
        hold(l, number, options, asked, us);
    if (pid < 0)
        answer(r, asked, 0, -errno);
    else if (!holder) {
        holders[i].pid = pid;
        holders[i].number = number;
    }
}

bool limited_alone(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) && errno == ECHILD;
}

void limited_end(void)
{
    for (int i = 0; i < MOUNTS_MAX; i++)
        if (holders[i].pid && !kill(holders[i].pid, SIGKILL))
            waitpid(holders[i].pid, NULL, __WALL); // not every init takes in what others leave
}
