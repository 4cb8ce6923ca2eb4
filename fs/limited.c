// SPDX-License-Identifier: MIT
// tmpfs mounts with limits. Guests write past lxcore, so only the host's kernel can keep to a size:
// lxrun's supervisor has the host mount a tmpfs where nobody else sees it (cli/limited.c), and a
// process of its holds it by its working directory, by which we come in.
#include <linux/futex.h>
#include <linux/time.h>

#include "host.h"
#include "mounting.h"
#include "signal.h"

#define WAKE_SUPERVISOR 10 // SIGUSR1
#define PATIENCE 50        // tenths of a second

static long wait_for_answer(struct task *t, struct tmpfs_request *r, u32 asked)
{
    struct __kernel_timespec tenth = {0, 100000000};
    for (int tries = 0; tries < PATIENCE; tries++) {
        u32 done = __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
        if (done == asked)
            return r->result;
        if (host_kill(t->instance->supervisor, 0) < 0)
            break;
        HOST4(__NR_futex, &r->done, FUTEX_WAIT, done, &tenth);
    }
    return -EAGAIN;
}

// holder 0: a new tmpfs. The process that holds it.
static long ask(struct task *t, u32 holder, const char *options)
{
    struct tmpfs_request *r = &t->instance->tmpfs;
    if (!t->instance->supervisor)
        return -EPERM;
    if (!reserved_wait(t, &r->owner))
        return -EAGAIN;
    r->holder = holder;
    str_copy(r->options, options, sizeof r->options);
    u32 asked = __atomic_add_fetch(&r->asked, 1, __ATOMIC_RELEASE);
    long e = host_kill(t->instance->supervisor, WAKE_SUPERVISOR);
    if (e >= 0)
        e = wait_for_answer(t, r, asked);
    holder = r->holder;
    reserved_release(&r->owner);
    return e < 0 ? e : holder;
}

// Its root directory, as a temporary.
static long open_held(struct task *t, const struct mount_entry *e, struct statx *st)
{
    char name[32];
    fmt(name, sizeof name, "%u/cwd", e->holder);
    long fd = temp_open(t, reserved_fd(t, RESERVED_PROC), name, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    long r = host_statx((int)fd, "", AT_EMPTY_PATH, STATX_INO, st);
    if (r >= 0)
        return fd;
    temp_close(t, (int)fd);
    return r;
}

long limited_open(struct task *t, const struct mount_entry *e)
{
    struct statx st;
    long fd = open_held(t, e, &st);
    if (fd < 0 || (st.stx_ino == e->held_ino && device_of(&st) == e->held_dev))
        return fd;
    temp_close(t, (int)fd); // somebody else's process by now
    return -ESTALE;
}

long limited_make(struct task *t, struct mount_entry *e, const char *options)
{
    struct statx st;
    long r = ask(t, 0, options);
    if (r < 0)
        return r;
    e->holder = (u32)r;
    long fd = open_held(t, e, &st);
    if (fd < 0) // it ends with the instance
        return fd;
    e->base = BASE_HELD;
    e->base_path[0] = 0;
    e->held_ino = st.stx_ino;
    e->held_dev = device_of(&st);
    e->marked_dev = e->held_dev;
    return fd;
}

long limited_change(struct task *t, const struct mount_entry *e, const char *options)
{
    long r = ask(t, e->holder, options);
    return r < 0 ? r : 0;
}

// What is open in it stays as long as it is open.
void limited_discard(struct task *t, const struct mount_entry *e)
{
    long fd = limited_open(t, e);
    if (fd < 0)
        return; // that process is gone, and its number may be another's
    temp_close(t, (int)fd);
    host_kill(e->holder, 9);
    host_kill(t->instance->supervisor, WAKE_SUPERVISOR); // which takes its end in
}
