// SPDX-License-Identifier: MIT
// openat2(2), made again where it says so: EAGAIN when something anywhere on the machine was
// renamed or mounted while it went up by `..`.
#ifndef GUEST_OPENAT2_H
#define GUEST_OPENAT2_H

#include <errno.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int openat2_again(int dir, const char *path, struct open_how *how)
{
    long fd;

    do
        fd = syscall(SYS_openat2, dir, path, how, sizeof(*how));
    while (fd < 0 && errno == EAGAIN && (how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)));
    return (int)fd;
}

#endif
