// SPDX-License-Identifier: MIT
// Every call that makes a descriptor returns the lowest free number, also after closes in the
// middle.
// covers: open, dup, pipe, socket, epoll_create1, eventfd2, memfd_create, socketpair
// trap: not old: a walk by names has no room where one number is left and the limit lies below others in use
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

int main(void)
{
    int p[2];

    closefrom(3);
    for (int n = 3; n < 60; n++)
        CHECK_EQ(open(".", O_RDONLY), n);
    CHECK_EQ(close(7), 0);
    CHECK_EQ(open("/dev/null", O_RDWR), 7);
    CHECK_EQ(close(30), 0);
    CHECK_EQ(close(9), 0);
    CHECK_EQ(dup(3), 9);
    CHECK_EQ(dup(3), 30);
    CHECK_EQ(close(5), 0);
    CHECK_EQ(close(40), 0);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(p[0], 5);
    CHECK_EQ(p[1], 40);
    CHECK_EQ(close(3), 0);
    CHECK_EQ(socket(AF_UNIX, SOCK_STREAM, 0), 3);
    CHECK_EQ(close(20), 0);
    CHECK_EQ(epoll_create1(0), 20);
    CHECK_EQ(close(21), 0);
    CHECK_EQ(eventfd(0, 0), 21);
    CHECK_EQ(close(22), 0);
    CHECK_EQ(memfd_create("m", 0), 22);
    CHECK_EQ(close(50), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    CHECK_EQ(p[0], 50);
    CHECK_EQ(p[1], 60);
    CHECK_EQ(fcntl(3, F_DUPFD, 33), 61);
    CHECK_EQ(fcntl(3, F_DUPFD, 100), 100);
    // Calls by path must leave no gap either.
    CHECK_EQ(access(".", F_OK), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(open("d", O_RDONLY), 62);
    // Nor what is held while a path goes up from the working directory.
    CHECK_EQ(close(4), 0);
    CHECK_EQ(chdir("d"), 0);
    CHECK_EQ(open("..", O_RDONLY), 4);
    CHECK_EQ(symlink("../f", "l"), 0);
    CHECK_EQ(open("../f", O_RDWR | O_CREAT, 0600), 63);
    CHECK_EQ(close(5), 0);
    CHECK_EQ(open("l", O_RDONLY), 5);
    CHECK_EQ(open("../d/l", O_PATH | O_NOFOLLOW), 64);
    // The last number there is.
    struct rlimit few = {.rlim_cur = 66, .rlim_max = 66};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    CHECK_EQ(open("../f", O_RDONLY), 65);
    CHECK_ERR(open("../f", O_RDONLY), EMFILE);
    return done();
}
