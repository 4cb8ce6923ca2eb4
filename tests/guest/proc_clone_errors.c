// SPDX-License-Identifier: MIT
// Flag combinations that clone and clone3 refuse, and what clone3 says of its argument block.
// covers: clone, clone3
// trap: not container,old: such a host refuses clone3
#include "clone.h"

static int child(void *arg)
{
    (void)arg;
    return 0;
}

static long try(unsigned long flags)
{
    static int word;
    long ret = clone_call(flags, NULL, &word, &word, &word, child, NULL);

    if (ret > 0) {
        exit_code(ret);
        return 0;
    }
    errno = -ret;
    return -1;
}

static struct {
    struct clone_args a;
    uint64_t more[2];
} block_;

static long try3(size_t size)
{
    long ret = clone3_call(&block_, size, child, NULL);

    if (ret > 0) {
        exit_code(ret);
        return 0;
    }
    errno = -ret;
    return -1;
}

static void fill(uint64_t flags)
{
    memset(&block_, 0, sizeof(block_));
    block_.a.flags = flags;
    block_.a.exit_signal = SIGCHLD;
}

int main(void)
{
    static const uint64_t bad3[] = {
        CLONE_DETACHED,
        0xff,      // the signal has its own field
        1ul << 40, // unknown
        CLONE_THREAD,
        CLONE_SIGHAND,
        CLONE_SIGHAND | CLONE_VM | CLONE_CLEAR_SIGHAND,
        CLONE_NEWNS | CLONE_FS,
        CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, // with an exit signal
        CLONE_PARENT,                            // likewise
    };

    CHECK(try(SIGCHLD) == 0);
    CHECK_ERR(try(CLONE_THREAD | SIGCHLD), EINVAL);
    CHECK_ERR(try(CLONE_THREAD | CLONE_VM | SIGCHLD), EINVAL);
    CHECK_ERR(try(CLONE_SIGHAND | SIGCHLD), EINVAL);
    CHECK_ERR(try(CLONE_NEWNS | CLONE_FS | SIGCHLD), EINVAL);
    CHECK_ERR(try(CLONE_NEWUSER | CLONE_FS | SIGCHLD), EINVAL);
    CHECK_ERR(try(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD), EINVAL);
    CHECK_ERR(try(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD), EINVAL);

    fill(0);
    CHECK(try3(64) == 0);
    CHECK(try3(80) == 0);
    CHECK(try3(sizeof(struct clone_args)) == 0);
    CHECK(try3(sizeof(block_)) == 0); // zeros behind what the kernel knows
    block_.more[1] = 1;
    CHECK_ERR(try3(sizeof(block_)), E2BIG);
    CHECK_ERR(try3(63), EINVAL);
    CHECK_ERR(try3(0), EINVAL);
    CHECK_ERR(try3(5000), E2BIG);
    errno = -clone3_call((void *)8, 64, child, NULL);
    CHECK_EQ(errno, EFAULT);
    for (size_t i = 0; i < sizeof(bad3) / sizeof(bad3[0]); i++) {
        fill(bad3[i]);
        CHECK_ERR(try3(sizeof(struct clone_args)), EINVAL);
    }
    fill(0);
    block_.a.exit_signal = 65;
    CHECK_ERR(try3(64), EINVAL);
    fill(0);
    block_.a.exit_signal = 0x100;
    CHECK_ERR(try3(64), EINVAL);
    fill(0);
    block_.a.stack = 4096; // without a size
    CHECK_ERR(try3(64), EINVAL);
    fill(0);
    block_.a.stack_size = 4096; // without a stack
    CHECK_ERR(try3(64), EINVAL);
    fill(0);
    block_.a.set_tid_size = 1; // without a pointer
    CHECK_ERR(try3(80), EINVAL);
    fill(0);
    block_.a.set_tid = (uintptr_t)&block_; // without a size
    CHECK_ERR(try3(80), EINVAL);
    fill(0);
    block_.a.set_tid = (uintptr_t)&block_;
    block_.a.set_tid_size = 33;
    CHECK_ERR(try3(80), EINVAL);
    const int numbers[] = {0, -1, 1 << 30}; // before any capability is asked for
    for (int i = 0; i < 3; i++) {
        fill(0);
        block_.a.set_tid = (uintptr_t)&numbers[i];
        block_.a.set_tid_size = 1;
        CHECK_ERR(try3(80), EINVAL);
    }
    block_.a.set_tid = 8;
    CHECK_ERR(try3(80), EFAULT);
    fill(CLONE_INTO_CGROUP);
    block_.a.cgroup = -1ul;
    CHECK_ERR(try3(88), EINVAL);
    block_.a.cgroup = 0; // no cgroup's directory
    CHECK_ERR(try3(88), EBADF);
    block_.a.cgroup = 999;
    CHECK_ERR(try3(88), EBADF);
    return done();
}
