// SPDX-License-Identifier: MIT
// Files without a name that lxcore writes for the guest, or for itself behind an execve.
#include <linux/fcntl.h>
#include <linux/resource.h>

#include "host.h"
#include "instance.h"
#include "lib.h"

#define PIPE_ROOM (1L << 20) // fs.pipe-max-size, as it mostly is

// A limit on what the guest writes into files is one on memory files, too, and ends in SIGXFSZ.
static bool is_limited(void)
{
    struct rlimit64 l;
    return HOST4(__NR_prlimit64, 0, RLIMIT_FSIZE, NULL, &l) || l.rlim_cur < WRITES_ENOUGH;
}

long host_scratch(const char *name, unsigned flags, bool may_be_limited, int *reader)
{
    int end[2];
    *reader = -1;
    if (!may_be_limited || !is_limited())
        return HOST2(__NR_memfd_create, name, flags);
    long r = HOST2(__NR_pipe2, end, flags & 1 /* MFD_CLOEXEC */ ? O_CLOEXEC : 0);
    if (r < 0)
        return r;
    host_fcntl(end[1], F_SETPIPE_SZ, PIPE_ROOM);
    host_fcntl(end[1], F_SETFL, O_NONBLOCK);
    *reader = end[0];
    return end[1];
}
