// SPDX-License-Identifier: MIT
// eventfd: a counter to add to and take from, one at a time as a semaphore, with its limits.
// covers: eventfd, eventfd2, poll
#include "check.h"
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>

static uint64_t take(int fd)
{
    uint64_t n;

    CHECK_EQ(read(fd, &n, sizeof(n)), 8);
    return n;
}

static int put(int fd, uint64_t n)
{
    return write(fd, &n, sizeof(n));
}

int main(void)
{
    struct pollfd pfd;
    uint64_t n;
    int fd, sem;

    fd = OK(eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    CHECK_EQ(put(fd, 3), 8);
    CHECK_EQ(take(fd), 8);
    CHECK_ERR(read(fd, &n, 8), EAGAIN);
    CHECK_ERR(read(fd, &n, 4), EINVAL);
    CHECK_ERR(write(fd, &n, 4), EINVAL);
    CHECK_ERR(put(fd, UINT64_MAX), EINVAL);
    CHECK_EQ(put(fd, UINT64_MAX - 1), 8);
    CHECK_ERR(put(fd, 1), EAGAIN);
    pfd = (struct pollfd){.fd = fd, .events = POLLIN | POLLOUT};
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    CHECK_EQ(pfd.revents, POLLIN);
    CHECK(take(fd) == UINT64_MAX - 1);
    CHECK_EQ(poll(&pfd, 1, 0), 1);
    CHECK_EQ(pfd.revents, POLLOUT);

    sem = OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    CHECK_EQ(take(sem), 1);
    CHECK_EQ(take(sem), 1);
    CHECK_ERR(read(sem, &n, 8), EAGAIN);

    // A reader in another process waits for the writer.
    fd = OK(syscall(SYS_eventfd, 0));
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(take(fd), 77);
        _exit(0);
    }
    CHECK_EQ(put(fd, 77), 8);
    wait_ok(pid);
    CHECK_ERR(eventfd(0, 1 << 20), EINVAL);
    return done();
}
