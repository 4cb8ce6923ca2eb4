// SPDX-License-Identifier: MIT
// What both kinds of machine need (machine.h).
#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "place.h"

void setup_add(struct machine *m, const char *format, ...)
{
    char *text;
    va_list ap;
    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        fail("out of memory");
    va_end(ap);
    buffer_string(&m->setup, text);
    free(text);
}

// ---- Kernel and first file system ----

static bool append_file(int to, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && !fstat(fd, &st);
    off_t at = 0;
    while (good && at < st.st_size)
        good = sendfile(to, fd, &at, (size_t)(st.st_size - at)) > 0;
    if (fd >= 0)
        close(fd);
    return good;
}

int memory_copy(const char *name, const char *path)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd >= 0 && append_file(fd, path))
        return fd;
    close(fd);
    return -1;
}

static void pad(int fd)
{
    lseek(fd, 0, SEEK_END);
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (ftruncate(fd, (at + 3) & ~3L))
        fail_errno("cannot write the VM's first file system");
    lseek(fd, 0, SEEK_END);
}

// An entry in cpio's "newc" form; its content follows, then pad().
static void entry(int fd, const char *name, unsigned mode, size_t size, unsigned minor)
{
    static unsigned inode;
    dprintf(fd, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x%s", ++inode, mode, 0,
            0, 1, 0, size, 0, 0, minor ? 5 : 0, minor, strlen(name) + 1, 0, name);
    if (write(fd, "", 1) != 1)
        fail_errno("cannot write the VM's first file system");
    pad(fd);
}

int initrd_make(const char *modules)
{
    struct stat st;
    char *init = place_program("lxinit");
    if (!init || stat(init, &st))
        fail("cannot find lxinit beside lxrun or in ../lib/lxrun");
    int fd = memfd_create("initrd", MFD_CLOEXEC);
    entry(fd, "root", S_IFDIR | 0755, 0, 0);
    entry(fd, "dev", S_IFDIR | 0755, 0, 0);
    entry(fd, "dev/console", S_IFCHR | 0600, 0, 1);
    entry(fd, "init", S_IFREG | 0755, (size_t)st.st_size, 0);
    if (!append_file(fd, init))
        fail_errno("cannot read %s", init);
    pad(fd);
    if (!modules)
        entry(fd, "TRAILER!!!", 0, 0, 0);
    else if (!append_file(fd, modules)) // has a trailer of its own
        fail_errno("cannot read %s", modules);
    free(init);
    return fd;
}

void machine_booted(struct machine *m)
{
    // QEMU keeps both mapped, for a reset, which these machines never have (-no-reboot). Emptied,
    // they are nobody's memory any more.
    for (int *fd = &m->kernel;; fd = &m->initrd) {
        if (*fd >= 0) {
            if (ftruncate(*fd, 0))
                fail_errno("cannot empty a memory file");
            close(*fd);
        }
        *fd = -1;
        if (fd == &m->initrd)
            return;
    }
}

// ---- Starting ----

void words_add(struct words *w, const char *format, ...)
{
    va_list ap;
    w->word = realloc(w->word, (w->n + 2) * sizeof *w->word);
    if (!w->word)
        fail("out of memory");
    va_start(ap, format);
    if (vasprintf(&w->word[w->n++], format, ap) < 0)
        fail("out of memory");
    va_end(ap);
    w->word[w->n] = NULL;
}

static void put(const char *path, const char *format, unsigned id)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    dprintf(fd, format, id, id);
    close(fd);
}

// ---- Without a namespace: a parent that outlives the machine, and kills what is left of it ----

static pid_t sweeper; // that parent; 0: there is none

// Ends all children, and theirs, which become ours when their parents end.
static void kill_children(void)
{
    char path[64], pids[4096];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    for (;;) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, pids, sizeof pids - 1);
        close(fd);
        pids[n > 0 ? n : 0] = 0;
        char *next = pids;
        for (long pid; (pid = strtol(next, &next, 10)) > 0;)
            kill((pid_t)pid, SIGKILL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        if (n <= 0)
            return;
        usleep(1000);
    }
}

// SIGTERM, from the keeper or for its death, ends the machine.
static _Noreturn void sweep(pid_t machine, const sigset_t *ends)
{
    int sig = 0;
    close_range(0, ~0U, 0); // the other end of the machine's channel is to see that it is gone
    while (sig != SIGTERM && waitpid(machine, NULL, WNOHANG) == 0)
        sigwait(ends, &sig);
    kill(machine, SIGKILL);
    kill_children();
    _exit(0);
}

static pid_t fork_swept(void)
{
    pid_t keeper = getpid(), machine;
    sigset_t ends, old;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, &old);
    sweeper = fork();
    if (sweeper) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        return sweeper;
    }
    sweeper = getpid();
    setpgid(0, 0);
    prctl(PR_SET_NAME, "lxrun-sweeper");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != keeper)
        _exit(EXIT_LXRUN);
    machine = fork();
    if (machine)
        sweep(machine, &ends);
    return 0;
}

// fork(), in a pid namespace that ends with the child: by right, in a user namespace of its own, or
// where the host allows neither, with a parent that sees to it.
static pid_t fork_apart(void)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid >= 0)
        return pid;
    pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        put("/proc/thread-self/uid_map", "%u %u 1", uid);
        put("/proc/thread-self/setgroups", "deny", 0);
        put("/proc/thread-self/gid_map", "%u %u 1", gid);
    }
    return pid < 0 ? fork_swept() : pid;
}

pid_t words_run(const struct words *w, int log, const int *keep, size_t nkeep, bool apart)
{
    pid_t keeper = getpid(), pid;
    sweeper = 0;
    pid = apart ? fork_apart() : fork();
    if (pid)
        return pid;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // 0: it is in another pid namespace
    if (getppid() != (sweeper ? sweeper : keeper) && getppid() != 0)
        _exit(EXIT_LXRUN);
    if (!sweeper)
        setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    for (size_t i = 0; i < nkeep; i++)
        if (keep[i] >= 0)
            fcntl(keep[i], F_SETFD, 0);
    execv(w->word[0], w->word);
    dprintf(2, "lxrun: cannot run %s: %s\n", w->word[0], strerror(errno));
    _exit(EXIT_LXRUN);
}

void words_end(pid_t pid)
{
    if (pid == sweeper) {
        kill(pid, SIGTERM);
    } else {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    waitpid(pid, NULL, 0);
}
