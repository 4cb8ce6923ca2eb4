// SPDX-License-Identifier: MIT
// read on an eventfd, timerfd, signalfd and inotify descriptor, and write to an eventfd that would
// overflow: EINTR without SA_RESTART, restart with it.
// covers: eventfd2, timerfd_create, timerfd_settime, signalfd4, inotify_init1, inotify_add_watch
#include "eintr.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int event, full, timer, sigfd, notify;
static uint64_t value, one = 1, most = UINT64_MAX - 1;
static struct signalfd_siginfo ssi;
static char buf[4096];

static void setup(void)
{
    struct itimerspec never = {0};

    value = 0;
    CHECK(timerfd_settime(timer, 0, &never, NULL) == 0);
}

static void setup_full(void)
{
    CHECK(read(full, &value, 8) == 8 || errno == EAGAIN);
    CHECK(fcntl(full, F_SETFL, 0) == 0);
    CHECK(write(full, &most, 8) == 8);
}

static void post(void)
{
    CHECK(write(event, &one, 8) == 8);
}
static void arm(void)
{
    struct itimerspec now = {.it_value.tv_nsec = 1};
    CHECK(timerfd_settime(timer, 0, &now, NULL) == 0);
}
static void send_usr2(void)
{
    CHECK(syscall(SYS_tgkill, getpid(), eintr_now.target, SIGUSR2) == 0);
}
static void make_file(void)
{
    int fd = open("new", O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0);
    close(fd);
    CHECK(unlink("new") == 0);
}
static void empty(void)
{
    uint64_t v;
    CHECK(read(full, &v, 8) == 8);
}

static long do_event(void)
{
    return raw(SYS_read, event, &value, 8);
}
static long do_overflow(void)
{
    long ret = raw(SYS_write, full, &one, 8);

    fcntl(full, F_SETFL, O_NONBLOCK);
    return ret;
}
static long do_timer(void)
{
    return raw(SYS_read, timer, &value, 8);
}
static long do_signal(void)
{
    return raw(SYS_read, sigfd, &ssi, sizeof(ssi));
}

static long do_notify(void)
{
    return raw(SYS_read, notify, buf, sizeof(buf));
}

int main(void)
{
    static const struct eintr tests[] = {
        {"eventfd read", RESTARTS, do_event, post, 8, setup},
        {"eventfd write", RESTARTS, do_overflow, empty, 8, setup_full},
        {"timerfd read", RESTARTS, do_timer, arm, 8, setup},
        {"signalfd read", RESTARTS, do_signal, send_usr2, sizeof(ssi), setup},
        {"inotify read", RESTARTS, do_notify, make_file, ANY, setup},
    };
    sigset_t usr2;

    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &usr2, NULL) == 0);
    CHECK((event = eventfd(0, 0)) >= 0 && (full = eventfd(0, EFD_NONBLOCK)) >= 0);
    CHECK((timer = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
    CHECK((sigfd = signalfd(-1, &usr2, 0)) >= 0);
    CHECK((notify = inotify_init1(0)) >= 0 && inotify_add_watch(notify, ".", IN_DELETE) >= 0);
    EINTR_TEST(tests);
    CHECK(ssi.ssi_signo == SIGUSR2 && ssi.ssi_pid == (uint32_t)getpid());
    return done();
}
