// SPDX-License-Identifier: MIT
// posix_spawn (clone with CLONE_VM | CLONE_VFORK): file actions, attributes, errors of execve come
// back as its result, from several threads at once.
// covers: clone, clone3, execve, rt_sigprocmask, setpgid
#include "exec.h"
#include <spawn.h>

extern char **environ;
static char *self;

static int status(pid_t pid)
{
    int st;

    CHECK(waitpid(pid, &st, 0) == pid);
    return st;
}

static void *many(void *arg)
{
    char *args[] = {self, "exit", "9", NULL};
    pid_t pid;

    for (int i = 0; i < 20; i++) {
        CHECK(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, args, environ) == 0);
        CHECK_EQ(status(pid), 9 << 8);
        CHECK_EQ(posix_spawn(&pid, "./absent", NULL, NULL, args, environ), ENOENT);
    }
    return arg;
}

int main(int argc, char **argv)
{
    char *args[] = {argv[0], "check", NULL};
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    sigset_t set;
    pthread_t th[3];
    pid_t pid;

    self = argv[0];
    if (argc > 2)
        return atoi(argv[2]);
    if (argc > 1) {
        struct sigaction sa;

        CHECK(getpgrp() == getpid());
        CHECK(is_blocked(SIGUSR2) && !is_blocked(SIGUSR1));
        CHECK(sigaction(SIGTERM, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
        CHECK(sigaction(SIGHUP, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
        CHECK(access("in_sub", F_OK) == 0);
        CHECK(write(10, "hello", 5) == 5);
        CHECK_ERR(fcntl(11, F_GETFD), EBADF);
        CHECK(fcntl(12, F_GETFD) == 0);
        return 33;
    }
    CHECK(mkdir("sub", 0755) == 0);
    put_file("sub/in_sub", "");
    dup2(1, 11);
    dup2(1, 12);
    fcntl(12, F_SETFD, FD_CLOEXEC);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    block(SIGUSR1);
    CHECK(posix_spawn_file_actions_init(&fa) == 0 && posix_spawnattr_init(&at) == 0);
    CHECK(posix_spawn_file_actions_addchdir_np(&fa, "sub") == 0);
    CHECK(posix_spawn_file_actions_addopen(&fa, 10, "out", O_WRONLY | O_CREAT, 0600) == 0);
    CHECK(posix_spawn_file_actions_addclose(&fa, 11) == 0);
    CHECK(posix_spawn_file_actions_adddup2(&fa, 12, 12) == 0); // clears close-on-exec
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    CHECK(posix_spawnattr_setsigdefault(&at, &set) == 0);
    set = sigset_of(SIGUSR2);
    CHECK(posix_spawnattr_setsigmask(&at, &set) == 0);
    CHECK(posix_spawnattr_setpgroup(&at, 0) == 0);
    CHECK(posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETPGROUP) == 0);
    CHECK(posix_spawn(&pid, "/proc/self/exe", &fa, &at, args, environ) == 0);
    CHECK_EQ(status(pid), 33 << 8);
    CHECK_STR(get_file("sub/out"), "hello");
    CHECK(is_blocked(SIGUSR1) && access("sub", F_OK) == 0 && fcntl(11, F_GETFD) == 0);

    put_script("text", "hello\n", 0755);
    CHECK_EQ(posix_spawn(&pid, "text", NULL, NULL, args, environ), ENOEXEC);
    CHECK_EQ(posix_spawn(&pid, "sub", NULL, NULL, args, environ), EACCES);
    CHECK(posix_spawn_file_actions_addclose(&fa, 900) == 0); // closing nothing is no error
    CHECK(posix_spawn_file_actions_adddup2(&fa, 901, 5) == 0);
    CHECK_EQ(posix_spawn(&pid, "/proc/self/exe", &fa, &at, args, environ), EBADF);
    CHECK_ERR(waitpid(-1, NULL, 0), ECHILD);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&th[i], NULL, many, NULL) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    return done();
}
