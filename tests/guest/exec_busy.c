// SPDX-License-Identifier: MIT
// A file open for writing cannot be executed, and a running program cannot be written, truncated or
// opened for writing (ETXTBSY); it can be unlinked, renamed and replaced.
// covers: execve, open, truncate, rename, unlink
#include "exec.h"

int main(int argc, char **argv)
{
    int fd, p[2];
    pid_t pid;
    char c;

    if (argc > 1 && strcmp(argv[1], "run") == 0) {
        CHECK(write(1, "r", 1) == 1);
        CHECK(read(0, &c, 1) == 0);
        return 0;
    }
    show_and_exit(argc, argv);
    copy_self("prog", 0755);
    fd = OK(open("prog", O_WRONLY));
    CHECK_EQ(try_exec1("./prog"), ETXTBSY);
    close(fd);
    fd = OK(open("prog", O_RDWR));
    CHECK_EQ(try_exec1("./prog"), ETXTBSY);
    close(fd);
    fd = OK(open("prog", O_RDONLY));
    CHECK_EQ(try_exec1("./prog"), 0);
    close(fd);
    // A script is not the program that runs.
    put_script("script", "#!./prog\n", 0755);
    fd = OK(open("script", O_WRONLY));
    CHECK_EQ(try_exec1("./script"), ETXTBSY);
    close(fd);

    int in[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0);
    pid = OK(fork());
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(p[1], 1);
        execl("./prog", "prog", "run", NULL);
        _exit(1);
    }
    close(in[0]);
    CHECK(read(p[0], &c, 1) == 1);
    CHECK_ERR(open("prog", O_WRONLY), ETXTBSY);
    CHECK_ERR(open("prog", O_RDWR), ETXTBSY);
    CHECK_ERR(open("prog", O_WRONLY | O_TRUNC), ETXTBSY);
    CHECK_ERR(truncate("prog", 0), ETXTBSY);
    fd = OK(open("prog", O_RDONLY));
    CHECK(chmod("prog", 0700) == 0);
    CHECK(rename("prog", "moved") == 0 && unlink("moved") == 0);
    close(OK(open("prog", O_WRONLY | O_CREAT | O_EXCL, 0755)));
    close(in[1]);
    wait_ok(pid);
    return done();
}
