// SPDX-License-Identifier: MIT
// For the exec tests: the test program itself is what gets executed, under other names. With SHOW
// in its environment it prints what it was started with and exits with 40.
#ifndef GUEST_EXEC_H
#define GUEST_EXEC_H

#include "sig.h"
#include <libgen.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>

// A copy of this program.
static inline void copy_self(const char *to, int mode)
{
    int in = OK(open("/proc/self/exe", O_RDONLY)), out;
    struct stat st;

    out = OK(open(to, O_WRONLY | O_CREAT | O_EXCL, 0600));
    CHECK(fstat(in, &st) == 0);
    for (off_t at = 0; at < st.st_size;)
        CHECK(sendfile(out, in, &at, st.st_size - at) > 0);
    CHECK(fchmod(out, mode) == 0 && close(out) == 0 && close(in) == 0);
}

static inline void put_script(const char *path, const char *text, int mode)
{
    put_file(path, text);
    CHECK(chmod(path, mode) == 0);
}

// First thing in main: what the executed copy does.
static inline void show_and_exit(int argc, char **argv)
{
    char comm[16], exe[4096];
    ssize_t n;

    if (!getenv("SHOW"))
        return;
    CHECK(prctl(PR_GET_NAME, comm) == 0);
    CHECK((n = readlink("/proc/self/exe", exe, sizeof(exe) - 1)) > 0);
    exe[n] = 0;
    printf("  argc %d:", argc);
    for (int i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf(" comm %s exe %s\n", comm, basename(exe));
    fflush(stdout);
    _exit(40);
}

// fork, execveat by fd and flags, or with fd NO_FD execve, and wait: 0 if the program ran and ended
// with 40, else the error of that call.
#define NO_FD (-1000)
static inline int try_exec_at(int fd, const char *path, char *const argv[], int flags)
{
    char *envp[] = {"SHOW=1", NULL};
    int err[2], e = 0, st;
    pid_t pid;

    fflush(stdout);
    CHECK(pipe2(err, O_CLOEXEC) == 0);
    pid = OK(fork());
    if (pid == 0) {
        if (fd == NO_FD)
            execve(path, argv, envp);
        else
            syscall(SYS_execveat, fd, path, argv, envp, flags);
        e = errno;
        CHECK(write(err[1], &e, sizeof(e)) == sizeof(e));
        _exit(41);
    }
    close(err[1]);
    CHECK(read(err[0], &e, sizeof(e)) >= 0);
    close(err[0]);
    CHECK(waitpid(pid, &st, 0) == pid);
    CHECK_EQ(st, (e ? 41 : 40) << 8);
    return e;
}

static inline int try_exec(const char *path, char *const argv[])
{
    return try_exec_at(NO_FD, path, argv, 0);
}

static inline int try_exec1(const char *path)
{
    return try_exec(path, (char *[]){(char *)path, NULL});
}

#endif
