// SPDX-License-Identifier: MIT
// A transfer that a signal cuts short returns the count so far, not EINTR and not a restart: a big
// write to a pipe, send, writev, and recv with MSG_WAITALL.
// covers: write, writev, sendto, recvfrom
#include "eintr.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int p[2], out[2], in[2];
static char big[1 << 20], small[8];

static void setup(void)
{
    fcntl(p[0], F_SETFL, O_NONBLOCK);
    while (read(p[0], big, sizeof(big)) > 0)
        ;
    while (recv(out[0], big, sizeof(big), MSG_DONTWAIT) > 0)
        ;
}

static void setup_recv(void)
{
    CHECK(send(in[1], "abc", 3, 0) == 3);
}

static void nothing(void)
{
}

// A signal before the first byte gives EINTR (or a restart); it is tried again.
static long repeat(long nr, long fd, void *buf, long len, long flags)
{
    long ret;

    do
        ret = raw(nr, fd, buf, len, flags, 0, 0);
    while (ret == -EINTR);
    return ret;
}

static long do_write(void)
{
    return repeat(SYS_write, p[1], big, sizeof(big), 0);
}
static long do_writev(void)
{
    struct iovec iov[2] = {{big, 1000}, {big + 1000, sizeof(big) - 1000}};

    return repeat(SYS_writev, p[1], iov, 2, 0);
}
static long do_send(void)
{
    return repeat(SYS_sendto, out[1], big, sizeof(big), 0);
}
static long do_recv(void)
{
    memset(small, 0, sizeof(small));
    return repeat(SYS_recvfrom, in[0], small, sizeof(small), MSG_WAITALL);
}

int main(void)
{
    struct eintr t = {.wake = nothing};
    long size, n;

    CHECK(pipe(p) == 0 && (size = fcntl(p[1], F_GETPIPE_SZ)) > 0 && size < (long)sizeof(big));
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, out) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, in) == 0);
    for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
        t.setup = setup;
        t.call = do_write;
        CHECK(eintr_run(&t, flags, 0) == size);
        t.call = do_writev;
        n = eintr_run(&t, flags, 0);
        CHECK(n > 0 && n <= size);
        t.call = do_send;
        n = eintr_run(&t, flags, 0);
        CHECK(n > 0 && n < (long)sizeof(big));
        t.call = do_recv;
        t.setup = setup_recv;
        CHECK(eintr_run(&t, flags, 0) == 3 && memcmp(small, "abc\0", 4) == 0);
    }
    return done();
}
