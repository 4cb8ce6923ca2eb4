// SPDX-License-Identifier: MIT
// A forked child is there for every other process from the moment that somebody knows its id: its
// parent, as soon as fork has returned, or itself. So it is as a zombie, and no longer than that;
// its program is then let go of.
// covers: fork, kill, wait4, waitid
// timeout: 60
#include "check.h"
#include "exec.h"

#define TIMES 300

static int ask[2], answer[2];

// A process that is no relation of those whose ids it is sent, but by their parent.
static _Noreturn void killer(void)
{
    int message[2], r;

    while (read(ask[0], message, sizeof(message)) == sizeof(message)) {
        r = kill(message[0], message[1]) ? errno : 0;
        CHECK_EQ(write(answer[1], &r, sizeof(r)), sizeof(r));
    }
    _exit(0);
}

static void tell(pid_t pid, int sig)
{
    int message[2] = {pid, sig};

    CHECK_EQ(write(ask[1], message, sizeof(message)), sizeof(message));
}

static int result(void)
{
    int r = -1;

    CHECK_EQ(read(answer[0], &r, sizeof(r)), sizeof(r));
    return r;
}

static void expect_killed(pid_t pid)
{
    int status;

    CHECK_EQ(result(), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGKILL);
}

// The copy: forks a child that stays what it is, and becomes another program itself.
static _Noreturn void split(char *child_stays, char *ready)
{
    pid_t pid = fork();
    siginfo_t info;

    if (!pid) {
        if (*child_stays == 'y')
            pause();
        _exit(0);
    }
    if (*child_stays == 'n') // a zombie from here on
        CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
    execl("other", "other", "hold", ready, NULL);
    _exit(1);
}

static void text_busy(const char *child_stays, int error)
{
    int p[2], fd;
    char number[8], c;
    pid_t pid;

    CHECK_EQ(pipe(p), 0);
    copy_self("prog", 0755);
    sprintf(number, "%d", p[1]);
    pid = OK(fork());
    if (!pid) {
        setpgid(0, 0);
        execl("prog", "prog", child_stays, number, NULL);
        _exit(1);
    }
    setpgid(pid, pid);
    CHECK_EQ(read(p[0], &c, 1), 1);
    fd = open("prog", O_WRONLY);
    CHECK_EQ(fd < 0 ? errno : 0, error);
    if (fd >= 0)
        close(fd);
    CHECK_EQ(kill(-pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK_EQ(unlink("prog"), 0);
    close(p[0]);
    close(p[1]);
}

int main(int argc, char **argv)
{
    pid_t pid;

    if (argc == 3 && !strcmp(argv[1], "hold")) {
        CHECK_EQ(write(atoi(argv[2]), "r", 1), 1);
        pause();
    }
    if (argc == 3)
        split(argv[1], argv[2]);
    CHECK_EQ(pipe(ask) | pipe(answer), 0);
    pid_t k = OK(fork());
    if (!k) {
        close(ask[1]);
        killer();
    }
    for (int i = 0; i < TIMES; i++) {
        pid = OK(fork());
        if (!pid)
            for (;;) // without a call
                ;
        tell(pid, SIGKILL);
        expect_killed(pid);
    }
    for (int i = 0; i < TIMES; i++) {
        pid = OK(fork());
        if (!pid) {
            tell(getpid(), SIGKILL);
            for (;;)
                ;
        }
        expect_killed(pid);
    }
    for (int i = 0; i < TIMES; i++) {
        siginfo_t info;

        pid = OK(fork());
        if (!pid)
            _exit(0);
        CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
        tell(pid, 0);
        CHECK_EQ(result(), 0);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        tell(pid, 0);
        CHECK_EQ(result(), ESRCH);
    }
    copy_self("other", 0755);
    text_busy("y", ETXTBSY);
    text_busy("n", 0);
    close(ask[1]);
    wait_ok(k);
    return done();
}
