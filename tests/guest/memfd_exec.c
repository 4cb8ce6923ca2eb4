// SPDX-License-Identifier: MIT
// A program copied into a memfd runs: by execveat on the descriptor and by its /proc path.
// covers: memfd_create, execveat, execve, sendfile
#include "check.h"
#include <sys/mman.h>
#include <sys/sendfile.h>

int main(int argc, char **argv)
{
    char path[32], *args[] = {"name", "run", NULL}, *env[] = {"A=1", NULL};
    int self, fd, ro;

    if (argc > 1) {
        CHECK_STR(argv[0], "name");
        CHECK_STR(getenv("A"), "1");
        _exit(42);
    }
    self = OK(open("/proc/self/exe", O_RDONLY));
    fd = OK(memfd_create("program", 0));
    while (OK(sendfile(fd, self, NULL, 1 << 20)) > 0)
        ;
    // Reopened for reading only: a file open for writing is not to be run (ETXTBSY on most
    // kernels).
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ro = OK(open(path, O_RDONLY));
    CHECK_EQ(close(fd), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ro);
    for (int way = 0; way < 2; way++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            if (way)
                execve(path, args, env);
            else
                syscall(SYS_execveat, ro, "", args, env, AT_EMPTY_PATH);
            _exit(1);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 42);
    }
    return done();
}
