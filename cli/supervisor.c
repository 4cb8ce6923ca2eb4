// SPDX-License-Identifier: MIT
// Processes that stand behind `lxrun PROGRAM`:
//
//   front       what the caller started and waits for. Passes on signals sent to it, stops when
//               the program stops, ends with its status. In the caller's process group, as the
//               program is, so that the terminal's job control sees one job.
//   supervisor  child of the front. Parent of the program, and of every orphan of the instance
//               (PR_SET_CHILD_SUBREAPER): it stays until the last descendant is gone, then removes
//               the store. Own session, as process 1 has on Linux: signals to the job are not for
//               it, and to the kernel a process group whose other parents have ended is an orphaned
//               one. It holds neither the terminal nor the standard descriptors, so that
//               `lxrun x | cat` ends with x even where x leaves a daemon behind.
//   program     child of the supervisor.
//   rewriter    child of the supervisor, from the first file on that it is asked for (rewriter.c).
//   holders     children of the supervisor, one for each tmpfs with limits (limited.c).
//   tracer      with engine `ptrace` only, child of the front (tracer.c).
//
// Front and supervisor talk over a socket pair: signals to pass on one way, stops and the end the
// other way. Only the supervisor signals the program, because only it knows that its process id is
// still the program's.
#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attrstores.h"
#include "fail.h"
#include "ipcend.h"
#include "limited.h"
#include "rewriter.h"
#include "stats.h"
#include "tracer.h"

struct message {
    // MSG_ALL_ENDED: the program has ended, nothing else is left, and the supervisor ends too.
    enum { MSG_SIGNAL, MSG_STOPPED, MSG_ENDED, MSG_ALL_ENDED } type;
    int value; // signal, signal, exit status
};

static void set_all(sigset_t *set)
{
    sigfillset(set);
    // Faults of our own must kill, not wait in a signalfd.
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};
    for (size_t i = 0; i < ARRAY_LEN(faults); i++)
        sigdelset(set, faults[i]);
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

// Closes every descriptor but the n given ones (-1: none), which may move; the null device takes
// the numbers 0, 1 and 2.
static void keep_only(int **keep, int n)
{
    int sorted[8], next = 3;
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < n; i++) {
        if (*keep[i] >= 0 && *keep[i] < 3)
            *keep[i] = fcntl(*keep[i], F_DUPFD_CLOEXEC, 3);
        sorted[i] = *keep[i];
    }
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    qsort(sorted, (size_t)n, sizeof *sorted, compare);
    for (int i = 0; i < n; i++) {
        for (; next < sorted[i]; next++)
            close(next);
        if (sorted[i] >= 0)
            next = sorted[i] + 1;
    }
    closefrom(next); // Linux before 5.9 has no close_range
}

// ---- Waiting ----
//
// Nearly all the time front and supervisor wait, and need none of their code and tables for it. So
// these leave the process's memory before a long wait; what is used again comes back from the page
// cache.

#define WAIT_PAGE 4096
#define SOON 1000 // ms: after so long a time without an event the next may be far off

struct range {
    uintptr_t start;
    size_t size;
};
static struct {
    struct range range[10];
    int count;
    struct range written; // the part of the file that may be written to, in whole pages
    bool waited;
} forget;

// The whole pages of it.
static void forget_range(uintptr_t start, uintptr_t end)
{
    start = (start + WAIT_PAGE - 1) & ~(uintptr_t)(WAIT_PAGE - 1);
    end &= ~(uintptr_t)(WAIT_PAGE - 1);
    if (start < end && forget.count < (int)ARRAY_LEN(forget.range))
        forget.range[forget.count++] = (struct range){start, end - start};
}

static int forget_segments(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && !(p->p_flags & PF_W)) // no other has a part of their pages
            forget_range(start - start % WAIT_PAGE, start + p->p_memsz + WAIT_PAGE - 1);
        else if (p->p_type == PT_LOAD)
            forget.written =
                (struct range){start - start % WAIT_PAGE, start % WAIT_PAGE + p->p_filesz};
    }
    return 0;
}

static inline long raw_call(long nr, long a, long b, long c)
{
    __asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return nr;
}

// Of what may be written to, the pages that are the file's own still: most are constants with
// addresses in them, which lie around what libc writes to. They come back from the file.
static void forget_unwritten(void)
{
    enum { CHUNK = 256 };
    uint64_t page[CHUNK]; // Documentation/admin-guide/mm/pagemap.rst
    const uint64_t file_page = 1UL << 61;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uintptr_t at = forget.written.start, end = at + forget.written.size;
    for (ssize_t n; fd >= 0 && at < end; at += (uintptr_t)n * WAIT_PAGE) {
        n = pread(fd, page, sizeof page, (off_t)(at / WAIT_PAGE * sizeof *page));
        n = MIN(n / (ssize_t)sizeof *page, (ssize_t)((end - at + WAIT_PAGE - 1) / WAIT_PAGE));
        if (n <= 0)
            break;
        for (ssize_t i = 0, first; i < n; i++) {
            for (first = i; i < n && (page[i] & file_page);)
                i++;
            if (i > first)
                madvise((void *)(at + (uintptr_t)first * WAIT_PAGE),
                        (size_t)(i - first) * WAIT_PAGE, MADV_DONTNEED);
        }
    }
    if (fd >= 0)
        close(fd);
}

// Calls no function after the first range is gone: the page that it stands in is all it needs.
__attribute__((noinline, aligned(WAIT_PAGE), section(".text.waiting"))) static long
forget_and_wait(struct pollfd *fds, int n)
{
    for (int i = 0; i < forget.count; i++)
        raw_call(SYS_madvise, (long)forget.range[i].start, (long)forget.range[i].size,
                 MADV_DONTNEED);
    return raw_call(SYS_poll, (long)fds, n, -1);
}

// What is read-only, the instance's memory, what only the program's start needs, and the stack that
// the start has used. `frame` is that of the caller, who waits a few frames below.
static void prepare_to_wait(struct launch *l, uintptr_t frame)
{
    dl_iterate_phdr(forget_segments, NULL);
    forget_range((uintptr_t)l->memory, (uintptr_t)(l->memory + 1));
    forget_range((uintptr_t)&l->first, (uintptr_t)(&l->first + 1));
    forget_range(frame - (256 << 10), frame - WAIT_PAGE);
    // A mapping of its own, or the kernel would map what lies around it, too.
    madvise((void *)forget_and_wait, WAIT_PAGE, MADV_RANDOM);
}

// poll() without an end. False: that failed; a signal may end it, too.
static bool wait_for(struct pollfd *fds, int n)
{
    long r = forget.waited ? poll(fds, (nfds_t)n, SOON) : 0;
    if (r < 0)
        return errno == EINTR;
    forget.waited = true;
    if (r == 0) {
        forget_unwritten();
        r = forget_and_wait(fds, n);
    }
    return r >= 0 || r == -EINTR;
}

// ---- The supervisor ----

struct supervisor {
    pid_t program; // 0: has ended
    int status;    // how, as an exit status; -1: the front knows
    bool stopped;
    pid_t front_pid;
    int front;
};

static void tell(const struct supervisor *s, int type, int value)
{
    struct message m = {type, value};
    send(s->front, &m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// The front stopped with the program. If it goes on without the front's doing, the front follows.
static void wake_front(const struct supervisor *s)
{
    if (s->stopped && getppid() == s->front_pid)
        kill(s->front_pid, SIGCONT);
}

static void tell_end(struct supervisor *s, int type)
{
    if (!s->program && s->status >= 0)
        tell(s, type, s->status);
    s->status = -1;
}

// A process is waited for: its record goes, unless the host has given its number to another by now.
static void forget_record(struct instance *in, pid_t pid)
{
    struct proc_slot *s = proc_slot_of(in, (u32)pid);
    u64 head = s ? __atomic_load_n(&s->head, __ATOMIC_ACQUIRE) : 0;
    if ((u32)head == (u32)pid && kill(pid, 0) && errno == ESRCH)
        proc_free(in, s, head, (u32)pid);
}

// Takes in all that changed below us. False when there are no descendants any more.
static bool reap(struct supervisor *s, struct instance *in)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL)) > 0) {
        if (WIFEXITED(status) || WIFSIGNALED(status))
            forget_record(in, pid);
        if (pid != s->program)
            continue;
        if (!WIFSTOPPED(status))
            wake_front(s);
        s->stopped = WIFSTOPPED(status);
        if (WIFSTOPPED(status)) {
            tell(s, MSG_STOPPED, WSTOPSIG(status));
        } else if (!WIFCONTINUED(status)) {
            s->program = 0;
            s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
    }
    if (pid == 0 && !s->program)
        tell_end(s, MSG_ENDED);
    return pid == 0 && !limited_alone();
}

// A message from the front. False when it is gone.
static bool obey(struct supervisor *s)
{
    struct message m;
    ssize_t n = recv(s->front, &m, sizeof m, MSG_DONTWAIT);
    if (n == sizeof m && s->program && !(m.value == SIGCONT && !s->stopped))
        kill(s->program, m.value);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static _Noreturn void run_supervisor(struct supervisor *s, int signals, struct launch *l)
{
    struct pollfd fds[3] = {{.fd = signals, .events = POLLIN},
                            {.fd = s->front, .events = POLLIN},
                            {.fd = l->requests_fd, .events = POLLIN}};
    while (reap(s, l->memory)) {
        struct signalfd_siginfo info;
        if (!wait_for(fds, 3))
            break;
        if (fds[2].revents) {
            // The first file to be rewritten, or nobody is left to ask for one.
            if (fds[2].revents & POLLIN)
                rewriter_start(l, l->requests_fd);
            close(l->requests_fd);
            fds[2].fd = -1;
            fds[2].revents = 0;
        }
        if (fds[0].revents) {
            while (read(fds[0].fd, &info, sizeof info) > 0)
                ; // SIGCHLD leads to reap(), SIGUSR1 is a guest's request; no other is for us
            limited_serve(l);
        }
        if (fds[1].revents && !obey(s)) {
            // Killed by SIGKILL, the one signal that cannot be passed on: the program goes too.
            if (s->program)
                kill(s->program, SIGKILL);
            fds[1].fd = -1;
        }
    }
    limited_end();
    attrstore_end(l);
    ipc_end(l->memory);
    store_remove(&l->shm);
    store_remove(&l->store);
    tell_end(s, MSG_ALL_ENDED);
    _exit(0);
}

// ---- The front ----

struct front {
    int supervisor, signals;
    pid_t supervisor_pid;
    struct tracer tracer;
    int say; // standard error; -1: there is none
};

static void pass_on(int supervisor, int sig)
{
    struct message m = {MSG_SIGNAL, sig};
    send(supervisor, &m, sizeof m, MSG_NOSIGNAL);
}

// Does to ourselves what happened to the program, then sets it going again.
static void stop(int supervisor, int sig)
{
    sigset_t one, all;
    set_all(&all);
    sigemptyset(&one);
    sigaddset(&one, sig);
    signal(sig, SIG_DFL);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &one, NULL); // stops here (SIGSTOP: in raise)
    sigprocmask(SIG_SETMASK, &all, NULL);
    pass_on(supervisor, SIGCONT);
}

// The program has ended: was it because of the tracer? A tracer that dies before its last tracee
// takes all of them along. Its descriptors are closed before that (kernel/exit.c: do_exit), so its
// end of the pipe tells.
static bool ended_with_tracer(const struct front *f)
{
    struct pollfd alive = {.fd = f->tracer.alive};
    int status;
    if (!f->tracer.pid || poll(&alive, 1, 0) != 1 ||
        waitpid(f->tracer.pid, &status, 0) != f->tracer.pid || !status)
        return false;
    dprintf(f->say, "lxrun: the tracer was killed, and the program with it\n");
    return true;
}

static int run_front(struct front *f)
{
    struct pollfd fds[2] = {{.fd = f->signals, .events = POLLIN},
                            {.fd = f->supervisor, .events = POLLIN}};
    for (;;) {
        struct signalfd_siginfo info;
        struct message m;
        if (!wait_for(fds, 2))
            return EXIT_LXRUN;
        // The terminal's own signals reach the program without us: the kernel sends those
        // (code > 0) to the whole process group. SIGCHLD is about the supervisor.
        while (fds[0].revents && read(f->signals, &info, sizeof info) == sizeof info)
            if (info.ssi_signo != SIGCHLD && info.ssi_code <= 0)
                pass_on(f->supervisor, (int)info.ssi_signo);
        if (!fds[1].revents)
            continue;
        ssize_t n = recv(f->supervisor, &m, sizeof m, MSG_DONTWAIT);
        if (n == sizeof m && m.type == MSG_STOPPED) {
            stop(f->supervisor, m.value);
        } else if (n == sizeof m) {
            if (ended_with_tracer(f))
                return EXIT_LXRUN;
            if (m.type == MSG_ALL_ENDED) { // not every init takes in what others leave
                waitpid(f->supervisor_pid, NULL, 0);
                if (f->tracer.pid)
                    waitpid(f->tracer.pid, NULL, 0);
            }
            return m.value;
        } else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            dprintf(f->say, "lxrun: the supervisor was killed\n");
            return EXIT_LXRUN;
        }
    }
}

int supervise(struct launch *l)
{
    int pair[2];
    sigset_t all, old;
    struct sigaction old_chld, dfl = {.sa_handler = SIG_DFL};
    set_all(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    sigaction(SIGCHLD, &dfl, &old_chld); // ignored, it would take our children's status away
    int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        fail_errno("cannot start the supervisor");

    struct front f = {.supervisor = pair[0], .signals = signals, .tracer.alive = -1, .say = -1};
    if (l->memory->engine == ENGINE_PTRACE)
        tracer_start(&f.tracer, l->memory);
    f.say = fcntl(2, F_DUPFD_CLOEXEC, 3);
    pid_t front = getpid();
    prepare_to_wait(l, (uintptr_t)__builtin_frame_address(0));
    f.supervisor_pid = fork();
    if (f.supervisor_pid < 0)
        fail_errno("fork");
    fail_hook = NULL; // the store is the supervisor's now
    if (f.supervisor_pid > 0) {
        keep_only((int *[]){&f.supervisor, &f.signals, &f.tracer.alive, &f.say}, 4);
        int status = run_front(&f);
        FILE *say = l->options->stats ? fdopen(f.say, "w") : NULL;
        if (say) {
            stats_print(l->memory, say);
            fclose(say);
        }
        return status;
    }

    struct supervisor s = {.front = pair[1], .front_pid = front};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    l->memory->supervisor = (u32)getpid();
    s.program = fork();
    if (s.program == 0) {
        sigaction(SIGCHLD, &old_chld, NULL);
        if (f.tracer.pid)
            tracer_join(&f.tracer);
        sigprocmask(SIG_SETMASK, &old, NULL);
        launch_exec(l);
    }
    if (s.program < 0) {
        s.program = 0;
        s.status = EXIT_LXRUN;
    }
    setsid();
    if (chdir("/"))
        _exit(EXIT_LXRUN);
    prctl(PR_SET_NAME, "lxrun-super");
    l->store.fd = l->shm.fd = -1;
    if (!l->options->root)
        l->mount_fd[0] = -1; // only a root of the instance's own is warmed
    keep_only((int *[]){&s.front, &signals, &l->store.lock, &l->shm.lock, &l->cache_fd,
                        &l->requests_fd, &l->mount_fd[0], &l->attrstore_fd},
              8);
    run_supervisor(&s, signals, l);
}
