// SPDX-License-Identifier: MIT
// Job control as a shell does it: the background reader stops by SIGTTIN, the writer with TOSTOP by
// SIGTTOU, Ctrl-Z stops the foreground group and Ctrl-C ends it, SIGCONT goes on; a blocked or
// ignored SIGTTIN makes the read fail with EIO; an orphaned group is not stopped.
// covers: ioctl, read, write, wait4, kill, setpgid
#include "job.h"

static int reader(int tty)
{
    char buf[16];
    ssize_t n = read(tty, buf, sizeof(buf));

    return n == 6 && memcmp(buf, "hello\n", 6) == 0 ? 11 : 1;
}

static int writer(int tty)
{
    return write(tty, "out", 3) == 3 ? 12 : 1;
}

static int ignorer(int tty)
{
    char c;

    signal(SIGTTIN, SIG_IGN);
    if (read(tty, &c, 1) != -1 || errno != EIO)
        return 1;
    signal(SIGTTIN, SIG_DFL);
    block(SIGTTIN);
    if (read(tty, &c, 1) != -1 || errno != EIO)
        return 2;
    return 13;
}

static int setter(int tty)
{
    struct termios tio;

    // Changing the terminal from the background is like writing with TOSTOP.
    return tcgetattr(tty, &tio) == 0 && tcsetattr(tty, TCSANOW, &tio) == 0 ? 14 : 1;
}

static int idle(int tty)
{
    char c;

    while (tcgetpgrp(tty) != getpgrp())
        sleep_us(1000); // to read before that would be SIGTTIN
    for (;;)
        (void)!read(tty, &c, 1);
    return 0;
}

static volatile int conts;
static void on_cont(int sig)
{
    (void)sig;
    conts++;
}

static int tstp_handler(int tty)
{
    sigset_t none;

    sigemptyset(&none);
    block(SIGCONT);
    signal(SIGCONT, on_cont);
    CHECK(write(tty, "R", 1) == 1);
    raise(SIGTSTP);     // stops here
    CHECK_EQ(conts, 0); // SIGCONT continues although it is blocked
    CHECK(is_pending(SIGCONT));
    CHECK_ERR(sigsuspend(&none), EINTR);
    return conts == 1 ? 15 : 1;
}

static void foreground(int tty, pid_t group)
{
    CHECK(tcsetpgrp(tty, group) == 0);
}

static void expect_out(const char *text)
{
    char buf[16] = {0};

    for (size_t n = 0; n < strlen(text);) {
        ssize_t got = read(pty_master, buf + n, strlen(text) - n);

        CHECK(got > 0);
        n += got;
    }
    CHECK_STR(buf, text);
}

static void leader(int tty)
{
    struct termios tio;
    siginfo_t si;
    pid_t pid;

    block(SIGTTOU);
    CHECK(tcgetattr(tty, &tio) == 0);
    tio.c_lflag &= ~ECHO;
    tio.c_oflag &= ~OPOST;
    CHECK(tcsetattr(tty, TCSANOW, &tio) == 0);

    // Reading in the background.
    pid = job(reader, tty);
    unblock(SIGTTOU); // children below have the default mask
    CHECK_EQ(wait_for(pid, WUNTRACED), STOPPED_BY(SIGTTIN));
    block(SIGTTOU);
    foreground(tty, pid);
    CHECK(kill(-pid, SIGCONT) == 0);
    CHECK_EQ(wait_for(pid, WCONTINUED), 0xffff);
    CHECK(write(pty_master, "hello\n", 6) == 6);
    CHECK_EQ(wait_for(pid, 0), 11 << 8);
    foreground(tty, getpgrp());

    // Writing there: allowed, until TOSTOP.
    unblock(SIGTTOU);
    pid = job(writer, tty);
    CHECK_EQ(wait_for(pid, WUNTRACED), 12 << 8);
    expect_out("out");
    tio.c_lflag |= TOSTOP;
    CHECK(tcsetattr(tty, TCSANOW, &tio) == 0);
    pid = job(writer, tty);
    CHECK_EQ(wait_for(pid, WUNTRACED), STOPPED_BY(SIGTTOU));
    foreground(tty, pid);
    CHECK(kill(-pid, SIGCONT) == 0);
    CHECK_EQ(wait_for(pid, 0), 12 << 8);
    expect_out("out");
    block(SIGTTOU);
    foreground(tty, getpgrp());
    tio.c_lflag &= ~TOSTOP;
    CHECK(tcsetattr(tty, TCSANOW, &tio) == 0);
    unblock(SIGTTOU);
    pid = job(setter, tty);
    CHECK_EQ(wait_for(pid, WUNTRACED), STOPPED_BY(SIGTTOU));
    CHECK(kill(pid, SIGKILL) == 0 && wait_for(pid, 0) == SIGKILL);
    CHECK_EQ(wait_for(job(ignorer, tty), WUNTRACED), 13 << 8);

    // Keys.
    block(SIGTTOU);
    pid = job(idle, tty);
    foreground(tty, pid);
    CHECK(write(pty_master, "\032", 1) == 1); // Ctrl-Z
    CHECK(waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT) == 0);
    CHECK(si.si_code == CLD_STOPPED && si.si_status == SIGTSTP);
    CHECK_EQ(wait_for(pid, WUNTRACED), STOPPED_BY(SIGTSTP));
    CHECK(kill(-pid, SIGCONT) == 0);
    CHECK_EQ(wait_for(pid, WCONTINUED), 0xffff);
    CHECK(write(pty_master, "\003", 1) == 1); // Ctrl-C
    CHECK_EQ(wait_for(pid, WUNTRACED), SIGINT);
    pid = job(idle, tty);
    foreground(tty, pid);
    CHECK(write(pty_master, "\034", 1) == 1); // Ctrl-backslash
    CHECK_EQ(wait_for(pid, WUNTRACED) & 0x7f, SIGQUIT);
    foreground(tty, getpgrp());

    pid = job(tstp_handler, tty);
    expect_out("R");
    CHECK_EQ(wait_for(pid, WUNTRACED), STOPPED_BY(SIGTSTP));
    CHECK(kill(pid, SIGCONT) == 0);
    CHECK_EQ(wait_for(pid, 0), 15 << 8);
}

static int orphan_reader(int tty)
{
    char c;

    return read(tty, &c, 1) == -1 && errno == EIO ? 0 : 1;
}

static void orphans(int tty)
{
    int p[2];
    char c;
    pid_t pid;

    CHECK(pipe(p) == 0);
    pid = OK(fork());
    if (pid == 0) { // the parent that leaves
        pid_t me = getpid();

        setpgid(0, 0);
        if (fork() == 0) {
            while (getppid() == me)
                sleep_us(500);
            c = orphan_reader(tty) == 0 && raise(SIGTSTP) == 0 ? 'y' : 'n'; // no stop either
            CHECK(write(p[1], &c, 1) == 1);
            _exit(0);
        }
        _exit(0);
    }
    wait_ok(pid);
    CHECK(read(p[0], &c, 1) == 1 && c == 'y');
}

int main(void)
{
    struct rlimit none = {0, 0};

    CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
    pty_open();
    in_session(leader);
    pty_open();
    in_session(orphans);
    return done();
}
