// SPDX-License-Identifier: MIT
// Files that several processes make, open and remove at once, and a program that is executed while
// others open it for writing: nobody gets a signal for it, which would kill (SIGIO does).
// covers: openat, unlink, execve, fcntl
// timeout: 40
#include "check.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { MAKERS = 6, SECONDS = 2, BUSY = 100 };

static int is_over(time_t start)
{
    return time(NULL) - start >= SECONDS;
}

static void make_files(unsigned seed, time_t start)
{
    for (unsigned i = seed; !is_over(start); i++) {
        char name[16];
        int fd;

        snprintf(name, sizeof(name), "d/f%u", i % 3);
        fd = open(name, O_RDWR | O_CREAT, 0640);
        CHECK(fd >= 0);
        close(fd);
        CHECK(unlink(name) == 0 || errno == ENOENT);
    }
}

static void write_program(time_t start)
{
    while (!is_over(start)) {
        int fd = open("prog", O_RDWR);

        CHECK(fd >= 0 || errno == ETXTBSY);
        if (fd >= 0)
            close(fd);
    }
}

static void execute(time_t start)
{
    while (!is_over(start)) {
        int st;
        pid_t pid = OK(fork());

        if (!pid) {
            execl("prog", "prog", "child", (char *)NULL);
            _exit(errno == ETXTBSY ? BUSY : 1);
        }
        CHECK_EQ(waitpid(pid, &st, 0), pid);
        CHECK(st == 0 || st == BUSY << 8);
    }
}

static void copy_program(void)
{
    char buf[65536];
    ssize_t n;
    int from = OK(open("/proc/self/exe", O_RDONLY));
    int to = OK(open("prog", O_WRONLY | O_CREAT, 0755));

    while ((n = OK(read(from, buf, sizeof(buf)))) > 0)
        CHECK_EQ(write(to, buf, n), n);
    close(from);
    close(to);
}

int main(int argc, char **argv)
{
    pid_t pids[MAKERS + 2];
    time_t start;
    int st;

    (void)argv;
    if (argc > 1)
        return 0;
    CHECK_EQ(mkdir("d", 0777) | chmod("d", 0777), 0);
    copy_program();
    CHECK_EQ(chmod("prog", 0777), 0);
    // Of a user's file an attribute tells the owner.
    if (!geteuid())
        CHECK_EQ(setgid(1000) | setuid(1000), 0);
    start = time(NULL);
    for (int i = 0; i < MAKERS + 2; i++) {
        pids[i] = OK(fork());
        if (pids[i])
            continue;
        if (i < MAKERS)
            make_files((unsigned)i, start);
        else if (i == MAKERS)
            write_program(start);
        else
            execute(start);
        _exit(0);
    }
    for (int i = 0; i < MAKERS + 2; i++) {
        CHECK_EQ(waitpid(pids[i], &st, 0), pids[i]);
        CHECK_EQ(st, 0);
    }
    return done();
}
