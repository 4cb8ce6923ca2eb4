// SPDX-License-Identifier: MIT
// close_range: a part, everything to the end, close-on-exec instead, and a table of its own.
// covers: close_range
// trap: not container: such a filter refuses unshare
#include "check.h"
#include <linux/close_range.h>
#include <pthread.h>

static void *unshare_and_close(void *arg)
{
    // Closes in this thread's own copy of the table.
    CHECK_EQ(close_range(3, ~0u, CLOSE_RANGE_UNSHARE), 0);
    CHECK_ERR(fcntl(3, F_GETFD), EBADF);
    CHECK_EQ(open(".", O_RDONLY), 3);
    return arg;
}

int main(void)
{
    pthread_t thread;
    pid_t pid;

    closefrom(3);
    for (int n = 3; n < 20; n++)
        CHECK_EQ(open("/dev/null", O_RDONLY), n);
    CHECK_EQ(dup2(3, 900), 900);
    CHECK_EQ(close_range(5, 8, 0), 0);
    for (int n = 3; n < 20; n++)
        CHECK_EQ(fcntl(n, F_GETFD), n >= 5 && n <= 8 ? -1 : 0);
    CHECK_EQ(close_range(5, 8, 0), 0);
    CHECK_EQ(close_range(10, 12, CLOSE_RANGE_CLOEXEC), 0);
    CHECK_EQ(fcntl(9, F_GETFD), 0);
    CHECK_EQ(fcntl(10, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(12, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(13, F_GETFD), 0);
    CHECK_ERR(close_range(8, 5, 0), EINVAL);
    CHECK_ERR(close_range(5, 8, 1u << 20), EINVAL);

    CHECK_EQ(pthread_create(&thread, NULL, unshare_and_close, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(fcntl(3, F_GETFD), 0);
    CHECK_EQ(fcntl(900, F_GETFD), 0);

    // Everything: paths, processes and new descriptors still work afterwards.
    CHECK_EQ(close_range(3, ~0u, 0), 0);
    for (int n = 3; n < 1100; n++)
        CHECK_ERR(fcntl(n, F_GETFD), EBADF);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "after");
    CHECK_STR(get_file("d/f"), "after");
    CHECK_EQ(open("d", O_RDONLY), 3);
    pid = fork();
    if (pid == 0) {
        CHECK_EQ(close_range(0, ~0u, 0), 0);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
