// SPDX-License-Identifier: MIT
// timerfd: expirations count up until read, absolute times in the past expire at once, settime
// returns the old setting.
// covers: timerfd_create, timerfd_settime, timerfd_gettime, poll
#include "check.h"
#include <poll.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>

int main(void)
{
    struct itimerspec spec = {.it_value = {3600, 0}, .it_interval = {5, 6}}, old, now;
    struct timespec past;
    struct pollfd pfd;
    uint64_t n;
    int fd;

    fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(timerfd_gettime(fd, &now), 0);
    CHECK_EQ(now.it_value.tv_sec, 0);
    CHECK_EQ(timerfd_settime(fd, 0, &spec, &old), 0);
    CHECK_EQ(old.it_value.tv_sec, 0);
    CHECK_ERR(read(fd, &n, 8), EAGAIN);
    CHECK_EQ(timerfd_gettime(fd, &now), 0);
    CHECK(now.it_value.tv_sec > 3000 && now.it_value.tv_sec <= 3600);
    CHECK_EQ(now.it_interval.tv_sec, 5);
    CHECK_EQ(now.it_interval.tv_nsec, 6);

    // Two and a half intervals ago: that first expiry and two more.
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &past), 0);
    spec = (struct itimerspec){.it_value = past, .it_interval = {1000, 0}};
    spec.it_value.tv_sec = past.tv_sec > 2500 ? past.tv_sec - 2500 : 1;
    CHECK_EQ(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, &old), 0);
    CHECK_EQ(old.it_interval.tv_sec, 5);
    pfd = (struct pollfd){.fd = fd, .events = POLLIN};
    CHECK_EQ(poll(&pfd, 1, -1), 1);
    CHECK_ERR(read(fd, &n, 4), EINVAL);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, past.tv_sec > 2500 ? 3 : 1 + (past.tv_sec - 1) / 1000);
    CHECK_ERR(read(fd, &n, 8), EAGAIN);

    // A blocking read waits for the expiry.
    fd = OK(timerfd_create(CLOCK_REALTIME, 0));
    spec = (struct itimerspec){.it_value = {0, 1000000}};
    CHECK_EQ(timerfd_settime(fd, 0, &spec, NULL), 0);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK_EQ(timerfd_settime(fd, 0, &(struct itimerspec){0}, NULL), 0);

    CHECK_ERR(timerfd_create(77, 0), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 1 << 20), EINVAL);
    CHECK_ERR(timerfd_settime(0, 0, &spec, NULL), EINVAL);
    spec.it_value.tv_nsec = 2000000000;
    CHECK_ERR(timerfd_settime(fd, 0, &spec, NULL), EINVAL);
    CHECK_ERR(timerfd_gettime(99, &now), EBADF);
    return done();
}
