// SPDX-License-Identifier: MIT
// Whether a file is open for writing, which execve has to know, is asked without anybody noticing:
// who opens it meanwhile without waiting is not sent away, but by a lease of the guest's own.
// covers: execve, open, fcntl
#include "race.h"

#define FLAGS (O_WRONLY | O_NONBLOCK)

int main(void)
{
    char *argv[] = {"prog", NULL};
    char path[32];
    long opened = 0;

    put_file("prog", "neither a program nor a script");
    CHECK_EQ(chmod("prog", 0755), 0);
    pid_t pid = OK(fork());
    if (!pid)
        for (;;)
            CHECK(execv("prog", argv) < 0 && (errno == ENOEXEC || errno == ETXTBSY));
    int seen = OK(open("prog", O_PATH));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", seen);
    for (long end = race_ms() + RACE_MS; race_ms() < end;) {
        int fd = open(opened % 4 == 3 ? path : "prog", FLAGS);
        CHECK(fd >= 0 || errno == ETXTBSY);
        opened += fd >= 0;
        if (fd >= 0)
            CHECK_EQ(close(fd), 0);
    }
    CHECK(opened > 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);

    signal(SIGIO, SIG_IGN);
    int fd = OK(open("prog", O_RDONLY));
    CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    CHECK_ERR(open("prog", FLAGS), EAGAIN);
    CHECK_ERR(open(path, FLAGS), EAGAIN);
    return done();
}
