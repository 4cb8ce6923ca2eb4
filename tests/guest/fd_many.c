// SPDX-License-Identifier: MIT
// More descriptors than most programs have: every call that makes one goes on with the lowest free
// number, up to the limit; high numbers that are asked for; many that are polled, in flight, or
// received; in threads, with a table that two processes share, behind exec and vfork.
// covers: open, dup, dup2, fcntl, pipe2, socket, socketpair, accept4, epoll_create1, eventfd2
// covers: timerfd_create, memfd_create, inotify_init1, signalfd4, pidfd_open, poll, ppoll, sendmsg
// covers: recvmsg, clone, unshare, execve, getrlimit, setrlimit, prlimit64
// trap: not nested,container,old: two layers take descriptors from the program; such a host refuses unshare, or has no pidfd_open
#include "scm.h"
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define MANY 700
extern char **environ;

static void in_child(void (*what)(void))
{
    int status;
    pid_t p = OK(fork());
    if (!p) {
        what();
        _exit(0);
    }
    CHECK_EQ(waitpid(p, &status, 0), p);
    CHECK_EQ(status, 0);
}

#define CALLS 13
static int listener;
static struct sockaddr_un address;

// By the call of that number. *second: another that it makes, or -1.
static int make(int call, int *second)
{
    sigset_t set;
    int p[2];
    *second = -1;
    switch (call) {
    case 0:
        return open("new", O_RDWR | O_CREAT, 0600);
    case 1:
        return dup(0);
    case 2:
        return fcntl(0, F_DUPFD, 10);
    case 3:
    case 4:
        CHECK_EQ(call == 3 ? pipe(p) : socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
        *second = p[1];
        return p[0];
    case 5:
        p[0] = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        CHECK_EQ(connect(p[0], (void *)&address, sizeof address), 0);
        *second = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        return p[0];
    case 6:
        return epoll_create1(0);
    case 7:
        return eventfd(0, 0);
    case 8:
        return timerfd_create(CLOCK_MONOTONIC, 0);
    case 9:
        return memfd_create("m", 0);
    case 10:
        sigemptyset(&set);
        return signalfd(-1, &set, 0);
    case 11:
        return (int)syscall(SYS_pidfd_open, getpid(), 0);
    }
    return open("/proc/self/status", O_RDONLY);
}

static int call_now;
static void by_one_call(void)
{
    int n = 4, second;
    listener = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, "s");
    unlink("s");
    CHECK_EQ(bind(listener, (void *)&address, sizeof address), 0);
    CHECK_EQ(listen(listener, MANY), 0);
    while (n < 20 + call_now % 2)
        CHECK_EQ(dup(0), n++);
    while (n < MANY) {
        CHECK_EQ(make(call_now, &second), n++);
        if (second >= 0)
            CHECK_EQ(second, n++);
    }
}

static void inotify_is_first(void)
{
    for (int n = 3; n < 400; n++)
        CHECK_EQ((n >= 20 && n < 70) || (n >= 250 && n < 290) ? inotify_init() : dup(0), n);
}

static void new_file(void)
{
    int n = 3;
    struct stat st;
    while (n < 400) {
        char name[16];
        snprintf(name, sizeof name, "f%d", n);
        CHECK_EQ(open(name, O_RDWR | O_CREAT | O_EXCL, 0640), n++);
        CHECK_EQ(stat(name, &st), 0);
        CHECK_EQ(unlink(name), 0);
    }
}

static void asked_for(void)
{
    for (int n = 20; n < MANY; n += 10) {
        CHECK_EQ(dup2(0, n), n);
        CHECK_EQ(fcntl(n, F_GETFD), 0);
    }
    CHECK_EQ(dup(0), 3);
}

static void asked_for_at_least(void)
{
    CHECK_EQ(fcntl(0, F_DUPFD, 50), 50);
    CHECK_EQ(fcntl(0, F_DUPFD, 50), 51);
    CHECK_EQ(fcntl(0, F_DUPFD, 256), 256);
    CHECK_EQ(fcntl(0, F_DUPFD, 256), 257);
    CHECK_EQ(fcntl(0, F_DUPFD_CLOEXEC, 900), 900);
    CHECK_ERR(fcntl(0, F_DUPFD, -1), EINVAL);
    CHECK_EQ(dup(0), 3);
}

static void polled(void)
{
    static struct pollfd p[MANY];
    struct timespec none = {0};
    for (int i = 0; i < MANY; i++)
        p[i] = (struct pollfd){.fd = -1};
    p[MANY - 1] = (struct pollfd){.fd = OK(eventfd(1, 0)), .events = POLLIN};
    CHECK_EQ(poll(p, MANY, 0), 1);
    CHECK_EQ(p[MANY - 1].revents, POLLIN);
    CHECK_EQ(ppoll(p, MANY, &none, NULL), 1);
}

static void received(void)
{
    int s[2], fds[250], got[250], flags;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    for (int i = 0; i < 250; i++)
        fds[i] = s[0];
    CHECK_EQ(send_fds(s[0], fds, 250), 1);
    for (int n = 5; n < 200; n++)
        CHECK_EQ(dup(0), n);
    CHECK_EQ(recv_fds(s[1], got, 250, 0, &flags), 250);
    CHECK_EQ(flags & MSG_CTRUNC, 0);
    for (int i = 0; i < 250; i++)
        CHECK_EQ(got[i], 200 + i);
}

static void in_flight(void)
{
    int s[2], fds[200], got[200], flags;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    for (int i = 0; i < 200; i++)
        fds[i] = s[0];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(send_fds(s[0], fds, 200), 1);
    CHECK_EQ(recv_fds(s[1], got, 200, 0, &flags), 200);
}

static void *open_many(void *arg)
{
    char *mine = arg;
    for (int i = 0; i < 150; i++) {
        int fd = i % 3 ? dup(0) : open("/dev/null", O_RDONLY);
        CHECK(fd >= 3 && fd < 603);
        mine[fd] = 1;
    }
    return NULL;
}

static void by_threads(void)
{
    static char seen[4][1024];
    pthread_t th[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&th[i], NULL, open_many, seen[i]), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(th[i], NULL), 0);
    for (int fd = 3; fd < 603; fd++)
        CHECK_EQ(seen[0][fd] + seen[1][fd] + seen[2][fd] + seen[3][fd], 1);
}

static void *change_paths(void *arg)
{
    struct stat st;
    for (int i = 0; i < 300; i++) {
        CHECK_EQ(chmod("d/e/f/g", 0600 + i % 8), 0);
        CHECK_EQ(rename("d/e/f/g", "d/e/g"), 0);
        CHECK_EQ(stat("d/e/g", &st), 0);
        CHECK_EQ(link("d/e/g", "d/e/f/g"), 0);
        CHECK_EQ(unlink("d/e/g"), 0);
    }
    return arg;
}

// One thread's path calls, which may need a descriptor for a moment, and another's that make some.
static int used;
static void beside_paths(void)
{
    pthread_t th;
    for (int n = 3; n < used; n++)
        CHECK_EQ(dup(0), n);
    CHECK_EQ(pthread_create(&th, NULL, change_paths, NULL), 0);
    for (int i = 0; i < 500; i++) {
        int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), e = OK(eventfd(1, 0)), p[2];
        long long v;
        CHECK_EQ(pipe(p), 0);
        CHECK_EQ(read(e, &v, sizeof v), sizeof v);
        CHECK_EQ(write(p[1], "x", 1), 1);
        CHECK_EQ(close(p[0]), 0);
        CHECK_EQ(close(p[1]), 0);
        CHECK_EQ(close(s), 0);
        CHECK_EQ(close(e), 0);
    }
    CHECK_EQ(pthread_join(th, NULL), 0);
    CHECK(close_range(3, ~0u, 0) == 0 && dup(0) == 3);
}

static void *part(void *arg)
{
    (void)arg;
    CHECK_EQ(unshare(CLONE_FILES), 0);
    for (int n = 3; n < 500; n++)
        CHECK_EQ(dup(0), n);
    return NULL;
}

static void by_parted_threads(void)
{
    pthread_t th;
    CHECK_EQ(pthread_create(&th, NULL, part, NULL), 0);
    CHECK_EQ(pthread_join(th, NULL), 0);
    for (int n = 3; n < 500; n++)
        CHECK_EQ(dup(0), n);
}

static void shared_by_processes(void)
{
    int status;
    pid_t p = OK((pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL));
    if (!p) {
        for (int n = 3; n < 400; n++)
            CHECK_EQ(dup(0), n);
        _exit(0);
    }
    CHECK_EQ(waitpid(p, &status, 0), p);
    CHECK_EQ(status, 0);
    for (int n = 400; n < 500; n++)
        CHECK_EQ(open("/dev/null", O_RDONLY), n);
}

static void spawned(void)
{
    int status;
    pid_t p;
    char *argv[] = {"/proc/self/exe", "many", NULL};
    CHECK_EQ(posix_spawn(&p, argv[0], NULL, NULL, argv, environ), 0);
    CHECK_EQ(waitpid(p, &status, 0), p);
    CHECK_EQ(status, 0);
    // And a program that is run where there are many.
    for (int n = 3; n < 300; n++)
        CHECK_EQ(dup(0), n);
    CHECK_EQ(close_range(3, ~0u, 0), 0);
    CHECK_EQ(posix_spawn(&p, argv[0], NULL, NULL, argv, environ), 0);
    CHECK_EQ(waitpid(p, &status, 0), p);
    CHECK_EQ(status, 0);
}

static void many(void)
{
    for (int n = 3; n < MANY; n++)
        CHECK_EQ(dup(0), n);
    CHECK_EQ(close_range(3, ~0u, 0), 0);
}

// All that the limit says, or many where that is a high one (docs/files.md).
static void all(int from)
{
    struct rlimit l;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &l), 0);
    for (int n = from; n < (l.rlim_cur > 1024 ? MANY : 1024); n++)
        CHECK_EQ(dup(0), n);
}

// A program that is run where the way to it needs a descriptor that there is no room for.
static void run_at_the_edge(void)
{
    char from[16];
    snprintf(from, sizeof from, "%d", used);
    for (int n = 3; n < used; n++)
        CHECK_EQ(dup(0), n);
    execl("/proc/self/exe", "x", "all", from, NULL);
    CHECK(0);
}

static void limit_is_told(void)
{
    struct rlimit before, after;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    many();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
    CHECK_EQ(after.rlim_cur, before.rlim_cur);
    CHECK_EQ(after.rlim_max, before.rlim_max);
    in_child(many);
}

static void limit_of_another(void)
{
    struct rlimit mine, its;
    int status, p[2];
    char c;
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &mine), 0);
    CHECK_EQ(pipe(p), 0);
    pid_t child = OK(fork());
    if (!child) {
        for (int n = 5; n < 400; n++)
            CHECK_EQ(dup(0), n);
        CHECK_EQ(prlimit(getppid(), RLIMIT_NOFILE, NULL, &its), 0);
        CHECK_EQ(its.rlim_cur, mine.rlim_cur);
        CHECK_EQ(write(p[1], "x", 1), 1);
        pause();
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(prlimit(child, RLIMIT_NOFILE, NULL, &its), 0);
    CHECK_EQ(its.rlim_cur, mine.rlim_cur);
    CHECK_EQ(kill(child, SIGKILL), 0);
    CHECK_EQ(waitpid(child, &status, 0), child);
}

static rlim_t to_set;
static void limit_set_by_another(void)
{
    struct rlimit l;
    int status, p[2], q[2];
    char c;
    CHECK(pipe(p) == 0 && pipe(q) == 0);
    pid_t child = OK(fork());
    if (!child) {
        CHECK_EQ(write(p[1], "x", 1), 1);
        CHECK_EQ(read(q[0], &c, 1), 1);
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &l), 0);
        CHECK_EQ(l.rlim_cur, to_set);
        _exit(0);
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(prlimit(child, RLIMIT_NOFILE, NULL, &l), 0);
    l.rlim_cur = to_set;
    CHECK_EQ(prlimit(child, RLIMIT_NOFILE, &l, NULL), 0);
    CHECK_EQ(prlimit(child, RLIMIT_NOFILE, NULL, &l), 0);
    CHECK_EQ(l.rlim_cur, to_set);
    CHECK_EQ(write(q[1], "x", 1), 1);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

static void limit_is_set(void)
{
    struct rlimit lim;
    int p[2];
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &lim), 0);
    lim.rlim_cur = to_set;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &lim), 0);
    CHECK_EQ(lim.rlim_cur, to_set);
    for (int n = 3; n < (int)to_set; n++)
        CHECK_EQ(dup(0), n);
    CHECK_ERR(dup(0), EMFILE);
    CHECK_ERR(eventfd(0, 0), EMFILE);
    CHECK_ERR(pipe(p), EMFILE);
    CHECK_ERR(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_ERR(dup2(0, (int)to_set), EBADF);
}

int main(int argc, char *argv[])
{
    struct rlimit lim;
    if (argc < 3)
        closefrom(3);
    if (argc > 1) {
        argc > 2 ? all(atoi(argv[2])) : many();
        return 0;
    }
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &lim), 0);
    if (lim.rlim_cur < 1024) {
        lim.rlim_cur = 1024;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    }
    void (*const what[])(void) = {
        inotify_is_first, new_file,      asked_for,       asked_for_at_least, polled,
        received,         in_flight,     by_threads,      by_parted_threads,  shared_by_processes,
        spawned,          limit_is_told, limit_of_another};
    for (size_t i = 0; i < sizeof what / sizeof *what; i++)
        in_child(what[i]);
    for (to_set = 64; to_set < 1024; to_set += 4)
        in_child(limit_set_by_another);
    for (call_now = 0; call_now < CALLS; call_now++)
        in_child(by_one_call);
    CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && mkdir("d/e/f", 0755) == 0);
    put_file("d/e/f/g", "g");
    // Where lxcore's own descriptors begin, at first and later.
    for (used = 20; used < 260; used = used == 44 ? 249 : used + 1)
        in_child(beside_paths);
    for (used = 20; used < 260; used = used == 44 ? 240 : used + 1)
        in_child(run_at_the_edge);
    for (to_set = 100; to_set < 1024; to_set += 26)
        in_child(limit_is_set);
    for (to_set = 20; to_set < 110; to_set++)
        in_child(limit_is_set);
    for (to_set = 250; to_set < 360; to_set++)
        in_child(limit_is_set);
    return done();
}
