// SPDX-License-Identifier: MIT
// Ports of the host's localhost that are to be the VM's, too: whoever connects to one in the VM is
// connected to the host, which QEMU's network has at GATEWAY.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init.h"

#define PORTS 64

static uint16_t ports[PORTS];
static size_t nports;

bool host_port(uint16_t port)
{
    for (size_t i = 0; i < nports; i++)
        if (ports[i] == port)
            return true;
    return false;
}

static struct sockaddr_in address(const char *ip, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

// Moves what there is in one direction; false: it has ended.
static bool move(int from, int to)
{
    char data[16384];
    ssize_t n = read(from, data, sizeof data);
    for (ssize_t at = 0, w; at < n; at += w)
        if ((w = write(to, data + at, (size_t)(n - at))) <= 0)
            return false;
    if (n <= 0)
        shutdown(to, SHUT_WR);
    return n > 0;
}

static _Noreturn void relay(int here, uint16_t port)
{
    struct sockaddr_in host = address(GATEWAY, port);
    int there = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(there, (struct sockaddr *)&host, sizeof host)) {
        struct linger reset = {.l_onoff = 1};
        setsockopt(here, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        _exit(1);
    }
    struct pollfd fds[2] = {{.fd = here, .events = POLLIN}, {.fd = there, .events = POLLIN}};
    while ((fds[0].fd >= 0 || fds[1].fd >= 0) && poll(fds, 2, -1) > 0) {
        if (fds[0].revents && !move(here, there))
            fds[0].fd = -1;
        if (fds[1].revents && !move(there, here))
            fds[1].fd = -1;
    }
    _exit(0);
}

static _Noreturn void serve(struct pollfd *fds)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGCHLD, SIG_IGN);
    while (poll(fds, nports, -1) > 0)
        for (size_t i = 0; i < nports; i++) {
            int fd = fds[i].revents ? accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
            if (fd >= 0 && fork() == 0)
                relay(fd, ports[i]);
            if (fd >= 0)
                close(fd);
        }
    _exit(1);
}

const char *host_ports(char *list)
{
    static struct pollfd fds[PORTS];
    for (char *word; (word = strsep(&list, ","));) {
        uint16_t port = (uint16_t)strtoul(word, NULL, 10);
        struct sockaddr_in a = address("127.0.0.1", port);
        int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (nports == PORTS)
            return "too many ports of the host";
        if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64))
            return text_format("cannot listen on port %u: %s", port, strerror(errno));
        fds[nports] = (struct pollfd){.fd = fd, .events = POLLIN};
        ports[nports++] = port;
    }
    pid_t pid = fork();
    if (pid == 0)
        serve(fds);
    for (size_t i = 0; i < nports; i++)
        close(fds[i].fd);
    return pid < 0 ? "cannot start a process" : NULL;
}
