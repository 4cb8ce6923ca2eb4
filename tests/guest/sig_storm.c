// SPDX-License-Identifier: MIT
// 100,000 signals to 8 threads that make many different calls: no call returns anything wrong, no
// real-time signal is lost, doubled or out of order, and SIGSYS (sent as an ordinary signal, while
// a translation layer may live on it) is one signal among the others.
// covers: tgkill, rt_tgsigqueueinfo, rt_sigqueueinfo, rt_sigaction, rt_sigreturn
// timeout: 300
// trap: slow ptrace: a minute and more, for eight threads that do nothing but calls
#include "sig.h"
#include <poll.h>
#include <sys/mman.h>

#define THREADS 8
#define ROUNDS 2500 // of 5 signals to each thread

static struct thread {
    pid_t tid;
    pthread_t th;
    atomic_long usr, sys, rt[2], rt_sum[2];
    volatile long last[2];
    long calls;
} threads[THREADS];
static _Thread_local struct thread *self;
static atomic_long group_count, group_sum;
static atomic_int ready, stop;
static pid_t parent;

static void on_plain(int sig, siginfo_t *si, void *ctx)
{
    (void)ctx;
    CHECK_EQ(si->si_code, SI_TKILL);
    CHECK_EQ(si->si_pid, getpid());
    CHECK_EQ(si->si_signo, sig);
    atomic_fetch_add(sig == SIGSYS ? &self->sys : &self->usr, 1);
    CHECK_EQ(getppid(), parent);
}

// Values rise by one from each sender to each thread and number.
static void on_queued(int sig, siginfo_t *si, void *ctx)
{
    int k = sig - SIGRTMIN;

    (void)ctx;
    CHECK_EQ(si->si_code, SI_QUEUE);
    CHECK_EQ(si->si_int, self->last[k] + 1);
    self->last[k] = si->si_int;
    atomic_fetch_add(&self->rt[k], 1);
    atomic_fetch_add(&self->rt_sum[k], si->si_int);
}

static void on_group(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)ctx;
    CHECK_EQ(si->si_code, SI_QUEUE);
    atomic_fetch_add(&group_count, 1);
    atomic_fetch_add(&group_sum, si->si_int);
}

static void calls(int fd, const int *p)
{
    char buf[256], cwd[4096];
    struct stat st;
    struct pollfd pfd = {p[0], POLLIN, 0};
    long n = self->calls++, got = 0;
    char *page;

    CHECK_EQ(getppid(), parent);
    CHECK_EQ(tid(), self->tid);
    CHECK_EQ(pwrite(fd, &n, 8, n % 100 * 8), 8);
    CHECK_EQ(pread(fd, &got, 8, n % 100 * 8), 8);
    CHECK_EQ(got, n);
    CHECK(fstat(fd, &st) == 0 && st.st_size >= 8 && st.st_size <= 800);
    memset(buf, (int)n, 200);
    CHECK_EQ(write(p[1], buf, 200), 200);
    CHECK(poll(&pfd, 1, 0) == 1 && pfd.revents == POLLIN);
    memset(buf, 0, sizeof(buf));
    CHECK_EQ(read(p[0], buf, 256), 200);
    CHECK(buf[0] == (char)n && buf[199] == (char)n && buf[200] == 0);
    CHECK_ERR(open("absent", O_RDONLY), ENOENT);
    CHECK_ERR(syscall(SYS_read, fd, 8, 8), EFAULT);
    CHECK_ERR(close(-1), EBADF);
    CHECK(getcwd(cwd, sizeof(cwd)) == cwd && cwd[0] == '/');
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    page[4096] = 1;
    CHECK_EQ(munmap(page, 8192), 0);
    if (n % 16 == 0) {
        struct timespec ts = {0, 20000};

        while (nanosleep(&ts, &ts) != 0)
            CHECK_EQ(errno, EINTR);
        CHECK(close(OK(dup(fd))) == 0);
    }
}

static void *work(void *arg)
{
    char name[16];
    int p[2], fd;

    self = arg;
    self->tid = tid();
    snprintf(name, sizeof(name), "f%d", (int)(self - threads));
    fd = OK(open(name, O_RDWR | O_CREAT, 0600));
    CHECK(pipe(p) == 0);
    atomic_fetch_add(&ready, 1);
    sigset_t all;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &all, NULL) == 0);
    while (!stop)
        calls(fd, p);
    return NULL;
}

// How many queued ones have arrived. Where the user's queue is full, sigqueue fails and plain
// signals come without a sender: the storm stays well below.
static long arrived(void)
{
    long n = group_count;

    for (int i = 0; i < THREADS; i++)
        n += threads[i].rt[0] + threads[i].rt[1];
    return n;
}

static void queue(pid_t to, int sig, int value)
{
    siginfo_t si = {.si_signo = sig, .si_code = SI_QUEUE};

    si.si_pid = getpid();
    si.si_uid = getuid();
    si.si_int = value;
    while ((to ? syscall(SYS_rt_tgsigqueueinfo, getpid(), to, sig, &si)
               : syscall(SYS_rt_sigqueueinfo, getpid(), sig, &si)) != 0) {
        CHECK_EQ(errno, EAGAIN); // the queue is full
        sleep_us(1000);
    }
}

int main(void)
{
    sigset_t all;
    long sum = ROUNDS * (ROUNDS + 1l) / 2;

    parent = getppid();
    catch_info(SIGUSR1, on_plain, SA_RESTART);
    catch_info(SIGSYS, on_plain, SA_RESTART);
    catch_info(SIGRTMIN, on_queued, SA_RESTART);
    catch_info(SIGRTMIN + 1, on_queued, SA_RESTART);
    catch_info(SIGRTMIN + 2, on_group, SA_RESTART);
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i].th, NULL, work, &threads[i]) == 0);
    while (ready < THREADS)
        sched_yield();
    for (int n = 1; n <= ROUNDS; n++) {
        while ((n - 1) * THREADS * 3 - arrived() > 1000)
            sleep_us(100);
        for (int i = 0; i < THREADS; i++) {
            CHECK(syscall(SYS_tgkill, getpid(), threads[i].tid, SIGUSR1) == 0);
            queue(threads[i].tid, SIGRTMIN, n);
            CHECK(syscall(SYS_tgkill, getpid(), threads[i].tid, SIGSYS) == 0);
            queue(threads[i].tid, SIGRTMIN + 1, n);
            queue(0, SIGRTMIN + 2, n);
        }
    }
    for (int i = 0; i < THREADS; i++)
        while (threads[i].rt[0] < ROUNDS || threads[i].rt[1] < ROUNDS)
            sleep_us(1000);
    while (group_count < ROUNDS * THREADS)
        sleep_us(1000);
    stop = 1;
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i].th, NULL) == 0);
        for (int k = 0; k < 2; k++) {
            CHECK_EQ(threads[i].rt[k], ROUNDS);
            CHECK_EQ(threads[i].rt_sum[k], sum);
        }
        CHECK(threads[i].usr > 0 && threads[i].usr <= ROUNDS);
        CHECK(threads[i].sys > 0 && threads[i].sys <= ROUNDS);
        CHECK(threads[i].calls > 0);
    }
    CHECK_EQ(group_count, ROUNDS * THREADS);
    CHECK_EQ(group_sum, sum * THREADS);
    return done();
}
