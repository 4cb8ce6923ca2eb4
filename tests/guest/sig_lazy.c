// SPDX-License-Identifier: MIT
// Signals from other processes that find a thread computing, with them blocked: a translation layer
// may not have told the kernel. Everything is as if it had: nothing runs, what is pending shows and
// keeps its order and what it said, whoever takes it then: a handler, sigtimedwait, sigsuspend,
// signalfd, the program after execve, a new thread; a fork's child has none of it.
// covers: rt_sigprocmask, rt_sigaction, rt_sigpending, rt_sigtimedwait, rt_sigsuspend, signalfd4
// timeout: 60
#include "sig.h"
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/time.h>

static struct shared {
    atomic_int go, done;
} * shared;

static volatile struct {
    int sig, code, value, mask_has;
} log_[64];
static volatile int n;
static pid_t sender;

static void note(int sig, siginfo_t *si, void *ctx)
{
    log_[n].sig = sig;
    log_[n].code = si->si_code;
    log_[n].value = si->si_code == SI_QUEUE ? si->si_int : 0;
    log_[n].mask_has = sigismember(&((ucontext_t *)ctx)->uc_sigmask, sig);
    n++;
    if (si->si_code == SI_USER || si->si_code == SI_QUEUE || si->si_code == SI_TKILL)
        CHECK(si->si_pid == sender && si->si_uid == getuid());
}

static void show(const char *what)
{
    printf("%s:", what);
    for (int i = 0; i < n; i++) {
        int rt = log_[i].sig >= SIGRTMIN;

        printf(" %s%d", rt ? "RT" : "", rt ? log_[i].sig - SIGRTMIN : log_[i].sig);
        if (log_[i].value)
            printf("=%d", log_[i].value);
        printf("/%d", log_[i].code);
        CHECK(!log_[i].mask_has);
    }
    printf("\n");
    n = 0;
}

// Without a system call.
static void compute_until(atomic_int *word, int value)
{
    while (atomic_load(word) != value)
        __builtin_ia32_pause();
    // What was sent before has come by now, whichever processor we are on.
    for (volatile int i = 0; i < 200000; i++)
        ;
}

// A child runs fn(parent) as soon as the parent computes.
static void from_outside(void (*fn)(pid_t))
{
    pid_t parent = getpid();

    shared->go = shared->done = 0;
    sender = OK(fork());
    if (sender == 0) {
        while (!atomic_load(&shared->go))
            sched_yield();
        fn(parent);
        atomic_store(&shared->done, 1);
        pause();
    }
}

static void compute(void)
{
    atomic_store(&shared->go, 1);
    compute_until(&shared->done, 1);
}

static void end_sender(void)
{
    CHECK(kill(sender, SIGKILL) == 0);
    CHECK(waitpid(sender, NULL, 0) == sender);
}

static void send_usr1(pid_t to)
{
    kill(to, SIGUSR1);
}

static void queue(pid_t to, int sig, int value)
{
    union sigval v = {.sival_int = value};

    CHECK(sigqueue(to, sig, v) == 0);
}

static void send_many(pid_t to)
{
    kill(to, SIGUSR2);
    kill(to, SIGTERM);
    queue(to, SIGUSR1, 1);
    queue(to, SIGUSR1, 2); // dropped
    kill(to, SIGHUP);
    kill(to, SIGUSR1); // dropped
    syscall(SYS_tgkill, to, to, SIGINT);
    syscall(SYS_tgkill, to, to, SIGUSR2); // the thread's own: comes as well
    syscall(SYS_tgkill, to, to, SIGUSR2);
}

static void send_rt(pid_t to)
{
    for (int i = 1; i < 6; i++)
        for (int k = 3; k >= 0; k--)
            queue(to, SIGRTMIN + k, 10 * k + i);
    kill(to, SIGUSR1);
}

static void send_twice(pid_t to)
{
    queue(to, SIGUSR1, 1);
    queue(to, SIGUSR1, 2);
}

static const int sigs[] = {SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGTERM, SIGALRM, 34, 35, 36, 37};

static sigset_t set_of_all(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        sigaddset(&set, sigs[i]);
    return set;
}

static void install(int stacked)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

    if (!stacked)
        sa.sa_mask = set_of_all();
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        CHECK(sigaction(sigs[i], &sa, NULL) == 0);
}

static void block_each(void)
{
    // One by one: some of them may be told the kernel, others not.
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        if (sigs[i] < SIGRTMIN)
            block(sigs[i]);
}

static void unblock_all(void)
{
    sigset_t set = set_of_all();

    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

// One signal, and calls that need no kernel in between.
static void plain(void)
{
    for (int round = 0; round < 20; round++) {
        from_outside(send_usr1);
        block(SIGUSR1);
        getpid();
        if (round & 1)
            block(SIGUSR2);
        compute();
        getpid();
        umask(022);
        CHECK(n == 0 && is_blocked(SIGUSR1));
        if (round & 2)
            CHECK(is_pending(SIGUSR1) && !is_pending(SIGUSR2));
        if (round & 4)
            CHECK(sched_yield() == 0 && n == 0);
        unblock(SIGUSR1);
        CHECK_EQ(n, 1);
        CHECK(!is_pending(SIGUSR1));
        unblock(SIGUSR2);
        CHECK(n == 1 && log_[0].sig == SIGUSR1 && log_[0].code == SI_USER);
        n = 0;
        end_sender();
    }
}

static void order(void)
{
    for (int stacked = 0; stacked < 2; stacked++) {
        install(stacked);
        for (int round = 0; round < 5; round++) {
            from_outside(send_many);
            block_each();
            compute();
            CHECK_EQ(n, 0);
            unblock_all();
            if (round == 0)
                show(stacked ? "stacked" : "one by one");
            CHECK_EQ(n, round ? 6 : 0);
            n = 0;
            end_sender();
            from_outside(send_rt);
            sigset_t set = set_of_all();
            CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
            compute();
            CHECK_EQ(n, 0);
            unblock_all();
            if (round == 0)
                show("real-time");
            n = 0;
            end_sender();
        }
    }
    install(0);
}

// Of two, the first one's value stays, however close the second comes.
static void first_stays(void)
{
    for (int round = 0; round < 300; round++) {
        from_outside(send_twice);
        block(SIGUSR1);
        compute();
        if (round % 3 == 0) {
            siginfo_t si;
            sigset_t set = sigset_of(SIGUSR1);

            CHECK(sigwaitinfo(&set, &si) == SIGUSR1 && si.si_int == 1 && si.si_pid == sender);
            unblock(SIGUSR1);
            CHECK_EQ(n, 0);
        } else {
            unblock(SIGUSR1);
            CHECK(n == 1 && log_[0].value == 1);
        }
        n = 0;
        end_sender();
    }
}

static void *in_thread(void *arg)
{
    CHECK(is_pending(SIGUSR1) == *(int *)arg);
    unblock(SIGUSR1);
    return NULL;
}

static void other_takers(void)
{
    struct signalfd_siginfo rec;
    sigset_t set = sigset_of(SIGUSR1), none = sigset_of(0);
    int yes = 1, fd;
    pthread_t th;
    siginfo_t si;
    pid_t pid;

    from_outside(send_usr1);
    block(SIGUSR1);
    compute();
    CHECK(sigwaitinfo(&set, &si) == SIGUSR1 && si.si_code == SI_USER && si.si_pid == sender);
    unblock(SIGUSR1);
    CHECK_EQ(n, 0);
    end_sender();

    from_outside(send_usr1);
    block(SIGUSR1);
    compute();
    CHECK_ERR(sigsuspend(&none), EINTR);
    CHECK(n == 1 && is_blocked(SIGUSR1));
    unblock(SIGUSR1);
    end_sender();
    n = 0;

    // The child has nothing pending, the parent still has.
    from_outside(send_usr1);
    block(SIGUSR1);
    compute();
    pid = OK(fork());
    if (pid == 0) {
        CHECK(is_blocked(SIGUSR1) && !is_pending(SIGUSR1));
        unblock(SIGUSR1);
        CHECK_EQ(n, 0);
        block(SIGUSR1);
        _exit(0);
    }
    wait_ok(pid);
    CHECK(is_pending(SIGUSR1));
    unblock(SIGUSR1);
    CHECK_EQ(n, 1);
    end_sender();
    n = 0;

    // Over execve it stays.
    pid = OK(fork());
    if (pid == 0) {
        from_outside(send_usr1);
        block(SIGUSR1);
        compute();
        execl("/proc/self/exe", "x", "pending", NULL);
        _exit(9);
    }
    wait_ok(pid);

    // A signalfd.
    pid = OK(fork());
    if (pid == 0) {
        from_outside(send_usr1);
        block(SIGUSR1);
        compute();
        fd = OK(signalfd(-1, &set, SFD_NONBLOCK));
        CHECK_EQ(read(fd, &rec, sizeof(rec)), sizeof(rec));
        CHECK(rec.ssi_signo == SIGUSR1 && rec.ssi_pid == sender && rec.ssi_code == SI_USER);
        unblock(SIGUSR1);
        CHECK_EQ(n, 0);
        end_sender();
        // And with it there from before.
        from_outside(send_usr1);
        block(SIGUSR1);
        compute();
        CHECK_EQ(read(fd, &rec, sizeof(rec)), sizeof(rec));
        CHECK_EQ(rec.ssi_pid, sender);
        end_sender();
        _exit(0);
    }
    wait_ok(pid);

    // A thread that comes later takes what was sent to the process.
    pid = OK(fork());
    if (pid == 0) {
        from_outside(send_usr1);
        block(SIGUSR1);
        compute();
        CHECK(pthread_create(&th, NULL, in_thread, &yes) == 0 && pthread_join(th, NULL) == 0);
        CHECK_EQ(n, 1);
        CHECK(!is_pending(SIGUSR1));
        end_sender();
        _exit(0);
    }
    wait_ok(pid);
}

// Changes of the action while it is blocked, before and after the signal.
static void actions(void)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};

    for (int when = 0; when < 2; when++) {
        from_outside(send_usr1);
        block(SIGUSR1);
        if (when)
            compute();
        signal(SIGUSR1, SIG_DFL); // does not kill: it is blocked
        if (!when)
            compute();
        CHECK(is_pending(SIGUSR1));
        CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
        unblock(SIGUSR1);
        CHECK_EQ(n, 1);
        n = 0;
        end_sender();

        from_outside(send_usr1);
        block(SIGUSR1);
        if (when)
            compute();
        signal(SIGUSR1, SIG_IGN); // throws away what is there
        if (!when)
            compute();
        CHECK(is_pending(SIGUSR1) == !when);
        CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
        unblock(SIGUSR1);
        CHECK_EQ(n, !when);
        n = 0;
        end_sender();
    }
    install(0);
}

static void divide(void)
{
    volatile int zero = 0;

    catch_info(SIGFPE, note, 0);
    block(SIGFPE);
    zero = 7 / zero;
}

static volatile int stops;

static void on_stop(int sig)
{
    (void)sig;
    stops++;
}

static void send_stop_cont(pid_t to)
{
    kill(to, SIGTSTP);
    kill(to, SIGCONT);
}

// SIGCONT takes a pending stop signal away.
static void job_control(void)
{
    signal(SIGTSTP, on_stop);
    signal(SIGCONT, SIG_DFL);
    from_outside(send_stop_cont);
    block(SIGTSTP);
    compute();
    unblock(SIGTSTP);
    CHECK_EQ(stops, 0);
    end_sender();
    signal(SIGTSTP, SIG_DFL);
}

// Expirations of an interval timer while its signal is blocked come to one.
static void timers(void)
{
    struct itimerval it = {{0, 2000}, {0, 2000}}, none = {{0, 0}, {0, 0}};

    block(SIGALRM);
    alarm(1);
    alarm(0);
    CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
    block(SIGUSR1);
    for (int i = 0; i < 20; i++)
        compute_until(&shared->done, shared->done);
    struct timespec ts, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    do {
        clock_gettime(CLOCK_MONOTONIC, &ts);
    } while ((ts.tv_sec - end.tv_sec) * 1000000000l + ts.tv_nsec - end.tv_nsec < 30000000);
    CHECK(setitimer(ITIMER_REAL, &none, NULL) == 0);
    unblock(SIGUSR1);
    unblock(SIGALRM);
    CHECK_EQ(n, 1);
    n = 0;
}

int main(int argc, char **argv)
{
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    (void)argv;
    if (argc > 1) {
        siginfo_t si;
        sigset_t set = sigset_of(SIGUSR1);

        CHECK(is_blocked(SIGUSR1) && is_pending(SIGUSR1));
        CHECK(sigwaitinfo(&set, &si) == SIGUSR1 && si.si_code == SI_USER);
        CHECK(kill(si.si_pid, SIGKILL) == 0); // the sender, a child of before
        CHECK(waitpid(si.si_pid, NULL, 0) == si.si_pid);
        return 0;
    }
    install(0);
    plain();
    order();
    first_stays();
    other_takers();
    actions();
    CHECK(WTERMSIG(status_of(divide)) == SIGFPE);
    job_control();
    timers();
    return done();
}
