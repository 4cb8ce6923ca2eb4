// SPDX-License-Identifier: MIT
// io_getevents and io_pgetevents that wait for a completion: a handler always ends them with EINTR.
// covers: io_setup, io_getevents, io_pgetevents, io_destroy
#include "eintr.h"
#include <linux/aio_abi.h>

static aio_context_t ctx;
static struct io_event ev;
static uint64_t none;
static struct {
    const void *mask;
    size_t size;
} sized = {&none, 8};
static struct timespec minute = {60, 0};

static void nothing(void)
{
}
static long do_get(void)
{
    return raw(SYS_io_getevents, ctx, 1, 1, &ev, 0);
}
static long do_timed(void)
{
    return raw(SYS_io_getevents, ctx, 1, 1, &ev, &minute);
}
static long do_pget(void)
{
    return raw(SYS_io_pgetevents, ctx, 1, 1, &ev, 0, &sized);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"io_getevents", NEVER, do_get, nothing, 0, NULL},
        {"io_getevents, timeout", NEVER, do_timed, nothing, 0, NULL},
        {"io_pgetevents", NEVER, do_pget, nothing, 0, NULL},
    };

    CHECK(syscall(SYS_io_setup, 1, &ctx) == 0);
    EINTR_TEST(tests);
    CHECK(syscall(SYS_io_destroy, ctx) == 0);
    return done();
}
