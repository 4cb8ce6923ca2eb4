// SPDX-License-Identifier: MIT
// Limits on memory: RLIMIT_AS refuses maps, growth and threads with ENOMEM but leaves what is there
// at work (also fork, exec and signals); RLIMIT_STACK bounds the first stack; RLIMIT_MEMLOCK with
// MAP_LOCKED.
// covers: prlimit64, setrlimit, getrlimit, mmap, brk
#include "exec.h"
#include <sys/mman.h>

static volatile int handled;

static void handler(int sig)
{
    (void)sig;
    handled++;
}

static unsigned long vm_size(void)
{
    unsigned long pages;

    CHECK(sscanf(get_file("/proc/self/statm"), "%lu", &pages) == 1);
    return pages * 4096;
}

int main(int argc, char **argv)
{
    struct rlimit lim = {vm_size() + (8 << 20), RLIM_INFINITY};
    stack_t ss = {.ss_size = 65536};
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    char *p, *q;
    pid_t pid;

    if (argc > 1) {
        puts(argv[1]);
        return 0;
    }
    CHECK(setrlimit(RLIMIT_AS, &lim) == 0);
    p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    CHECK_ERR(mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERR(mremap(p, 4 << 20, 64 << 20, MREMAP_MAYMOVE), ENOMEM);
    CHECK_ERR((long)sbrk(64 << 20), ENOMEM);
    // Take all that is left.
    for (size_t size = 4 << 20; size >= 4096; size /= 2)
        while (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
               MAP_FAILED)
            ;
    CHECK_EQ(errno, ENOMEM);
    // Signals, files and children need nothing more.
    ss.ss_sp = p;
    CHECK(sigaltstack(&ss, NULL) == 0 && sigaction(SIGUSR1, &sa, NULL) == 0);
    for (int i = 0; i < 100; i++)
        raise(SIGUSR1);
    CHECK_EQ(handled, 100);
    CHECK(close(OK(open("file", O_RDWR | O_CREAT, 0600))) == 0);
    CHECK(access(".", R_OK) == 0);
    pid = OK(fork());
    if (pid == 0) {
        raise(SIGUSR1);
        CHECK_ERR(open("absent", O_RDONLY), ENOENT);
        _exit(handled == 101 ? 0 : 1);
    }
    wait_ok(pid);
    CHECK(munmap(p, 4 << 20) == 0);
    q = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(q != MAP_FAILED);

    // A new program under a limit of its own size and some.
    lim.rlim_cur = 256 << 20;
    CHECK(setrlimit(RLIMIT_AS, &lim) == 0);
    fflush(stdout);
    pid = OK(fork());
    if (pid == 0) {
        execl("/proc/self/exe", argv[0], "executed", NULL);
        _exit(1);
    }
    wait_ok(pid);
    lim.rlim_cur = RLIM_INFINITY;
    CHECK(setrlimit(RLIMIT_AS, &lim) == 0);

    // Locked memory.
    lim = (struct rlimit){65536, 65536};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &lim) == 0);
    p = mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    CHECK(p != MAP_FAILED);
    return done();
}
