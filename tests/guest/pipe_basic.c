// SPDX-License-Identifier: MIT
// Pipes: data and end of file, SIGPIPE and EPIPE, non-blocking ends, packets, and what stat
// says.
// covers: pipe, pipe2, read, write, fstat
#include "check.h"

int main(void)
{
    static char big[100000];
    struct stat st;
    char text[16] = "";
    int p[2], status;

    CHECK_EQ(syscall(SYS_pipe, p), 0);
    CHECK_EQ(fstat(p[0], &st), 0);
    CHECK(S_ISFIFO(st.st_mode));
    CHECK_EQ(fcntl(p[0], F_GETFD), 0);
    CHECK_ERR(write(p[0], "x", 1), EBADF);
    CHECK_ERR(read(p[1], text, 1), EBADF);
    CHECK_EQ(write(p[1], "one", 3), 3);
    CHECK_EQ(write(p[1], "two", 3), 3);
    CHECK_EQ(read(p[0], text, sizeof(text)), 6);
    CHECK_STR(text, "onetwo");
    CHECK_EQ(close(p[1]), 0);
    CHECK_EQ(read(p[0], text, 1), 0);

    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(pipe(p), 0);
        CHECK_EQ(close(p[0]), 0);
        write(p[1], "x", 1);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
    CHECK_ERR(read(p[0], text, 1), EAGAIN);
    CHECK_EQ(write(p[1], big, sizeof(big)), 65536);
    CHECK_ERR(write(p[1], big, 1), EAGAIN);
    // Up to PIPE_BUF all or nothing, beyond that what fits.
    CHECK_EQ(read(p[0], big, 4095), 4095);
    CHECK_ERR(write(p[1], big, 4096), EAGAIN);
    CHECK_EQ(close(p[0]), 0);
    CHECK_ERR(write(p[1], "x", 1), EPIPE);

    // O_DIRECT: a read takes one packet and drops what does not fit.
    CHECK_EQ(pipe2(p, O_DIRECT | O_CLOEXEC), 0);
    CHECK_EQ(write(p[1], "first", 5), 5);
    CHECK_EQ(write(p[1], "2", 1), 1);
    CHECK_EQ(read(p[0], text, 3), 3);
    CHECK_EQ(read(p[0], text, sizeof(text)), 1);
    CHECK_EQ(text[0], '2');
    CHECK_ERR(pipe2(p, O_APPEND), EINVAL);
    CHECK_ERR(syscall(SYS_pipe, bad_ptr), EFAULT);
    return done();
}
