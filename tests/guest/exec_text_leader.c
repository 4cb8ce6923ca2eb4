// SPDX-License-Identifier: MIT
// A program is running, and cannot be written, as long as one thread of a process runs it, though
// the process's first one has ended and looks like a zombie.
// covers: open, exit
#include "exec.h"
#include <pthread.h>

static void *stay(void *arg)
{
    (void)arg;
    pause();
    return NULL;
}

static char state_of(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    return strrchr(get_file(path), ')')[2];
}

int main(int argc, char **argv)
{
    pthread_t thread;

    (void)argv;
    if (argc == 2) {
        CHECK_EQ(pthread_create(&thread, NULL, stay, NULL), 0);
        syscall(SYS_exit, 0);
    }
    copy_self("prog", 0755);
    pid_t pid = OK(fork());
    if (!pid) {
        execl("prog", "prog", "run", NULL);
        _exit(1);
    }
    while (state_of(pid) != 'Z')
        usleep(1000);
    CHECK_ERR(open("prog", O_WRONLY), ETXTBSY);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    siginfo_t info;
    CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    CHECK_EQ(close(OK(open("prog", O_WRONLY))), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    return done();
}
