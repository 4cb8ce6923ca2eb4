// SPDX-License-Identifier: MIT
// covers: lseek pread64
// trap: not ptrace: a stopped process of a tracer shows as t, not as T
// Files of /proc are made anew when they are read from their start again: who waits for a process
// to change keeps one open.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char text[4096];

static char state_of(const char *file, ssize_t n)
{
    CHECK(n > 0 && n < (ssize_t)sizeof text);
    text[n] = 0;
    const char *at = strcmp(file, "stat") ? strstr(text, "State:\t") : strrchr(text, ')');
    CHECK(at != NULL);
    return at[strcmp(file, "stat") ? 7 : 2];
}

static void wait_for(const char *file, int fd, int by_pread, char wanted)
{
    char now = 0;
    for (int i = 0; i < 5000 && now != wanted; i++) {
        ssize_t n;
        if (by_pread) {
            n = pread(fd, text, sizeof text - 1, 0);
        } else {
            CHECK(lseek(fd, 0, SEEK_SET) == 0);
            n = read(fd, text, sizeof text - 1);
        }
        now = state_of(file, n);
        if (now != wanted)
            usleep(1000);
    }
    CHECK(now == wanted);
}

static void watch(const char *file, int by_pread)
{
    char path[64];
    int status;
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(state_of(file, read(fd, text, sizeof text - 1)) != 'T');
    wait_for(file, fd, by_pread, 'S');
    off_t at = lseek(fd, 0, SEEK_CUR);
    CHECK(at > 0);
    CHECK(kill(pid, SIGSTOP) == 0);
    wait_for(file, fd, by_pread, 'T');
    CHECK(!by_pread || lseek(fd, 0, SEEK_CUR) == at); // pread leaves the position
    CHECK(kill(pid, SIGCONT) == 0);
    wait_for(file, fd, by_pread, 'S');
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    int next = dup(0); // no number was used up
    CHECK(next == fd + 1);
    CHECK(close(next) == 0);
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK(read(fd, text, sizeof text) <= 0); // ESRCH; empty under lxrun
    CHECK(close(fd) == 0);
}

int main(void)
{
    for (int by_pread = 0; by_pread < 2; by_pread++) {
        watch("status", by_pread);
        watch("stat", by_pread);
    }
    // By stdio, as glibc's own tests do.
    mode_t mask = umask(0077);
    FILE *f = fopen("/proc/self/status", "r");
    CHECK(f != NULL);
    for (int i = 0; i < 2; i++) {
        unsigned seen = 0;
        char line[256];
        while (fgets(line, sizeof line, f) && sscanf(line, "Umask: %o", &seen) != 1)
            ;
        CHECK(seen == (i ? 0027u : 0077u));
        umask(0027);
        rewind(f);
        fflush(f);
    }
    umask(mask);
    return 0;
}
