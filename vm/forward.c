// SPDX-License-Identifier: MIT
// Ports that something in the VM listens on are ports of the host's localhost: a connection to one
// is a session of init's that connects to the VM's localhost.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"
#include "keeper.h"

struct port {
    struct port *next;
    uint16_t number;
    int listener, slot;
    bool wanted;
};

struct connection {
    struct connection *next;
    uint32_t session;
    int fd, slot;
    struct buffer out;
    uint32_t credit; // so much may be sent to the VM
    bool in_ended;   // the host's end has sent all
    bool over;       // closed when `out` has gone
};

static struct port *ports;
static struct connection *connections;

// ---- Ports ----

static int listen_on(uint16_t number)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(number),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!bind(fd, (struct sockaddr *)&a, sizeof a) && !listen(fd, 64))
        return fd;
    close(fd); // the host's own, or not for this user
    return -1;
}

static void want(uint16_t number)
{
    struct port *p = ports;
    while (p && p->number != number)
        p = p->next;
    if (!p) {
        p = must_alloc(sizeof *p);
        *p = (struct port){.next = ports, .number = number, .listener = listen_on(number)};
        ports = p;
    }
    p->wanted = true;
}

void forward_ports(const uint16_t *numbers, size_t n)
{
    for (struct port *p = ports; p; p = p->next)
        p->wanted = false;
    for (size_t i = 0; i < n; i++)
        want(numbers[i]);
    for (struct port **at = &ports, *p; (p = *at);) {
        if (p->wanted) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        if (p->listener >= 0)
            close(p->listener);
        free(p);
    }
}

static void open_connection(const struct port *p)
{
    uint32_t number = p->number;
    int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct connection *c = must_alloc(sizeof *c);
    *c = (struct connection){
        .next = connections, .session = session_number(), .fd = fd, .credit = WINDOW, .slot = -1};
    connections = c;
    frame_add(&to_vm, c->session, F_CONNECT, 0, &number, sizeof number);
}

// ---- Connections ----

static void close_connection(struct connection *c)
{
    struct connection **p = &connections;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    close(c->fd);
    free(c->out.data);
    free(c);
}

bool forward_frame(const struct frame *f)
{
    struct connection *c = connections;
    while (c && c->session != f->session)
        c = c->next;
    if (!c)
        return false;
    if (f->type == F_CREDIT)
        c->credit += frame_value(f);
    else if (f->type == F_DATA && f->size)
        buffer_add(&c->out, f + 1, f->size);
    else if (f->type == F_EXIT)
        c->over = true;
    if (c->over && !c->out.size)
        close_connection(c);
    return true;
}

static void take_in(struct connection *c)
{
    char data[FRAME_DATA];
    ssize_t n = read(c->fd, data, c->credit < sizeof data ? c->credit : sizeof data);
    if (n > 0) {
        frame_add(&to_vm, c->session, F_DATA, 0, data, (size_t)n);
        c->credit -= (uint32_t)n;
    } else if (n == 0) {
        frame_add(&to_vm, c->session, F_DATA, 0, NULL, 0);
        c->in_ended = true;
    }
}

static void write_out(struct connection *c)
{
    size_t had = c->out.size;
    if (!buffer_write(&c->out, c->fd)) {
        if (!c->over)
            frame_add(&to_vm, c->session, F_GONE, 0, NULL, 0);
        close_connection(c);
        return;
    }
    if (had > c->out.size && !c->over)
        frame_u32(&to_vm, c->session, F_CREDIT, 1, (uint32_t)(had - c->out.size));
    if (c->over && !c->out.size)
        close_connection(c);
}

nfds_t forward_poll(struct pollfd *fds, nfds_t room)
{
    nfds_t n = 0;
    for (struct port *p = ports; p; p = p->next) {
        p->slot = -1;
        if (p->listener < 0 || n == room)
            continue;
        p->slot = (int)n;
        fds[n++] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    }
    for (struct connection *c = connections; c; c = c->next) {
        short events = (short)((c->credit && !c->in_ended && !c->over ? POLLIN : 0) |
                               (c->out.size ? POLLOUT : 0));
        c->slot = -1;
        if (!events || n == room)
            continue;
        c->slot = (int)n;
        fds[n++] = (struct pollfd){.fd = c->fd, .events = events};
    }
    return n;
}

void forward_polled(const struct pollfd *fds)
{
    for (struct connection *c = connections, *next; c; c = next) {
        next = c->next;
        short events = c->slot < 0 ? 0 : fds[c->slot].revents;
        if ((events & (POLLIN | POLLHUP)) && c->credit && !c->in_ended)
            take_in(c);
        if (events & (POLLOUT | POLLERR))
            write_out(c);
    }
    for (struct port *p = ports; p; p = p->next)
        if (p->slot >= 0 && fds[p->slot].revents)
            open_connection(p);
}
