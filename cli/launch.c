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

// Are as many descriptors as lxrun needs not open, from this one on? By one call: poll(2) names
// them.
static bool is_free(int first)
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

// First number of a free run of RESERVED_COUNT descriptors: low, or as high as may be. *count: how
// many of them are taken (fs/files.c).
static int find_block(struct launch *l, u32 *count)
{
    struct rlimit limit;
    *count = RESERVED_MOUNT + (u32)l->mounts;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        fail_errno("getrlimit");
    // Low, if there is another place for later.
    bool above =
        limit.rlim_cur > RESERVED_BELOW || limit.rlim_max >= limit.rlim_cur + RESERVED_COUNT;
    if (above && limit.rlim_cur > RESERVED_LOW + RESERVED_COUNT && *count < RESERVED_COUNT &&
        is_free(RESERVED_LOW)) {
        l->first.files_low = 1;
        l->memory->files_limit = limit.rlim_cur;
        limit.rlim_cur = RESERVED_LOW + *count;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            fail_errno("setrlimit");
        return RESERVED_LOW;
    }
    *count = RESERVED_COUNT;
    // Right above a low limit, so that all numbers below it are the guest's (fs/files.c).
    if (limit.rlim_cur <= RESERVED_BELOW && limit.rlim_max >= limit.rlim_cur + RESERVED_COUNT) {
        limit.rlim_cur += RESERVED_COUNT;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            fail_errno("setrlimit");
        int first = (int)limit.rlim_cur - RESERVED_COUNT;
        if (is_free(first))
            return first;
    }
    if (limit.rlim_cur > RESERVED_BELOW)
        *count = RESERVED_MOUNT + (u32)l->mounts;
    int end = limit.rlim_cur < RESERVED_BELOW ? (int)limit.rlim_cur : RESERVED_BELOW;
    if (end > 2 + RESERVED_COUNT && is_free(end - RESERVED_COUNT))
        return end - RESERVED_COUNT;
    int run = 0;
    for (int fd = end - 1; fd > 2; fd--) {
        run = fcntl(fd, F_GETFD) < 0 ? run + 1 : 0;
        if (run == RESERVED_COUNT)
            return fd;
    }
    fail("no room for %d descriptors of lxrun's own below %d (see ulimit -n)", RESERVED_COUNT, end);
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
    int block = find_block(l, &l->first.reserved_count);
    place(l->lxcore_fd, block + RESERVED_LXCORE);
    // Numbers without a use yet are taken too, or the kernel would hand them to the guest.
    for (u32 i = 0; i < l->first.reserved_count; i++)
        if (i != RESERVED_LXCORE)
            place(block + RESERVED_LXCORE, block + (int)i);
    place(l->memory_fd, block + RESERVED_INSTANCE);
    place(l->proc_fd, block + RESERVED_PROC);
    place(l->store.fd, block + RESERVED_STORE);
    l->first.owner = (u32)getpid();
    l->memory->exec_first = l->first;
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
