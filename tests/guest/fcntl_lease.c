// SPDX-License-Identifier: MIT
// F_SETLEASE: taken only when nobody contradicts it, and broken by a signal when somebody opens.
// covers: fcntl, open, truncate
#include "check.h"

int main(void)
{
    siginfo_t info;
    sigset_t set;
    int fd, writer;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    put_file("f", "data");
    fd = OK(open("f", O_RDONLY));
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);

    writer = OK(open("f", O_RDWR));
    CHECK_ERR(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);
    CHECK_ERR(fcntl(writer, F_SETLEASE, F_WRLCK), EAGAIN);
    CHECK_EQ(close(writer), 0);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
    CHECK_EQ(fcntl(fd, F_SETSIG, SIGRTMIN), 0);

    // Readers and calls that do not open leave it alone.
    CHECK_EQ(close(OK(open("f", O_RDONLY))), 0);
    CHECK_EQ(stat_of("f").st_size, 4);
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(rename("f", "g"), 0);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
    CHECK_ERR(open("g", O_WRONLY | O_NONBLOCK), EWOULDBLOCK);
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(info.si_fd, fd);
    CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    CHECK_EQ(close(OK(open("g", O_WRONLY | O_NONBLOCK))), 0);

    // truncate by path breaks it too, and waits until the holder lets go.
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    CHECK_EQ(fcntl(fd, F_SETSIG, SIGRTMIN), 0); // giving up a lease resets it
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(close(fd), 0);
        CHECK_EQ(truncate("g", 1), 0);
        _exit(0);
    }
    CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
    CHECK_EQ(stat_of("g").st_size, 4);
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    wait_ok(pid);
    CHECK_EQ(stat_of("g").st_size, 1);

    CHECK_ERR(fcntl(OK(open(".", O_RDONLY)), F_SETLEASE, F_WRLCK), EINVAL);
    CHECK_ERR(fcntl(fd, F_SETLEASE, 77), EINVAL);
    return done();
}
