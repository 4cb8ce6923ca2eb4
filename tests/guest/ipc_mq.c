// SPDX-License-Identifier: MIT
// POSIX message queues: order by priority, limits and sizes, O_NONBLOCK, timeouts, attributes,
// notification by signal and by thread-less SIGEV_NONE, names and errors, queue as a descriptor.
// covers: mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_getsetattr, mq_notify, poll
#include "sig.h"
#include <mqueue.h>
#include <poll.h>

static volatile siginfo_t got;
static volatile int runs;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)ctx;
    got = *si;
    runs++;
}

int main(void)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 16}, old;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct timespec past = {1, 0};
    char name[32], buf[16];
    struct pollfd pfd;
    unsigned prio;
    mqd_t q, ro;
    pid_t pid;

    snprintf(name, sizeof(name), "/guest-q-%d", getpid());
    CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
    q = OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attr));
    CHECK_ERR(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), EEXIST);
    CHECK(fcntl(q, F_GETFD) == FD_CLOEXEC);
    CHECK(mq_getattr(q, &old) == 0 && old.mq_maxmsg == 4 && old.mq_msgsize == 16 &&
          old.mq_curmsgs == 0);
    CHECK(old.mq_flags == O_NONBLOCK);
    CHECK_ERR(mq_receive(q, buf, 16, &prio), EAGAIN);
    CHECK_ERR(mq_receive(q, buf, 15, &prio), EMSGSIZE);
    CHECK_ERR(mq_send(q, "12345678901234567", 17, 0), EMSGSIZE);
    CHECK_ERR(mq_send(q, "x", 1, 32768), EINVAL);
    CHECK(mq_send(q, "low", 3, 1) == 0 && mq_send(q, "high", 4, 9) == 0);
    CHECK(mq_send(q, "high2", 5, 9) == 0 && mq_send(q, "", 0, 5) == 0);
    CHECK_ERR(mq_send(q, "x", 1, 0), EAGAIN);
    CHECK(mq_getattr(q, &old) == 0 && old.mq_curmsgs == 4);
    pfd = (struct pollfd){q, POLLIN | POLLOUT, 0};
    CHECK(poll(&pfd, 1, 0) == 1 && pfd.revents == POLLIN);
    CHECK(mq_receive(q, buf, 16, &prio) == 4 && prio == 9 && memcmp(buf, "high", 4) == 0);
    CHECK(mq_receive(q, buf, 16, &prio) == 5 && prio == 9);
    CHECK(mq_receive(q, buf, 16, &prio) == 0 && prio == 5);
    CHECK(mq_receive(q, buf, 16, &prio) == 3 && prio == 1);
    CHECK(poll(&pfd, 1, 0) == 1 && pfd.revents == POLLOUT);
    attr.mq_flags = 0;
    CHECK(mq_setattr(q, &attr, &old) == 0 && old.mq_flags == O_NONBLOCK);
    CHECK_ERR(mq_timedreceive(q, buf, 16, NULL, &past), ETIMEDOUT);

    // Notified once, when a message comes to the empty queue.
    catch_info(SIGUSR1, handler, 0);
    ev.sigev_value.sival_int = 4711;
    CHECK(mq_notify(q, &ev) == 0);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_ERR(mq_notify(q, &ev), EBUSY);
        CHECK(mq_send(q, "child", 5, 0) == 0);
        _exit(0);
    }
    while (!runs)
        sleep_us(500);
    wait_ok(pid);
    CHECK(runs == 1 && got.si_code == SI_MESGQ && got.si_int == 4711);
    CHECK(got.si_pid == pid && got.si_uid == getuid());
    CHECK(mq_receive(q, buf, 16, NULL) == 5 && mq_send(q, "a", 1, 0) == 0 && runs == 1);
    CHECK(mq_receive(q, buf, 16, NULL) == 1);
    ev.sigev_notify = SIGEV_NONE;
    CHECK(mq_notify(q, &ev) == 0 && mq_notify(q, NULL) == 0 && mq_notify(q, &ev) == 0);
    ev.sigev_notify = SIGEV_SIGNAL;
    ev.sigev_signo = 65;
    CHECK_ERR(mq_notify(q, &ev), EINVAL);

    ro = OK(mq_open(name, O_RDONLY));
    CHECK_ERR(mq_send(ro, "x", 1, 0), EBADF);
    CHECK(mq_send(q, "kept", 4, 0) == 0);
    CHECK(mq_unlink(name) == 0);
    CHECK_ERR(mq_unlink(name), ENOENT);
    CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
    CHECK(mq_receive(ro, buf, 16, NULL) == 4); // open ones live on
    attr.mq_maxmsg = 0;
    CHECK_ERR(mq_open(name, O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    CHECK_ERR(syscall(SYS_mq_open, "with/slash", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    CHECK_ERR(syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, NULL), ENOENT);
    CHECK_ERR(mq_receive(0, buf, 16, NULL), EBADF);
    return done();
}
