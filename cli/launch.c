// SPDX-License-Identifier: MIT
// The last steps of lxrun in the process that becomes the guest's first: descriptors to their
// reserved numbers, then lxcore.
#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fail.h"

#define SMALL_LEAST 16 // numbers that are worth a place below RESERVED_SMALL

// Does nothing of poll's say that one of these is open? It is one call for all, and does not name
// those of O_PATH.
static bool seem_free(int first)
{
    struct pollfd look[RESERVED_COUNT];
    for (int i = 0; i < RESERVED_COUNT; i++)
        look[i] = (struct pollfd){.fd = first + i};
    if (poll(look, RESERVED_COUNT, 0) < 0)
        return false; // more than the limit of descriptors
    for (int i = 0; i < RESERVED_COUNT; i++)
        if (!(look[i].revents & POLLNVAL))
            return false;
    return true;
}

// Takes `count` numbers from `first` on, or none. They stand for lxcore's file until they are
// needed: numbers without a use are taken too, or the kernel would hand them to the guest.
static bool take(const struct launch *l, int first, u32 count)
{
    for (int fd = first; fd < first + (int)count; fd++) {
        int got = fcntl(l->lxcore_fd, F_DUPFD, fd);
        if (got == fd)
            continue;
        if (got >= 0)
            close(got);
        for (int taken = first; taken < fd; taken++)
            close(taken);
        return false;
    }
    return true;
}

// Takes the first `count` of the highest free run of `room` descriptors below end; -1: there is
// none.
static int take_run(const struct launch *l, int end, u32 room, u32 count)
{
    u32 run = 0;
    for (int fd = end - 1; fd > 2; fd--) {
        run = fcntl(fd, F_GETFD) < 0 ? run + 1 : 0;
        if (run == room)
            return take(l, fd, count) ? fd : -1;
    }
    return -1;
}

static void set_limit(struct rlimit *limit, u64 soft)
{
    limit->rlim_cur = soft;
    if (setrlimit(RLIMIT_NOFILE, limit))
        fail_errno("setrlimit");
}

// Takes *count descriptors, low, or as high as may be, where there is room for RESERVED_COUNT
// (fs/files.c). The first number.
static int take_block(struct launch *l, u32 *count)
{
    struct rlimit limit;
    u32 least = RESERVED_MOUNT + (u32)l->mounts;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        fail_errno("getrlimit");
    // Low, if there is another place for later.
    bool above =
        limit.rlim_cur > RESERVED_BELOW || limit.rlim_max >= limit.rlim_cur + RESERVED_COUNT;
    *count = least;
    const int low[] = {least < RESERVED_SMALL ? (int)(RESERVED_SMALL - least) : 0, RESERVED_LOW};
    for (int i = 0; i < 2 && above && limit.rlim_cur > RESERVED_LOW + RESERVED_COUNT; i++) {
        if (low[i] < SMALL_LEAST || least >= RESERVED_COUNT || !seem_free(low[i]) ||
            !take(l, low[i], least))
            continue;
        l->first.files_low = 1;
        l->memory->files_limit = limit.rlim_cur;
        set_limit(&limit, (u64)low[i] + least);
        return low[i];
    }
    *count = RESERVED_COUNT;
    // Right above a low limit, so that all numbers below it are the guest's (fs/files.c).
    if (limit.rlim_cur <= RESERVED_BELOW && limit.rlim_max >= limit.rlim_cur + RESERVED_COUNT) {
        int first = (int)limit.rlim_cur;
        set_limit(&limit, limit.rlim_cur + RESERVED_COUNT);
        if (take(l, first, *count))
            return first;
    }
    if (limit.rlim_cur > RESERVED_BELOW)
        *count = least;
    int end = limit.rlim_cur < RESERVED_BELOW ? (int)limit.rlim_cur : RESERVED_BELOW;
    // Of very few numbers the guest gets more: a mount made later cannot be entered then.
    if (end < 2 * RESERVED_COUNT)
        *count = least;
    else if (seem_free(end - RESERVED_COUNT) && take(l, end - RESERVED_COUNT, *count))
        return end - RESERVED_COUNT;
    int first = take_run(l, end, end < 2 * RESERVED_COUNT ? least : RESERVED_COUNT, *count);
    if (first < 0)
        fail("no room for %u descriptors of lxrun's own below %d (see ulimit -n)", least, end);
    return first;
}

static void place(int fd, int number)
{
    if (dup3(fd, number, 0) < 0)
        fail_errno("cannot put a descriptor on number %d", number);
}

// As root of the host: what the layer itself and the guest's sockets have use for is kept, the
// rest given up, so that no mistake of the layer can reach the host's kernel state.
static void drop_capabilities(void)
{
    const u64 keep = 1UL << CAP_CHOWN | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_FOWNER |
                     1UL << CAP_NET_BIND_SERVICE | 1UL << CAP_NET_RAW;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data))
        fail_errno("capget");
    // execve as uid 0 would give all of them back; the bounding set forbids that.
    if (data[0].effective >> CAP_SETPCAP & 1)
        for (int cap = 0; cap < 64; cap++)
            if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap)) {
                if (errno != EINVAL)
                    fail_errno("PR_CAPBSET_DROP");
                break; // behind the kernel's last one
            }
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int i = 0; i < 2; i++) {
        data[i].permitted &= (u32)(keep >> 32 * i);
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data))
        fail_errno("capset");
}

void launch_exec(struct launch *l)
{
    int block = take_block(l, &l->first.reserved_count);
    place(l->memory_fd, block + RESERVED_INSTANCE);
    place(l->proc_fd, block + RESERVED_PROC);
    place(l->store.fd, block + RESERVED_STORE);
    l->memory->exec_first = l->first;
    l->memory->exec_owners[0] = (u32)getpid();
    if (l->memory->has_cache) {
        place(l->cache_fd, block + RESERVED_CACHE);
        place(l->rewrite_fd, block + RESERVED_REWRITE);
    }
    if (l->memory->keeps_attrs)
        place(l->attrs_fd, block + RESERVED_ATTRS);
    for (int m = 0; m < l->mounts; m++)
        place(l->mount_fd[m], block + RESERVED_MOUNT + m);
    drop_capabilities();
    char **argv = l->options->program;
    if (l->options->argv0)
        *argv = (char *)l->options->argv0;
    // lxcore learns the block from AT_EXECFN, which is /dev/fd/NUMBER here.
    execveat(block + RESERVED_LXCORE, "", argv, l->env, AT_EMPTY_PATH);
    fail_errno("cannot run lxcore");
}
