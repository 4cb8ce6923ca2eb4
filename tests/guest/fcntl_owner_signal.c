// SPDX-License-Identifier: MIT
// O_ASYNC: F_SETOWN, F_SETOWN_EX and F_SETSIG decide who gets which signal when input arrives.
// covers: fcntl, pipe2, rt_sigtimedwait
#include "check.h"
#include <poll.h>
#include <sys/socket.h>

int main(void)
{
    struct f_owner_ex owner = {F_OWNER_TID, gettid()}, back;
    siginfo_t info;
    sigset_t set;
    int s[2];

    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGRTMIN + 3);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(fcntl(s[0], F_GETOWN), 0);
    CHECK_EQ(fcntl(s[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(fcntl(s[0], F_GETOWN), getpid());
    CHECK_EQ(fcntl(s[0], F_SETFL, O_ASYNC), 0);
    CHECK_EQ(fcntl(s[0], F_GETFL) & O_ASYNC, O_ASYNC);
    CHECK_EQ(write(s[1], "x", 1), 1);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGIO);

    // A chosen signal carries the descriptor and the event.
    CHECK_EQ(fcntl(s[0], F_GETSIG), 0);
    CHECK_EQ(fcntl(s[0], F_SETSIG, SIGRTMIN + 3), 0);
    CHECK_EQ(fcntl(s[0], F_GETSIG), SIGRTMIN + 3);
    CHECK_EQ(fcntl(s[0], F_SETOWN_EX, &owner), 0);
    CHECK_EQ(fcntl(s[0], F_GETOWN_EX, &back), 0);
    CHECK_EQ(back.type, F_OWNER_TID);
    CHECK_EQ(back.pid, gettid());
    CHECK_EQ(write(s[1], "y", 1), 1);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 3);
    CHECK_EQ(info.si_fd, s[0]);
    CHECK_EQ(info.si_code, POLL_IN);
    CHECK_EQ(info.si_band & (POLLIN | POLLPRI), POLLIN);

    // A process group is a negative number in F_SETOWN and a type of its own in F_GETOWN_EX.
    CHECK_EQ(fcntl(s[0], F_SETFL, 0), 0);
    CHECK_EQ(fcntl(s[0], F_SETOWN, -getpgrp()), 0);
    CHECK_EQ(fcntl(s[0], F_GETOWN_EX, &back), 0);
    CHECK_EQ(back.type, F_OWNER_PGRP);
    CHECK_EQ(back.pid, getpgrp());
    CHECK_ERR(fcntl(s[0], F_SETSIG, 200), EINVAL);
    owner.type = 77;
    CHECK_ERR(fcntl(s[0], F_SETOWN_EX, &owner), EINVAL);
    CHECK_ERR(fcntl(s[0], F_SETOWN, 1 << 28), ESRCH);
    return done();
}
