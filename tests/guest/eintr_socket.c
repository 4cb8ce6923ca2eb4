// SPDX-License-Identifier: MIT
// Socket calls without a timeout: EINTR without SA_RESTART, restart with it. With SO_RCVTIMEO or
// SO_SNDTIMEO: always EINTR. connect to a full listener restarts as well.
// covers: accept, accept4, connect, recvfrom, recvmsg, recvmmsg, sendto, sendmsg, sendmmsg
// covers: setsockopt
#include "eintr.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int in[2], out[2], timed_in[2], timed_out[2]; // empty, full, and the same with timeouts
static int listener, blocked = -1, accepted = -1;
static char buf[65536];
static struct iovec iov = {buf, 1};
static struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
static struct mmsghdr mmsg = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
static struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "sock"};

static void drain(int fd)
{
    while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
        ;
}

static void fill(int fd)
{
    while (send(fd, buf, 4096, MSG_DONTWAIT) > 0)
        ;
    while (send(fd, buf, 1, MSG_DONTWAIT) > 0)
        ;
}

static void setup(void)
{
    drain(in[0]);
    fill(out[1]);
    fill(timed_out[1]);
}

static void setup_listener(void)
{
    close(listener);
    close(blocked);
    close(accepted);
    unlink(addr.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0);
    CHECK(listen(listener, 0) == 0);
    blocked = socket(AF_UNIX, SOCK_STREAM, 0);
    accepted = -1;
}

// One connection waits to be accepted: the next one blocks.
static int first = -1;
static void setup_full(void)
{
    setup_listener();
    close(first);
    first = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(first, (struct sockaddr *)&addr, sizeof(addr)) == 0);
}

static void feed(void)
{
    CHECK(send(in[1], "x", 1, 0) == 1);
}
static void room(void)
{
    drain(out[0]);
}
static void dial(void)
{
    CHECK(connect(blocked, (struct sockaddr *)&addr, sizeof(addr)) == 0);
}
static void take(void)
{
    CHECK((accepted = accept(listener, NULL, NULL)) >= 0);
}
static void nothing(void)
{
}

static long do_read(void)
{
    return raw(SYS_read, in[0], buf, 1);
}
static long do_recvfrom(void)
{
    return raw(SYS_recvfrom, in[0], buf, 1, 0, 0, 0);
}
static long do_recvmsg(void)
{
    return raw(SYS_recvmsg, in[0], &msg, 0);
}
static long do_recvmmsg(void)
{
    return raw(SYS_recvmmsg, in[0], &mmsg, 1, 0, 0);
}
static long do_sendto(void)
{
    return raw(SYS_sendto, out[1], buf, 1, 0, 0, 0);
}
static long do_sendmsg(void)
{
    return raw(SYS_sendmsg, out[1], &msg, 0);
}
static long do_sendmmsg(void)
{
    return raw(SYS_sendmmsg, out[1], &mmsg, 1, 0);
}
static long do_accept(void)
{
    return accepted = raw(SYS_accept, listener, 0, 0);
}
static long do_accept4(void)
{
    return accepted = raw(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
}
static long do_connect(void)
{
    return raw(SYS_connect, blocked, &addr, sizeof(addr));
}
static long do_timed_recv(void)
{
    return raw(SYS_recvfrom, timed_in[0], buf, 1, 0, 0, 0);
}
static long do_timed_send(void)
{
    return raw(SYS_sendto, timed_out[1], buf, 1, 0, 0, 0);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"read", RESTARTS, do_read, feed, 1, setup},
        {"recvfrom", RESTARTS, do_recvfrom, feed, 1, setup},
        {"recvmsg", RESTARTS, do_recvmsg, feed, 1, setup},
        {"recvmmsg", RESTARTS, do_recvmmsg, feed, 1, setup},
        {"sendto", RESTARTS, do_sendto, room, 1, setup},
        {"sendmsg", RESTARTS, do_sendmsg, room, 1, setup},
        {"sendmmsg", RESTARTS, do_sendmmsg, room, 1, setup},
        {"accept", RESTARTS, do_accept, dial, ANY, setup_listener},
        {"accept4", RESTARTS, do_accept4, dial, ANY, setup_listener},
        {"connect", RESTARTS, do_connect, take, 0, setup_full},
        {"recv with SO_RCVTIMEO", NEVER, do_timed_recv, nothing, 1, setup},
        {"send with SO_SNDTIMEO", NEVER, do_timed_send, nothing, 1, setup},
    };
    struct timeval minute = {60, 0};

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, in) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, out) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, timed_in) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, timed_out) == 0);
    CHECK(setsockopt(timed_in[0], SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute)) == 0);
    CHECK(setsockopt(timed_out[1], SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof(minute)) == 0);
    listener = open("/dev/null", O_RDONLY);
    EINTR_TEST(tests);
    return done();
}
