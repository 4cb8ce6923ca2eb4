// SPDX-License-Identifier: MIT
// Who learns that a process has come past the point of no return of its execve, by vfork's return
// or by close-on-exec, sees the new program in /proc.
// covers: execve, vfork
// timeout: 60
#include "check.h"
#include "exec.h"
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>

// Linux has no arguments for a moment, neither's: the descriptors are closed before the new ones
// are known (begin_new_exec(), create_elf_tables()).
static void expect(pid_t pid, const char *file, const char *what)
{
    char path[64], text[4096];
    ssize_t n;
    sprintf(path, "/proc/%d/%s", pid, file);
    do {
        int fd = OK(open(path, O_RDONLY));
        n = OK(read(fd, text, sizeof text - 1));
        close(fd);
    } while (!n);
    text[n] = 0;
    if (!strstr(text, what))
        printf("%s: %.40s\n", file, text), exit(1);
}

static void look(pid_t pid, bool by_spawn)
{
    char path[64], exe[PATH_MAX], own[PATH_MAX];
    sprintf(path, "/proc/%d/exe", pid);
    ssize_t n = OK(readlink(path, exe, sizeof exe - 1));
    exe[n] = 0;
    n = OK(readlink("/proc/self/exe", own, sizeof own - 1));
    own[n] = 0;
    CHECK(strstr(exe, "other-name"));
    expect(pid, "comm", "other-name");
    expect(pid, "stat", "(other-name)");
    expect(pid, "status", "other-name");
    if (!by_spawn) // Linux too says it some time after vfork has returned
        expect(pid, "cmdline", "waiting");
    CHECK(!strstr(own, "other-name"));
}

// The program waits for the end of what it has as standard input.
static pid_t begin(bool by_spawn, int input)
{
    char *argv[] = {"waiting", "wait", NULL};
    int done[2];
    char c;
    pid_t pid;

    if (by_spawn) {
        posix_spawn_file_actions_t actions;
        CHECK(!posix_spawn_file_actions_init(&actions));
        CHECK(!posix_spawn_file_actions_adddup2(&actions, input, 0));
        CHECK_EQ(posix_spawn(&pid, "./other-name", &actions, NULL, argv, NULL), 0);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
    }
    OK(pipe2(done, O_CLOEXEC));
    pid = OK(fork());
    if (!pid) {
        dup2(input, 0);
        execv("./other-name", argv);
        _exit(1);
    }
    close(done[1]);
    CHECK_EQ(read(done[0], &c, 1), 0);
    close(done[0]);
    return pid;
}

int main(int argc, char **argv __attribute__((unused)))
{
    char c;
    int hold[2], status;

    if (argc > 1)
        return read(0, &c, 1) != 0;

    copy_self("other-name", 0755);
    for (int i = 0; i < 200; i++) {
        OK(pipe2(hold, O_CLOEXEC));
        pid_t pid = begin(i % 2, hold[0]);
        look(pid, i % 2);
        close(hold[1]);
        close(hold[0]);
        CHECK(OK(waitpid(pid, &status, 0)) == pid && status == 0);
    }
    return 0;
}
