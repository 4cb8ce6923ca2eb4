// SPDX-License-Identifier: MIT
// Calls that any handler ends with EINTR, whatever its flags, go on over signals that nobody takes:
// ignored ones and those whose default is to be ignored. A handled one ends them, also right after
// an ignored one.
// covers: epoll_wait, semop, rt_sigtimedwait, msgrcv, io_getevents, kill
#include "sig.h"
#include <linux/aio_abi.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static int ep, sem, queue;
static aio_context_t aio;

static long do_epoll(void)
{
    struct epoll_event ev;
    return epoll_wait(ep, &ev, 1, 60000);
}
static long do_semop(void)
{
    return semop(sem, &(struct sembuf){0, -1, 0}, 1);
}
static long do_msgrcv(void)
{
    struct {
        long type;
        char text[8];
    } m;
    return msgrcv(queue, &m, sizeof(m.text), 0, 0);
}
static long do_sigwait(void)
{
    sigset_t set = sigset_of(SIGUSR2);
    return sigtimedwait(&set, NULL, &(struct timespec){60, 0});
}
static long do_aio(void)
{
    struct io_event ev;
    return syscall(SYS_io_getevents, aio, 1, 1, &ev, NULL);
}

static volatile int handled;
static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)si, (void)ctx;
    handled++;
}

static char state_of(pid_t pid)
{
    char path[32], *text;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    text = strrchr(get_file(path), ')');
    return text[2];
}

static void test(const char *name, long (*call)(void))
{
    const int quiet[] = {SIGTERM, SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    pid_t pid = OK(fork());

    if (pid == 0) {
        CHECK(syscall(SYS_io_setup, 1, &aio) == 0); // not inherited
        CHECK_ERR(call(), EINTR);
        CHECK_EQ(handled, 1);
        _exit(0);
    }
    for (int n = 0; n < 20; n++) {
        for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
            CHECK(kill(pid, quiet[i]) == 0);
        sleep_us(1000);
    }
    while (state_of(pid) != 'S') {
        CHECK(waitpid(pid, NULL, WNOHANG) == 0);
        sleep_us(1000);
    }
    CHECK(kill(pid, SIGTERM) == 0 && kill(pid, SIGUSR1) == 0 && kill(pid, SIGCHLD) == 0);
    wait_ok(pid);
    puts(name);
}

int main(void)
{
    CHECK((ep = epoll_create1(0)) >= 0);
    CHECK((sem = semget(IPC_PRIVATE, 1, 0600)) >= 0 && (queue = msgget(IPC_PRIVATE, 0600)) >= 0);
    signal(SIGTERM, SIG_IGN);
    catch_info(SIGUSR1, handler, SA_RESTART);
    block(SIGUSR2);
    test("epoll_wait", do_epoll);
    test("semop", do_semop);
    test("msgrcv", do_msgrcv);
    test("sigtimedwait", do_sigwait);
    test("io_getevents", do_aio);
    CHECK(semctl(sem, 0, IPC_RMID) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
    return done();
}
