// SPDX-License-Identifier: MIT
// A program that runs cannot be opened for writing or truncated, one open for writing cannot be run
// (ETXTBSY); replacing it by rename or unlink works.
// covers: open, truncate, execve, rename, unlink
#include "check.h"
#include <sys/sendfile.h>

static void copy(const char *to)
{
    int in = OK(open("/proc/self/exe", O_RDONLY)), out = OK(open(to, O_WRONLY | O_CREAT, 0755));

    while (OK(sendfile(out, in, NULL, 1 << 20)) > 0)
        ;
    close(in);
    close(out);
}

int main(int argc, char **argv)
{
    int fd, p[2], q[2];
    char c;

    if (argc > 1) { // the copy: says that it runs, and goes when told
        CHECK_EQ(write(atoi(argv[1]), "r", 1), 1);
        CHECK_EQ(read(atoi(argv[2]), &c, 1), 1);
        _exit(0);
    }
    copy("prog");
    CHECK_EQ(pipe(p) | pipe(q), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char a[8], b[8];

        sprintf(a, "%d", p[1]);
        sprintf(b, "%d", q[0]);
        execl("prog", "prog", a, b, NULL);
        _exit(1);
    }
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_ERR(open("prog", O_WRONLY), ETXTBSY);
    CHECK_ERR(open("prog", O_RDWR | O_CREAT | O_TRUNC, 0755), ETXTBSY);
    CHECK_ERR(truncate("prog", 0), ETXTBSY);
    close(OK(open("prog", O_RDONLY)));
    CHECK_EQ(chmod("prog", 0700), 0);
    CHECK_EQ(rename("prog", "old"), 0);
    CHECK_ERR(open("old", O_WRONLY), ETXTBSY);
    CHECK_EQ(unlink("old"), 0);
    copy("prog");
    CHECK_EQ(write(q[1], "x", 1), 1);
    wait_ok(pid);

    fd = OK(open("prog", O_WRONLY));
    CHECK_ERR(execl("prog", "prog", "1", "0", NULL), ETXTBSY);
    CHECK_EQ(close(fd), 0);
    return done();
}
