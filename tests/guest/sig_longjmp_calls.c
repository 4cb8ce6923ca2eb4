// SPDX-License-Identifier: MIT
// A timer's handler jumps out of whatever call it meets, again and again: nothing stays locked or
// half done, the process works on, and no descriptor but the program's own is left open.
// covers: openat, rename, stat, mmap, futex, rt_sigprocmask, setitimer
// timeout: 30
#include "sig.h"
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>

static sigjmp_buf out;
static volatile int jumps;

static void handler(int sig)
{
    jumps++;
    siglongjmp(out, sig);
}

// Only system calls: jumping out of stdio or malloc would be the program's own fault.
static void calls(void)
{
    struct stat st;
    char buf[4096];
    int fd;

    for (;;) {
        fd = open("d/../a", O_RDWR | O_CREAT, 0600);
        if (fd >= 0)
            close(fd);
        stat("/proc/self/exe", &st);
        syscall(SYS_getcwd, buf, sizeof(buf));
        rename("a", "b");
        rename("b", "a");
        readlink("/proc/self/fd/0", buf, sizeof(buf));
        syscall(SYS_munmap, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
        chmod("a", 0600);
        access("absent", F_OK);
    }
}

int main(void)
{
    struct itimerval often = {{0, 300}, {0, 300}};
    char path[64], link[4096], want[4200];
    volatile int open_now = 0;
    ssize_t n;

    CHECK(close_range(3, ~0u, 0) == 0); // inherited ones
    CHECK(mkdir("d", 0700) == 0);
    signal(SIGALRM, handler);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    if (sigsetjmp(out, 1) == 0 || jumps < 1000)
        calls();
    CHECK(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL) == 0);
    signal(SIGALRM, SIG_IGN);
    CHECK(!is_blocked(SIGALRM));
    // What the jumps cost: descriptors of "a" that open had just returned. Nothing else.
    CHECK(getcwd(want, 4096) && strcat(want, "/a"));
    for (int fd = 3; fd < 1024; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = readlink(path, link, sizeof(link) - 1);
        if (n < 0)
            continue;
        link[n] = 0;
        open_now++;
        CHECK(strncmp(link, want, strlen(want) - 1) == 0); // a, or b for a moment
        CHECK(close(fd) == 0);
    }
    CHECK(open_now < 1000);
    CHECK_EQ(OK(open("a", O_RDWR | O_CREAT, 0600)), 3);
    return done();
}
