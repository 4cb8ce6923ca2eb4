// SPDX-License-Identifier: MIT
// Ways out: exit codes are cut to 8 bits, exit_group from any thread ends all (whatever they block
// in), the first thread may leave before the others, a thread that crashes takes all with it.
// covers: exit, exit_group, wait4
#include "clone.h"
#include <poll.h>

static int p[2];

static void *block_read(void *arg)
{
    char c;

    (void)!read(p[0], &c, 1);
    return arg;
}
static void *block_poll(void *arg)
{
    poll(NULL, 0, -1);
    return arg;
}
static void *spin(void *arg)
{
    for (;;)
        getppid();
    return arg;
}
static void *end_group(void *arg)
{
    syscall(SYS_exit_group, 77);
    return arg;
}
static void *crash(void *arg)
{
    *(volatile int *)8 = 1;
    return arg;
}
static void *late(void *arg)
{
    char c;

    CHECK(read(p[0], &c, 1) == 1); // main has gone by then
    CHECK(getpid() != tid());
    syscall(SYS_exit_group, 55);
    return arg;
}
static void *last(void *arg)
{
    char c;

    CHECK(read(p[0], &c, 1) == 1);
    syscall(SYS_exit, 44);
    return arg;
}

static void start(void *(*fn)(void *))
{
    pthread_t th;

    CHECK(pthread_create(&th, NULL, fn, NULL) == 0);
}

static void exit_code_1ff(void)
{
    syscall(SYS_exit_group, 0x1ff);
}
static void exit_negative(void)
{
    syscall(SYS_exit, -2);
}
static void from_thread(void)
{
    for (int i = 0; i < 3; i++) {
        start(block_read);
        start(block_poll);
        start(spin);
    }
    start(end_group);
    block_poll(NULL);
}
static void from_main(void)
{
    for (int i = 0; i < 3; i++) {
        start(block_read);
        start(block_poll);
        start(spin);
    }
    _exit(66);
}
static void thread_crashes(void)
{
    start(block_read);
    start(spin);
    start(crash);
    block_poll(NULL);
}
static void killed(void)
{
    start(block_read);
    start(spin);
    start(spin);
    kill(getpid(), SIGKILL);
    block_poll(NULL);
}
static void main_first(void)
{
    start(late);
    // The pipe's byte is written by the parent, once it sees this thread as a zombie.
    syscall(SYS_exit, 1);
}
static void last_thread(void)
{
    start(last);
    syscall(SYS_exit, 43);
}

// The state letter of the first thread.
static char state_of(pid_t pid)
{
    char path[64], *end;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    end = strrchr(get_file(path), ')');
    CHECK(end);
    return end[2];
}

static int status_after_main(void (*fn)(void))
{
    pid_t pid = OK(fork());
    int st;

    if (pid == 0)
        fn();
    while (state_of(pid) != 'Z')
        sleep_us(500);
    CHECK(waitpid(pid, &st, WNOHANG) == 0); // the process lives on
    CHECK(write(p[1], "x", 1) == 1);
    CHECK(waitpid(pid, &st, 0) == pid);
    return st;
}

int main(void)
{
    CHECK(pipe(p) == 0);
    CHECK_EQ(status_of(exit_code_1ff), 0xff00);
    CHECK_EQ(status_of(exit_negative), 0xfe00);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(status_of(from_thread), 77 << 8);
        CHECK_EQ(status_of(from_main), 66 << 8);
        CHECK_EQ(status_of(thread_crashes), SIGSEGV);
        CHECK_EQ(status_of(killed), SIGKILL);
    }
    CHECK_EQ(status_after_main(main_first), 55 << 8);
    // Before Linux 5.17 the first thread's status counted, since then the last one's does.
    int st = status_after_main(last_thread);
    CHECK(st == 43 << 8 || st == 44 << 8);
    return done();
}
