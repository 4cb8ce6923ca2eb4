// SPDX-License-Identifier: MIT
// killer N COMMAND...: runs the command, which says a process number and waits for a byte
// (tests/volfs/crash.c). That process is killed before the N-th system call after the byte that
// it makes of the host; 0: not at all. Prints how many calls it had begun, and how many steps it
// had said to be done.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "killer: %s: %s\n", what, strerror(errno));
    exit(2);
}

// A file system's time goes in ticks, of up to 10 ms. Two changes on a slow machine have two times:
// so they have here.
static void pause_after(unsigned long long call)
{
    static const unsigned short changes[] = {
        SYS_openat,    SYS_openat2,   SYS_mkdirat, SYS_mknodat,   SYS_linkat, SYS_symlinkat,
        SYS_renameat2, SYS_unlinkat,  SYS_fchmod,  SYS_fchmodat,  452,        SYS_setxattr,
        SYS_lsetxattr, SYS_fsetxattr, 463,         SYS_ftruncate, SYS_write,
    }; // 452: fchmodat2, 463: setxattrat
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (call == changes[i])
            usleep(11000);
}

int main(int argc, char **argv)
{
    int to[2], from[2], status, steps = 0;
    long count = argc > 2 ? atol(argv[1]) : 0, calls = 0;
    char line[32] = "";
    if (argc < 3 || pipe(to) || pipe(from))
        die("usage");
    pid_t command = fork();
    if (!command) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execv(argv[2], argv + 2);
        die(argv[2]);
    }
    close(to[0]);
    close(from[1]);
    for (size_t n = 0; n < sizeof line - 1 && !strchr(line, '\n'); n++)
        if (read(from[0], line + n, 1) != 1)
            die("no process number");
    pid_t pid = (pid_t)atoi(line);
    if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) ||
        ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, __WALL) != pid ||
        write(to[1], "x", 1) != 1)
        die("seize");
    int inside = -1; // in its read(), or on the way back to it
    long deliver = 0;
    while (!ptrace(PTRACE_SYSCALL, pid, 0, deliver) && waitpid(pid, &status, __WALL) == pid &&
           WIFSTOPPED(status)) {
        struct user_regs_struct r;
        deliver = 0;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            if (!(status >> 16))
                deliver = WSTOPSIG(status);
            continue;
        }
        if (ptrace(PTRACE_GETREGS, pid, 0, &r))
            break;
        bool begins = (long)r.rax == -ENOSYS;
        if (inside < 0) { // until the byte is read
            inside = !begins && r.orig_rax == SYS_read && r.rax == 1 ? 0 : -1;
            continue;
        }
        if (!begins) {
            pause_after(r.orig_rax);
            continue;
        }
        calls++;
        if (calls == count) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, __WALL);
            break;
        }
    }
    while (read(from[0], line, 1) == 1)
        steps += *line == '.';
    waitpid(command, &status, 0);
    printf("%ld %d\n", calls, steps);
    return 0;
}
