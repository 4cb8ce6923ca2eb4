// SPDX-License-Identifier: MIT
// Hang-up: the end of a session's leader sends SIGHUP to the foreground group and takes the
// controlling terminal from all; the end of the terminal's other side sends the leader SIGHUP and
// SIGCONT, and the terminal is dead; a newly orphaned group with stopped members gets both, too.
// covers: exit_group, kill, read, write, setsid, ioctl
#include "job.h"

static int out[2];
static volatile int hups, conts;

static void note(int sig)
{
    if (sig == SIGHUP)
        hups++;
    else
        conts++;
}

static void say(char c)
{
    CHECK(write(out[1], &c, 1) == 1);
}

static char heard(void)
{
    char c = 0;

    CHECK(read(out[0], &c, 1) == 1);
    return c;
}

static void watch(int both)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGHUP, note);
    signal(SIGCONT, note);
    say('r');
    sigdelset(&all, SIGHUP);
    sigdelset(&all, SIGCONT);
    while (!hups || (both && !conts))
        CHECK_ERR(sigsuspend(&all), EINTR);
    // Of a pseudo-terminal the kernel sends SIGHUP first (disassociate_ctty(),
    // session_clear_tty()).
    int tty;
    while ((tty = open("/dev/tty", O_RDWR)) >= 0)
        close(tty);
    CHECK_EQ(errno, ENXIO);
}

static void leader_ends(void)
{
    int tty = session_start();
    pid_t pid = OK(fork());

    if (pid == 0) {
        setpgid(0, 0);
        say('g');
        watch(0);
        CHECK_ERR(tcgetpgrp(tty), ENOTTY);
        CHECK(write(tty, "x", 1) == 1); // the pseudo-terminal itself lives
        say('h');
        _exit(0);
    }
    CHECK(heard() == 'g');
    block(SIGTTOU);
    CHECK(tcsetpgrp(tty, pid) == 0);
    CHECK(heard() == 'r');
    _exit(0);
}

static void master_closes(void)
{
    int tty = session_start();

    char c;

    close(pty_master);
    watch(1);
    CHECK_EQ(read(tty, &c, 1), 0);
    CHECK_ERR(write(tty, "x", 1), EIO);
    CHECK_ERR(ioctl(tty, TIOCNOTTY), EIO);
    say('h');
    _exit(0);
}

static void newly_orphaned(void)
{
    pid_t pid;

    CHECK(setsid() == getpid());
    pid = OK(fork());
    if (pid == 0) { // keeps the group below from being an orphan: same session, other group
        if (fork() == 0) {
            setpgid(0, 0);
            signal(SIGHUP, note);
            signal(SIGCONT, note);
            say('s');
            raise(SIGSTOP);
            while (!hups || !conts)
                sleep_us(500);
            say('o');
            _exit(0);
        }
        CHECK(heard() == 's');
        int st;
        CHECK(waitpid(-1, &st, WUNTRACED) > 0 && WIFSTOPPED(st));
        _exit(0);
    }
    wait_ok(pid);
    CHECK(heard() == 'o');
}

int main(void)
{
    CHECK(pipe(out) == 0);
    pty_open();
    CHECK_EQ(status_of(leader_ends), 0);
    CHECK(heard() == 'h');
    close(pty_master);
    pty_open();
    pid_t pid = OK(fork());
    if (pid == 0)
        master_closes();
    CHECK(heard() == 'r');
    close(pty_master); // the last one
    CHECK(heard() == 'h');
    wait_ok(pid);
    CHECK_EQ(status_of(newly_orphaned), 0);
    return done();
}
