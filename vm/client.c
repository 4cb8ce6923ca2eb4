// SPDX-License-Identifier: MIT
// `lxrun --vm PROGRAM`, seen from its caller: the command's streams, signals, stops and end.
//
// With a terminal on both sides the command gets one of its own in the VM, ours goes raw, and keys
// and window sizes travel. Otherwise it has pipes, and signals travel.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "fail.h"
#include "join.h"

#define BACKGROUND_MS 500 // how often it is looked at whether we are in the foreground again

struct client {
    int keeper, signals;
    bool tty, verbose;
    bool terminal;           // standard input is one
    bool closed[3];          // by our caller
    bool started;            // the VM has been heard
    bool stopped;            // the command; we do when what it has said is written
    struct buffer in, out;   // from and to the keeper
    struct buffer stream[3]; // 1 and 2: to be written here
    uint32_t credit;         // so much of our standard input may be sent
    bool open[3];
    int lost[3]; // errno of an output that could not be written
};

static struct termios old_terminal;
static bool raw;

// A job in the background leaves the terminal to those whose it is.
static bool in_foreground(void)
{
    pid_t group = tcgetpgrp(0);
    return group < 0 || group == getpgrp();
}

static void restore_terminal(void)
{
    if (raw && in_foreground())
        tcsetattr(0, TCSADRAIN, &old_terminal);
    raw = false;
}

static void make_raw(void)
{
    struct termios t;
    if (raw || !in_foreground() || tcgetattr(0, &old_terminal))
        return;
    t = old_terminal;
    cfmakeraw(&t);
    raw = !tcsetattr(0, TCSADRAIN, &t);
}

// ---- To the VM ----

static void send_start(struct client *c, const struct vm_options *o)
{
    struct winsize size = {0};
    struct start s = {.flags = (c->tty ? START_TTY : 0) | (o->account ? START_ACCOUNT : 0) |
                               (o->directory_wanted ? START_CD : 0) |
                               (c->tty && !isatty(2) ? START_ERRORS : 0),
                      .set = (uint32_t)o->nset,
                      .mask = umask(0)};
    struct buffer b = {0};
    umask(s.mask);
    for (int i = 0; i < 3; i++)
        s.flags |= c->closed[i] ? START_CLOSED << i : 0;
    ioctl(0, TIOCGWINSZ, &size);
    s.rows = size.ws_row;
    s.columns = size.ws_col;
    while (o->args[s.args])
        s.args++;
    while (o->env[s.env])
        s.env++;
    buffer_add(&b, &s, sizeof s);
    buffer_string(&b, o->directory);
    buffer_string(&b, o->user ? o->user : "");
    buffer_string(&b, o->program);
    for (char **p = o->args; *p; p++)
        buffer_string(&b, *p);
    for (char **p = o->env; *p; p++)
        buffer_string(&b, *p);
    for (size_t i = 0; i < o->nset; i++)
        buffer_string(&b, o->set[i]);
    if (b.size > FRAME_MAX)
        fail("the command line is too long for the VM");
    frame_add(&c->out, 0, F_START, 0, b.data, b.size);
    free(b.data);
}

static void send_input(struct client *c)
{
    char data[FRAME_DATA];
    ssize_t n = read(0, data, c->credit < sizeof data ? c->credit : sizeof data);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        c->open[0] = false;
        n = 0;
    }
    frame_add(&c->out, 0, F_DATA, 0, data, (size_t)n);
    c->credit -= (uint32_t)n;
}

// There is no command yet that could be told: it ends us.
static void die(int sig)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    signal(sig, SIG_DFL);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void take_signals(struct client *c)
{
    struct signalfd_siginfo info;
    while (read(c->signals, &info, sizeof info) == sizeof info) {
        struct winsize size;
        int sig = (int)info.ssi_signo;
        if (!c->started && (sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT))
            die(sig);
        if (!c->started && sig == SIGTSTP)
            raise(SIGSTOP);
        if (info.ssi_signo == SIGWINCH) {
            if (c->tty && !ioctl(0, TIOCGWINSZ, &size))
                frame_add(&c->out, 0, F_WINDOW, 0, &size, sizeof size);
        } else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE) {
            // What the kernel sends comes from the terminal, and is for all of the job.
            struct signal_frame m = {info.ssi_signo, info.ssi_code > 0};
            frame_add(&c->out, 0, F_SIGNAL, 0, &m, sizeof m);
        }
    }
}

// ---- From the VM ----

// The command has stopped, and so do we; when we go on, so does it.
static void stop(struct client *c)
{
    struct signal_frame m = {SIGCONT, true};
    c->stopped = false;
    restore_terminal();
    raise(SIGSTOP);
    frame_add(&c->out, 0, F_SIGNAL, 0, &m, sizeof m);
}

static void take_text(const struct client *c, const struct frame *f)
{
    if (f->type == F_ERROR || f->stream || c->verbose)
        dprintf(2, "lxrun: %.*s%s\n", (int)f->size, (const char *)(f + 1), raw ? "\r" : "");
}

// True: that was the last one, with the status in *status.
static bool take_frame(struct client *c, const struct frame *f, int *status)
{
    c->started = true; // before, ^C is for us
    switch (f->type) {
    case F_DATA:
        if (f->stream)
            buffer_add(&c->stream[f->stream], f + 1, f->size);
        break;
    case F_CREDIT:
        c->credit += frame_value(f);
        break;
    case F_CLOSED:
        if (f->stream == 0 && c->open[0]) {
            // Who writes to us is to learn that nobody reads.
            int null = open("/dev/null", O_RDONLY);
            if (!c->tty)
                dup2(null, 0);
            close(null);
            c->open[0] = false;
        }
        break;
    case F_STOPPED:
        c->stopped = true;
        break;
    case F_NOTE:
    case F_ERROR:
        take_text(c, f);
        break;
    case F_EXIT:
        *status = (int)frame_value(f);
        return true;
    default:
        break;
    }
    return false;
}

// In pieces that a pipe which is ready takes whole (PIPE_BUF), so that nothing blocks here.
static void write_out(struct client *c, int i)
{
    struct buffer *b = &c->stream[i];
    ssize_t n = write(i, b->data, b->size < PIPE_BUF ? b->size : PIPE_BUF);
    if (n > 0) {
        buffer_drop(b, (size_t)n);
        frame_u32(&c->out, 0, F_CREDIT, i, (uint32_t)n);
    } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
        c->open[i] = false;
        c->lost[i] = errno == EPIPE ? 0 : errno;
        buffer_drop(b, b->size);
        frame_add(&c->out, 0, F_CLOSED, i, NULL, 0);
    }
}

// The VM was ending when we came. What we have asked for is to be asked of another one.
#define AGAIN (-1)

// The command's exit status, or AGAIN.
static int relay(struct client *c, const struct vm_options *o)
{
    int status = EXIT_LXRUN;
    bool over = false, bad = false;
    while (!over || c->stream[1].size || c->stream[2].size) {
        if (c->stopped && !c->stream[1].size && !c->stream[2].size)
            stop(c);
        bool mine = !c->terminal || in_foreground();
        if (c->tty && c->started && mine)
            make_raw();
        raw &= mine; // its modes are now another job's
        struct pollfd fds[5] = {
            {.fd = over ? -1 : c->keeper,
             .events = (short)(c->out.size ? POLLIN | POLLOUT : POLLIN)},
            {.fd = c->signals, .events = POLLIN},
            {.fd = !over && c->started && mine && c->open[0] && c->credit ? 0 : -1,
             .events = POLLIN},
            {.fd = c->stream[1].size ? 1 : -1, .events = POLLOUT},
            {.fd = c->stream[2].size ? 2 : -1, .events = POLLOUT}};
        size_t at = 0;
        if (poll(fds, 5, mine ? -1 : BACKGROUND_MS) < 0 && errno != EINTR)
            fail_errno("poll");
        if (fds[1].revents)
            take_signals(c);
        if (fds[2].revents)
            send_input(c);
        for (int i = 1; i < 3; i++)
            if (fds[2 + i].revents)
                write_out(c, i);
        if (over)
            continue;
        if (c->out.size)
            buffer_write(&c->out, c->keeper);
        if (!(fds[0].revents & ~POLLOUT))
            continue;
        bool there = buffer_read(&c->in, c->keeper);
        for (struct frame *f; !over && (f = frame_next(&c->in, &at, &bad));)
            over = take_frame(c, f, &status);
        buffer_drop(&c->in, at);
        if (!over && (!there || bad)) {
            if (!c->started && !bad && keeper_left(o))
                return AGAIN;
            restore_terminal();
            fail("the VM's keeper has ended");
        }
    }
    return status;
}

// A stream that our caller has closed is closed for the command, too; here something else must
// stand in its place, lest a file or socket of ours gets its number.
static void keep_closed(struct client *c)
{
    for (int i = 0; i < 3; i++) {
        if (fcntl(i, F_GETFD) >= 0)
            continue;
        c->closed[i] = true;
        if (open("/dev/null", O_RDWR) != i)
            fail_errno("cannot open /dev/null");
    }
}

int vm_run(const struct vm_options *o)
{
    struct client c = {.verbose = o->verbose, .credit = WINDOW, .open = {true, true, true}};
    sigset_t all;
    keep_closed(&c);
    c.terminal = isatty(0);
    c.tty = c.terminal && isatty(1);
    c.keeper = keeper_join(o, &c.out); // until then ^C ends us
    sigfillset(&all);
    // Faults of our own must kill; SIGTSTP and the like stop us only when the command has stopped.
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset(&all, faults[i]);
    sigprocmask(SIG_BLOCK, &all, NULL);
    c.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    int status = AGAIN;
    for (;;) {
        fcntl(c.keeper, F_SETFL, O_NONBLOCK);
        send_start(&c, o);
        status = relay(&c, o);
        if (status != AGAIN)
            break;
        close(c.keeper);
        buffer_drop(&c.in, c.in.size);
        buffer_drop(&c.out, c.out.size);
        c.keeper = keeper_join(o, &c.out);
    }
    restore_terminal();
    for (int i = 1; i < 3; i++) {
        if (!c.lost[i])
            continue;
        dprintf(2, "lxrun: cannot write the command's standard %s: %s\n",
                i == 1 ? "output" : "error", strerror(c.lost[i]));
        status = status ? status : EXIT_LXRUN;
    }
    return status;
}
