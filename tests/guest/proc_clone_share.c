// SPDX-License-Identifier: MIT
// clone without CLONE_THREAD, flag by flag: CLONE_VM shares memory, CLONE_FILES descriptors,
// CLONE_FS cwd and umask, CLONE_SIGHAND handlers; without the flag each is a copy. CLONE_PARENT
// makes a sibling; no exit signal needs __WCLONE or __WALL to wait.
// covers: clone, wait4, chdir, umask, close
#include "clone.h"

static volatile int memory;
static int fd;

static void handler(int sig)
{
    (void)sig;
}

static int change(void *arg)
{
    (void)arg;
    memory++;
    if (close(fd) || chdir("sub") || signal(SIGUSR1, handler) == SIG_ERR)
        return 1;
    umask(077);
    return 42;
}

static void reset(void)
{
    memory = 0;
    fd = OK(open("/dev/null", O_RDONLY));
    signal(SIGUSR1, SIG_DFL);
    umask(022);
}

// What of the child's changes reached the parent.
static void try(const char *name, unsigned long flags)
{
    static char *stack;
    int files, fs, hand;
    pid_t pid;

    if (!stack)
        stack = new_stack(65536);
    reset();
    pid = clone_call(flags, stack + 65536, NULL, NULL, NULL, change, NULL);
    CHECK(pid > 0);
    CHECK_EQ(exit_code(pid), 42);
    files = fcntl(fd, F_GETFD) < 0;
    fs = access("sub", F_OK) != 0;
    CHECK_EQ(umask(022), fs ? 077 : 022);
    hand = signal(SIGUSR1, SIG_DFL) == handler;
    printf("%s:%s%s%s%s\n", name, memory ? " memory" : "", files ? " files" : "", fs ? " fs" : "",
           hand ? " handlers" : "");
    if (fs)
        CHECK(chdir("..") == 0);
    close(fd);
}

static int sibling(void *arg)
{
    return getppid() == *(pid_t *)arg ? 3 : 4;
}

static int make_sibling(void *arg)
{
    char *stack = new_stack(65536);

    // Their common parent reaps it.
    return clone_call(CLONE_PARENT | SIGCHLD, stack + 65536, NULL, NULL, NULL, sibling, arg) > 0
               ? 5
               : 6;
}

static int nothing(void *arg)
{
    (void)arg;
    return 9;
}

int main(void)
{
    pid_t me = getpid(), pid;
    int st, seen[2] = {0, 0};

    CHECK(mkdir("sub", 0755) == 0);
    try("SIGCHLD", SIGCHLD);
    try("VM", CLONE_VM | SIGCHLD);
    try("VM VFORK", CLONE_VM | CLONE_VFORK | SIGCHLD);
    try("FILES", CLONE_FILES | SIGCHLD);
    try("FS", CLONE_FS | SIGCHLD);
    try("VM SIGHAND", CLONE_VM | CLONE_SIGHAND | SIGCHLD);
    try("VM FS FILES SIGHAND", CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD);
    try("VFORK", CLONE_VFORK | SIGCHLD);
    try("IO SYSVSEM", CLONE_IO | CLONE_SYSVSEM | SIGCHLD);
    try("VM, no signal", CLONE_VM);
    try("VM, SIGURG", CLONE_VM | SIGURG);
    try("UNTRACED DETACHED", CLONE_UNTRACED | CLONE_DETACHED | SIGCHLD);

    pid = clone_call(CLONE_VM, new_stack(65536) + 65536, NULL, NULL, NULL, nothing, NULL);
    CHECK(pid > 0);
    CHECK_ERR(waitpid(pid, &st, 0), ECHILD);
    CHECK(waitpid(pid, &st, __WCLONE) == pid && st == 9 << 8);

    pid = clone_call(SIGCHLD, NULL, NULL, NULL, NULL, make_sibling, &me);
    CHECK(pid > 0);
    for (int i = 0; i < 2; i++) {
        pid_t got = waitpid(-1, &st, 0);

        CHECK(got > 0 && WIFEXITED(st));
        seen[got == pid] = WEXITSTATUS(st);
    }
    CHECK(seen[0] == 3 && seen[1] == 5);
    return done();
}
