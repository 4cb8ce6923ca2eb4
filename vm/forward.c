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
    int listener[2], slot[2]; // at 127.0.0.1 and ::1; -1: none
    bool wanted;
};

struct connection {
    struct connection *next;
    uint32_t session;
    int fd, slot;
    struct buffer out;
    uint32_t credit; // so much may be sent to the VM
    bool in_ended;   // the host's end has sent all
    bool out_ended;  // the VM's has
    bool over;       // closed when `out` has gone
};

static struct port *ports;
static struct connection *connections;

// ---- Ports ----

static int listen_at(const void *address, socklen_t size)
{
    int one = 1, family = *(const sa_family_t *)address;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!bind(fd, address, size) && !listen(fd, 64))
        return fd;
    close(fd); // the host's own, or not for this user, or there is no IPv6
    return -1;
}

static void listen_on(struct port *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(p->number),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 a6 = {
        .sin6_family = AF_INET6, .sin6_port = a.sin_port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    p->listener[0] = listen_at(&a, sizeof a);
    p->listener[1] = p->listener[0] < 0 ? -1 : listen_at(&a6, sizeof a6);
}

static void want(uint16_t number)
{
    struct port *p = ports;
    while (p && p->number != number)
        p = p->next;
    if (!p) {
        p = must_alloc(sizeof *p);
        *p = (struct port){.next = ports, .number = number};
        listen_on(p);
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
        for (int i = 0; i < 2; i++)
            if (p->listener[i] >= 0)
                close(p->listener[i]);
        free(p);
    }
}

static void open_connection(uint32_t number, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
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

// A server may say that it has said all, and go on to listen.
static void end_out(struct connection *c)
{
    if (c->out_ended && !c->out.size)
        shutdown(c->fd, SHUT_WR);
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
    else if (f->type == F_DATA)
        c->out_ended = true;
    else if (f->type == F_EXIT)
        c->over = true;
    end_out(c);
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
    end_out(c);
    if (c->over && !c->out.size)
        close_connection(c);
}

nfds_t forward_poll(struct pollfd *fds, nfds_t room)
{
    nfds_t n = 0;
    for (struct port *p = ports; p; p = p->next)
        for (int i = 0; i < 2; i++) {
            p->slot[i] = -1;
            if (p->listener[i] < 0 || n == room)
                continue;
            p->slot[i] = (int)n;
            fds[n++] = (struct pollfd){.fd = p->listener[i], .events = POLLIN};
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
        for (int i = 0; i < 2; i++)
            if (p->slot[i] >= 0 && fds[p->slot[i]].revents)
                open_connection(p->number, p->listener[i]);
}
