// SPDX-License-Identifier: MIT
// getpid, gettid, getppid, process groups and sessions: what they say in threads and children, and
// every rule and error of setpgid and setsid.
// covers: getpid, gettid, getppid, getpgrp, getpgid, setpgid, getsid, setsid
#include "exec.h"

static pid_t me;

static void *thread(void *arg)
{
    CHECK(getpid() == me && tid() != me && getppid() == *(pid_t *)arg);
    CHECK(getpgid(tid()) == getpgrp()); // a thread's id finds its process
    CHECK_EQ(getsid(tid()), getsid(0));
    return NULL;
}

// A child that waits to be told to go on; its pid.
static pid_t child(void (*fn)(void), int *to)
{
    int ready[2], gate[2];
    pid_t pid;
    char c;

    CHECK(pipe(ready) == 0 && pipe(gate) == 0);
    pid = OK(fork());
    if (pid == 0) {
        close(gate[1]);
        if (fn)
            fn();
        CHECK(write(ready[1], "r", 1) == 1);
        CHECK(read(gate[0], &c, 1) == 0);
        _exit(0);
    }
    close(gate[0]);
    close(ready[1]);
    CHECK(read(ready[0], &c, 1) == 1);
    close(ready[0]);
    *to = gate[1];
    return pid;
}

static void new_session(void)
{
    CHECK(setsid() == getpid());
    CHECK(getpgrp() == getpid() && getsid(0) == getpid());
    CHECK_ERR(setsid(), EPERM);      // leads a group
    CHECK_ERR(setpgid(0, 0), EPERM); // leads a session
}

static void exec_other(void)
{
    char *args[] = {"x", "exec", NULL};

    execv("/proc/self/exe", args);
    CHECK(!"execv");
}

int main(int argc, char **argv)
{
    pid_t parent = getppid(), a, b;
    int to_a, to_b, to_c;
    pthread_t th;

    (void)argv;
    if (argc > 1) { // tells that it was executed, waits for the end
        pause();
        return 0;
    }
    me = getpid();
    CHECK(me == tid() && me > 1 && parent >= 0);
    CHECK(pthread_create(&th, NULL, thread, &parent) == 0 && pthread_join(th, NULL) == 0);
    CHECK(getpgid(0) == getpgrp() && getpgid(me) == getpgrp() && getsid(me) == getsid(0));
    CHECK_ERR(getpgid(-1), ESRCH);
    CHECK_ERR(getsid(-1), ESRCH);
    CHECK_ERR(setpgid(-1, 0), EINVAL);
    CHECK_ERR(setpgid(-1, 5), ESRCH);
    CHECK_ERR(setpgid(0, -1), EINVAL);

    a = child(NULL, &to_a);
    b = child(NULL, &to_b);
    CHECK(getpgid(a) == getpgrp() && getsid(b) == getsid(0));
    CHECK_ERR(setpgid(a, b), EPERM); // no such group yet
    CHECK(setpgid(a, a) == 0 && getpgid(a) == a);
    CHECK(setpgid(a, a) == 0);
    CHECK(setpgid(b, a) == 0 && getpgid(b) == a);
    CHECK(setpgid(b, 0) == 0 && getpgid(b) == b);
    CHECK(setpgid(b, getpgrp()) == 0 && getpgid(b) == getpgrp());
    CHECK(getsid(a) == getsid(0));
    // Only one's own children.
    CHECK_ERR(setpgid(parent ? parent : 1, 0), ESRCH);
    close(to_a);
    close(to_b);
    wait_ok(a);
    wait_ok(b);

    // Not across sessions.
    a = child(new_session, &to_a);
    CHECK(getsid(a) == a && getpgid(a) == a);
    CHECK_ERR(setpgid(a, getpgrp()), EPERM);
    CHECK_ERR(setpgid(0, a), EPERM);
    b = child(NULL, &to_c);
    CHECK_ERR(setpgid(b, a), EPERM);
    close(to_a);
    close(to_c);
    wait_ok(a);
    wait_ok(b);

    // Not after the child's execve.
    int p[2];
    char c;
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    a = OK(fork());
    if (a == 0)
        exec_other();
    close(p[1]);
    CHECK(read(p[0], &c, 1) == 0); // closed by execve
    CHECK_ERR(setpgid(a, a), EACCES);
    CHECK(kill(a, SIGKILL) == 0 && waitpid(a, NULL, 0) == a);
    // Kill by group.
    a = child(NULL, &to_a);
    b = child(NULL, &to_b);
    CHECK(setpgid(a, a) == 0 && setpgid(b, a) == 0);
    CHECK(killpg(a, SIGTERM) == 0);
    CHECK(waitpid(-a, &to_c, 0) > 0 && to_c == SIGTERM);
    CHECK(waitpid(-a, &to_c, 0) > 0 && to_c == SIGTERM);
    CHECK_ERR(killpg(a, 0), ESRCH);
    return done();
}
