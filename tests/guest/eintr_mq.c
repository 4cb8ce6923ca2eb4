// SPDX-License-Identifier: MIT
// POSIX message queues: mq_timedreceive and mq_timedsend without timeout give EINTR without
// SA_RESTART and restart with it; so do those with a timeout.
// covers: mq_open, mq_timedreceive, mq_timedsend, mq_unlink
#include "eintr.h"
#include <fcntl.h>
#include <mqueue.h>

static mqd_t empty, full;
static char buf[8];
static struct timespec late;

static void setup(void)
{
    while (mq_send(full, buf, 1, 0) == 0)
        ;
    CHECK(errno == EAGAIN);
}

// The flag is per open description: the blocking call uses a second one.
static mqd_t full_blocking;
static void feed(void)
{
    CHECK(mq_send(empty, "x", 1, 0) == 0);
}
static void room(void)
{
    CHECK(mq_receive(full, buf, sizeof(buf), NULL) == 1);
}

static long do_receive(void)
{
    return raw(SYS_mq_timedreceive, empty, buf, sizeof(buf), 0, 0);
}
static long do_timed(void)
{
    return raw(SYS_mq_timedreceive, empty, buf, sizeof(buf), 0, &late);
}
static long do_send(void)
{
    return raw(SYS_mq_timedsend, full_blocking, buf, 1, 0, 0);
}
static long do_timed_send(void)
{
    return raw(SYS_mq_timedsend, full_blocking, buf, 1, 0, &late);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"mq_receive", RESTARTS, do_receive, feed, 1, setup},
        {"mq_timedreceive", RESTARTS, do_timed, feed, 1, setup},
        {"mq_send", RESTARTS, do_send, room, 0, setup},
        {"mq_timedsend", RESTARTS, do_timed_send, room, 0, setup},
    };
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = sizeof(buf)};
    char name[2][32];

    snprintf(name[0], sizeof(name[0]), "/guest-e-%d", getpid());
    snprintf(name[1], sizeof(name[1]), "/guest-f-%d", getpid());
    empty = mq_open(name[0], O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    full = mq_open(name[1], O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attr);
    full_blocking = mq_open(name[1], O_RDWR);
    CHECK(empty >= 0 && full >= 0 && full_blocking >= 0);
    CHECK(mq_unlink(name[0]) == 0 && mq_unlink(name[1]) == 0);
    CHECK(clock_gettime(CLOCK_REALTIME, &late) == 0);
    late.tv_sec += 60;
    EINTR_TEST(tests);
    return done();
}
