// SPDX-License-Identifier: MIT
// For tests that mount: a mount namespace of their own, so that a native run changes nothing
// outside.
#ifndef GUEST_MOUNTNS_H
#define GUEST_MOUNTNS_H

#include "check.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>

// Ends the test where even root may not mount (a container without CAP_SYS_ADMIN): both halves
// would print the same. Without namespaces the mounts are made in place; each test takes its own
// away.
static inline void own_mounts(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2];

    CHECK_EQ(syscall(SYS_capget, &head, caps), 0);
    if (!(caps[0].effective & 1u << CAP_SYS_ADMIN)) {
        fprintf(stderr, "skipped: no CAP_SYS_ADMIN\n");
        exit(done());
    }
    if (unshare(CLONE_NEWNS) == 0)
        CHECK_EQ(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
}

// In the namespace that has m/inside: a child sees it, and so does the caller when by `ready` it
// has been told of that and by `go` answered.
static inline void sees_inside(int ready, int go)
{
    char c;
    pid_t pid = fork();

    if (pid == 0)
        _exit(access("m/inside", F_OK) ? 1 : 0);
    wait_ok(pid);
    CHECK_EQ(write(ready, "x", 1), 1);
    CHECK_EQ(read(go, &c, 1), 1);
    CHECK_EQ(access("m/inside", F_OK), 0);
}

#endif
