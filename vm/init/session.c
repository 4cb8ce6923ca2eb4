// SPDX-License-Identifier: MIT
// The VM's sessions: each is a command, or a connection to a port of the VM's localhost.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

struct session {
    struct session *next;
    uint32_t id;
    pid_t pid; // the command's, and of its group; 0: has ended, or a connection
    pid_t parent;
    bool tty;      // fd[0] is the terminal's master, fd[1] a copy
    uint16_t port; // that fd[0] is being connected to; 0: it is connected, or a command's
    bool by_ipv6;
    int fd[3]; // our ends of the streams; -1: closed
    int slot[3];
    struct buffer in;
    bool in_ended;      // what is in `in` is all
    uint32_t credit[3]; // so much may be sent
    bool exited;
    uint32_t status;
    struct timespec end; // when it exited
};

struct buffer to_host;
static struct session *sessions;

static void close_stream(struct session *s, int i)
{
    if (s->fd[i] >= 0)
        close(s->fd[i]);
    s->fd[i] = -1;
}

static void forget(struct session *s)
{
    struct session **p = &sessions;
    while (*p != s)
        p = &(*p)->next;
    *p = s->next;
    for (int i = 0; i < 3; i++)
        close_stream(s, i);
    free(s->in.data);
    free(s);
}

static struct session *find(uint32_t id)
{
    struct session *s = sessions;
    while (s && s->id != id)
        s = s->next;
    return s;
}

bool session_any(void)
{
    return sessions;
}

static struct session *add(uint32_t id)
{
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    *s = (struct session){.next = sessions, .id = id, .fd = {-1, -1, -1}};
    s->credit[1] = s->credit[2] = WINDOW;
    sessions = s;
    return s;
}

// ---- What the host says ----

static void start(const struct frame *f)
{
    struct session *s = add(f->session);
    s->parent = command_start(f, s->fd, &s->tty, &s->pid);
    if (!s->parent)
        forget(s);
}

static void refuse(uint32_t id)
{
    frame_u32(&to_host, id, F_EXIT, 0, 1);
}

// A server that does not accept lets one wait for minutes.
static bool connect_begin(struct session *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(s->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 to6 = {
        .sin6_family = AF_INET6, .sin6_port = to.sin_port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const void *address = s->by_ipv6 ? (const void *)&to6 : &to;
    s->fd[0] =
        socket(s->by_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return !connect(s->fd[0], address, s->by_ipv6 ? sizeof to6 : sizeof to) || errno == EINPROGRESS;
}

static void connect_next(struct session *s)
{
    close_stream(s, 0);
    if (!s->by_ipv6) {
        s->by_ipv6 = true;
        if (connect_begin(s))
            return;
    }
    refuse(s->id);
    forget(s);
}

static void connect_port(const struct frame *f)
{
    struct session *s = add(f->session);
    s->port = (uint16_t)frame_value(f);
    if (!connect_begin(s))
        connect_next(s);
}

static void connect_end(struct session *s)
{
    int error = 0;
    if (getsockopt(s->fd[0], SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}) || error) {
        connect_next(s);
        return;
    }
    s->port = 0;
    s->fd[1] = fcntl(s->fd[0], F_DUPFD_CLOEXEC, 0);
    s->exited = true; // ends when both directions have
}

static void signal_session(struct session *s, const struct frame *f)
{
    struct signal_frame m;
    if (f->size < sizeof m || !s->pid)
        return;
    memcpy(&m, f + 1, sizeof m);
    kill(m.group ? -s->pid : s->pid, (int)m.signal);
}

static void gone(struct session *s)
{
    if (s->pid)
        kill(-s->pid, SIGKILL);
    forget(s); // its end is nobody's business any more
}

static void take_data(struct session *s, const struct frame *f)
{
    if (!f->size) {
        s->in_ended = true;
    } else if (s->fd[0] < 0) {
        frame_add(&to_host, s->id, F_CLOSED, 0, NULL, 0);
    } else {
        buffer_add(&s->in, f + 1, f->size);
    }
}

void session_frame(struct frame *f)
{
    if (f->type == F_START || f->type == F_CONNECT) {
        f->type == F_START ? start(f) : connect_port(f);
        return;
    }
    struct session *s = find(f->session);
    if (!s)
        return;
    switch (f->type) {
    case F_SIGNAL:
        signal_session(s, f);
        break;
    case F_WINDOW:
        if (s->tty && f->size >= sizeof(struct winsize))
            ioctl(s->fd[0], TIOCSWINSZ, f + 1);
        break;
    case F_GONE:
        gone(s);
        break;
    case F_DATA:
        take_data(s, f);
        break;
    case F_CREDIT:
        s->credit[f->stream] += frame_value(f);
        break;
    case F_CLOSED:
        close_stream(s, f->stream);
        break;
    default:
        break;
    }
}

void session_child(pid_t pid, int status)
{
    struct session *s = sessions;
    while (s && s->parent != pid)
        s = s->next;
    if (!s)
        return;
    s->pid = s->parent = 0;
    s->exited = true;
    s->status = (uint32_t)(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    clock_gettime(CLOCK_MONOTONIC, &s->end);
}

// ---- Streams ----

nfds_t session_poll(struct pollfd *fds, nfds_t room)
{
    nfds_t n = 0;
    for (struct session *s = sessions; s; s = s->next) {
        for (int i = 0; i < 3; i++) {
            s->slot[i] = -1;
            bool wanted = i ? s->credit[i] > 0 : s->in.size || s->in_ended || s->port;
            if (s->fd[i] < 0 || !wanted || n == room)
                continue;
            s->slot[i] = (int)n;
            fds[n++] = (struct pollfd){.fd = s->fd[i], .events = (short)(i ? POLLIN : POLLOUT)};
        }
    }
    return n;
}

static void feed(struct session *s)
{
    size_t had = s->in.size;
    if (!buffer_write(&s->in, s->fd[0])) {
        frame_add(&to_host, s->id, F_CLOSED, 0, NULL, 0);
        close_stream(s, 0);
        buffer_drop(&s->in, s->in.size);
        return;
    }
    if (had > s->in.size)
        frame_u32(&to_host, s->id, F_CREDIT, 0, (uint32_t)(had - s->in.size));
    if (!s->in.size && s->in_ended) {
        s->in_ended = false;
        if (s->tty) {
            buffer_add(&s->in, "\004", 1);
        } else {
            shutdown(s->fd[0], SHUT_WR); // a connection's descriptor has a copy; a pipe's has none
            close_stream(s, 0);
        }
    }
}

// Sends what is there of a stream. False: there is nothing now.
static bool drain(struct session *s, int i)
{
    char data[FRAME_DATA];
    size_t room = s->credit[i] < sizeof data ? s->credit[i] : sizeof data;
    ssize_t n = read(s->fd[i], data, room);
    if (n > 0) {
        frame_add(&to_host, s->id, F_DATA, i, data, (size_t)n);
        s->credit[i] -= (uint32_t)n;
        return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_stream(s, i);
        if (!s->exited || !s->tty)
            frame_add(&to_host, s->id, F_DATA, i, NULL, 0);
    }
    return false;
}

void session_stopped(pid_t pid, int sig)
{
    for (struct session *s = sessions; s; s = s->next)
        if (s->parent == pid) {
            for (int i = 1; i < 3; i++) // what it has said comes first
                while (s->fd[i] >= 0 && s->credit[i] && drain(s, i))
                    ;
            frame_u32(&to_host, s->id, F_STOPPED, 0, (uint32_t)sig);
        }
}

static bool long_ago(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - t->tv_sec) * 1000 + (now.tv_nsec - t->tv_nsec) / 1000000 > 200;
}

// The command has exited: all that it wrote is in its pipes, though a process that it left behind
// may hold them open. What went to a terminal can still be on its way to the master, until that
// reads as closed. False: not yet at the end.
static bool finish(struct session *s)
{
    bool connection = s->fd[2] < 0 && s->end.tv_sec == 0;
    for (int i = 1; i < 3; i++) {
        if (s->fd[i] < 0)
            continue;
        while (s->fd[i] >= 0 && s->credit[i] && drain(s, i))
            ;
        if (s->fd[i] >= 0 && (connection || !s->credit[i] || (s->tty && !long_ago(&s->end))))
            return false;
    }
    if (connection && s->fd[0] >= 0)
        return false; // who has said all may still listen
    frame_u32(&to_host, s->id, F_EXIT, 0, s->status);
    forget(s);
    return true;
}

void session_polled(const struct pollfd *fds, bool *hurry)
{
    *hurry = false;
    for (struct session *s = sessions, *next; s; s = next) {
        next = s->next;
        bool ready = s->slot[0] >= 0 && fds[s->slot[0]].revents && s->fd[0] >= 0;
        if (ready && s->port) {
            connect_end(s); // it may be gone now
            continue;
        }
        if (ready)
            feed(s);
        for (int i = 1; i < 3; i++)
            if (s->slot[i] >= 0 && fds[s->slot[i]].revents && s->fd[i] >= 0)
                drain(s, i);
        if (s->exited && !finish(s))
            *hurry |= s->tty;
    }
}
