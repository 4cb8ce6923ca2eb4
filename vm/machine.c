// SPDX-License-Identifier: MIT
// What both kinds of machine need (machine.h).
#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
    va_list ap;
    va_start(ap, format);
    char *text = must_vformat(format, ap);
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

#define TRAILER "TRAILER!!!"

// Of a cut archive the kernel unpacks what is there, and what is missing shows much later.
static bool ends_by_trailer(int fd)
{
    char end[512];
    off_t size = lseek(fd, 0, SEEK_END),
          from = size > (off_t)sizeof end ? size - (off_t)sizeof end : 0;
    ssize_t n = pread(fd, end, sizeof end, from);
    return n > 0 && memmem(end, (size_t)n, TRAILER, strlen(TRAILER));
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
        entry(fd, TRAILER, 0, 0, 0);
    else if (!append_file(fd, modules)) // has a trailer of its own
        fail_errno("cannot read %s", modules);
    else if (!ends_by_trailer(fd))
        fail("%s is cut: scripts/vm-kernel.py makes it anew when it is removed", modules);
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
    w->word[w->n++] = must_vformat(format, ap);
    va_end(ap);
    w->word[w->n] = NULL;
}

char *words_escape(const char *text, char what, char with)
{
    char *out = must_alloc(strlen(text) * 2 + 1), *p = out;
    for (; *text; text++) {
        if (*text == what)
            *p++ = with;
        *p++ = *text;
    }
    return out;
}

void words_add_bind(struct words *w, const char *directory)
{
    char *path = words_escape(directory, ':', '\\');
    words_add(w, "-b");
    words_add(w, "%s:%s", path, path);
    free(path);
}

static pid_t tracer; // of a machine that was started held; 0: there is none

pid_t words_run(const struct words *w, int log, const int *keep, size_t nkeep, bool held)
{
    pid_t keeper = getpid(), pid = held ? fork_traced(log) : fork();
    tracer = held ? pid : 0;
    if (pid)
        return pid;
    if (!held) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != keeper)
            _exit(EXIT_LXRUN);
        setpgid(0, 0);
    }
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

// Of a process that is killed: until its memory and its files are let go. Its number may be
// somebody else's by now.
static void await(pid_t pid, void *group)
{
    struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    while (p.fd < 0 && errno == ENOSYS && getpgid(pid) == *(pid_t *)group) // before Linux 5.3
        usleep(1000);
    while (p.fd >= 0 && getpgid(pid) == *(pid_t *)group && poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    if (p.fd >= 0)
        close(p.fd);
}

void words_end(pid_t pid)
{
    if (pid == tracer) {
        kill(pid, SIGTERM);
    } else {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
        // A QEMU that runs under lxrun is no child of ours, and has its image locked until it ends.
        // No process of the group begins another any more.
        group_each(pid, await, &pid);
    }
    waitpid(pid, NULL, 0);
}
