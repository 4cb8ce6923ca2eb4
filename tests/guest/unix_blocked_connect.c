// SPDX-License-Identifier: MIT
// While threads wait in connect to a full listener and in sendto to a full socket, the others open,
// duplicate onto chosen numbers and close descriptors freely, and the waiting calls end well.
// covers: connect, sendto, dup2, close, close_range, accept
#include "sock.h"
#include <poll.h>
#include <pthread.h>

static char byte;

static void *connects(void *arg)
{
    int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));

    CHECK_EQ(unix_connect(fd, arg), 0);
    CHECK_EQ(send(fd, "x", 1, 0), 1);
    return NULL;
}

static void *sends(void *arg)
{
    struct sockaddr_un addr;
    socklen_t len = unix_addr(&addr, arg);
    int fd = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

    for (int i = 0; i < 400; i++)
        CHECK_EQ(sendto(fd, "y", 1, 0, (void *)&addr, len), 1);
    return NULL;
}

int main(void)
{
    enum { WAITING = 6 };
    pthread_t c[WAITING], d[WAITING];
    int srv = unix_listen("s", SOCK_STREAM), dgram = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

    CHECK_EQ(listen(srv, 0), 0);
    CHECK_EQ(unix_bind(dgram, "d"), 0);
    for (int i = 0; i < WAITING; i++) {
        CHECK_EQ(pthread_create(&c[i], NULL, connects, "s"), 0);
        CHECK_EQ(pthread_create(&d[i], NULL, sends, "d"), 0);
    }
    for (int i = 0; i < 200; i++) {
        int fd = OK(open("/", O_RDONLY));

        CHECK_EQ(dup2(fd, 300), 300);
        CHECK_EQ(dup2(fd, 301), 301);
        CHECK_EQ(close(300), 0);
        CHECK_EQ(close_range(301, 400, 0), 0);
        CHECK_EQ(dup2(fd, 240 + i), 240 + i);
        CHECK_EQ(close(240 + i), 0);
        CHECK_EQ(close(fd), 0);
        poll(NULL, 0, 1);
    }
    for (int i = 0; i < WAITING; i++) {
        int fd = OK(accept(srv, NULL, NULL));

        CHECK_EQ(recv(fd, &byte, 1, 0), 1);
        CHECK_EQ(close(fd), 0);
    }
    for (int i = 0; i < WAITING * 400; i++)
        CHECK_EQ(recv(dgram, &byte, 1, 0), 1);
    for (int i = 0; i < WAITING; i++)
        CHECK_EQ(pthread_join(c[i], NULL) | pthread_join(d[i], NULL), 0);
    return done();
}
