// SPDX-License-Identifier: MIT
// mq_notify: the signal tells which process of which user has sent the message, one process at a
// time is told, once, and not while somebody waits for the message.
// covers: mq_notify, mq_open
// needs: root
#include "sig.h"
#include <mqueue.h>
#include <poll.h>

static void send_as(const char *name, uid_t uid)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        become(uid, uid);
        mqd_t q = OK(mq_open(name, O_WRONLY));
        struct sigevent ev = {.sigev_notify = SIGEV_NONE};
        CHECK_ERR(mq_notify(q, &ev), EBUSY);
        CHECK_EQ(mq_send(q, "x", 1, 0), 0);
        printf("sent as %d\n", uid);
        fflush(stdout);
        _exit(0);
    }
    siginfo_t si;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigwaitinfo(&set, &si), SIGUSR1);
    CHECK(si.si_code == SI_MESGQ && si.si_pid == pid && si.si_value.sival_int == 7);
    wait_ok(pid);
    printf("told of user %d\n", si.si_uid);
}

int main(void)
{
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 8};
    char name[32], buf[8];
    sigset_t set;

    ev.sigev_value.sival_int = 7;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    umask(0);
    snprintf(name, sizeof(name), "/mq-notify-%d", getpid());
    mqd_t q = OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0622, &attr));
    static const uid_t users[] = {1000, 0, 1001};
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(mq_notify(q, &ev), 0);
        fflush(stdout);
        send_as(name, users[i]);
        CHECK_EQ(mq_receive(q, buf, sizeof(buf), NULL), 1);
    }
    // The last descriptor's close, and any other's, takes it away.
    CHECK_EQ(mq_notify(q, &ev), 0);
    CHECK_EQ(mq_close(OK(mq_open(name, O_RDONLY))), 0);
    CHECK_EQ(mq_notify(q, &ev), 0);
    CHECK_EQ(mq_unlink(name), 0);
    CHECK_ERR(mq_notify(q, &ev), EBUSY);
    return done();
}
