// SPDX-License-Identifier: MIT
// read and write (and their vector forms) on a pipe, splice, tee and vmsplice that wait for room
// or data: EINTR without SA_RESTART, restart with it.
// covers: read, write, readv, writev, splice, tee, vmsplice, rt_sigaction, tgkill
#include "eintr.h"
#include <fcntl.h>
#include <sys/uio.h>

static int in[2], out[2];
static char buf[4096];
static struct iovec iov = {buf, 1};

static void drain(int fd)
{
    int fl = fcntl(fd, F_GETFL);

    CHECK(fcntl(fd, F_SETFL, fl | O_NONBLOCK) == 0);
    while (read(fd, buf, sizeof(buf)) > 0)
        ;
    CHECK(fcntl(fd, F_SETFL, fl) == 0);
}

// `in` empty, `out` full.
static void setup(void)
{
    int fl = fcntl(out[1], F_GETFL);

    drain(in[0]);
    drain(out[0]); // whole pages only: a last page with room would take the byte
    CHECK(fcntl(out[1], F_SETFL, fl | O_NONBLOCK) == 0);
    while (write(out[1], buf, sizeof(buf)) > 0)
        ;
    CHECK(fcntl(out[1], F_SETFL, fl) == 0);
}

// Both empty.
static void setup_empty(void)
{
    drain(in[0]);
    drain(out[0]);
}

// `in` holds one byte that may go to the full `out`.
static void setup_both(void)
{
    setup();
    CHECK(write(in[1], "x", 1) == 1);
}

static void feed(void)
{
    CHECK(write(in[1], "x", 1) == 1);
}
static void room(void)
{
    CHECK(read(out[0], buf, sizeof(buf)) == sizeof(buf));
}

static long do_read(void)
{
    return raw(SYS_read, in[0], buf, 1);
}
static long do_write(void)
{
    return raw(SYS_write, out[1], buf, 1);
}
static long do_readv(void)
{
    return raw(SYS_readv, in[0], &iov, 1);
}
static long do_writev(void)
{
    return raw(SYS_writev, out[1], &iov, 1);
}
static long do_splice(void)
{
    return raw(SYS_splice, in[0], 0, out[1], 0, 1, 0);
}
static long do_tee(void)
{
    return raw(SYS_tee, in[0], out[1], 1, 0);
}
static long do_vmsplice(void)
{
    return raw(SYS_vmsplice, out[1], &iov, 1, 0);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"read", RESTARTS, do_read, feed, 1, setup},
        {"write", RESTARTS, do_write, room, 1, setup},
        {"readv", RESTARTS, do_readv, feed, 1, setup},
        {"writev", RESTARTS, do_writev, room, 1, setup},
        {"splice, no data", RESTARTS, do_splice, feed, 1, setup_empty},
        {"splice, no room", RESTARTS, do_splice, room, 1, setup_both},
        {"tee, no room", RESTARTS, do_tee, room, 1, setup_both},
        {"vmsplice", RESTARTS, do_vmsplice, room, 1, setup},
    };

    CHECK(pipe(in) == 0 && pipe(out) == 0);
    EINTR_TEST(tests);
    return done();
}
