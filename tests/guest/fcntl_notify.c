// SPDX-License-Identifier: MIT
// F_NOTIFY (dnotify): a signal when something changes in a directory, once or until cancelled.
// covers: fcntl
#include "check.h"

int main(void)
{
    struct timespec now = {0, 0};
    siginfo_t info;
    sigset_t set;
    int dir;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    CHECK_EQ(mkdir("d", 0755), 0);
    dir = OK(open("d", O_RDONLY));
    CHECK_EQ(fcntl(dir, F_SETSIG, SIGRTMIN), 0);
    CHECK_EQ(fcntl(dir, F_NOTIFY, DN_CREATE), 0);
    CHECK_ERR(sigtimedwait(&set, &info, &now), EAGAIN);
    put_file("d/a", "");
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(info.si_fd, dir);
    // One shot.
    put_file("d/b", "");
    CHECK_ERR(sigtimedwait(&set, &info, &now), EAGAIN);

    CHECK_EQ(fcntl(dir, F_NOTIFY, DN_DELETE | DN_RENAME | DN_MULTISHOT), 0);
    put_file("d/c", "");
    CHECK_ERR(sigtimedwait(&set, &info, &now), EAGAIN);
    CHECK_EQ(unlink("d/a"), 0);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(rename("d/b", "d/bb"), 0);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    while (sigtimedwait(&set, &info, &now) > 0)
        ;
    CHECK_EQ(fcntl(dir, F_NOTIFY, 0), 0);
    CHECK_EQ(unlink("d/c"), 0);
    CHECK_ERR(sigtimedwait(&set, &info, &now), EAGAIN);
    CHECK_ERR(fcntl(OK(open("d/bb", O_RDONLY)), F_NOTIFY, DN_CREATE), ENOTDIR);
    return done();
}
