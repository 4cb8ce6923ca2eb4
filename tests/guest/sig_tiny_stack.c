// SPDX-License-Identifier: MIT
// An alternate stack of exactly AT_MINSIGSTKSZ (rounded up a little for the handler's own frame)
// carries a handler that makes system calls; nothing below it is touched.
// covers: sigaltstack, rt_sigreturn
#include "sig.h"
#include <sys/auxv.h>
#include <sys/mman.h>

static volatile int runs;

static void handler(int sig)
{
    char c;

    (void)sig;
    CHECK_ERR(syscall(SYS_read, -1, &c, 1), EBADF);
    CHECK(syscall(SYS_getppid) >= 0);
    CHECK_ERR(syscall(SYS_openat, AT_FDCWD, "absent", O_RDONLY), ENOENT);
    runs++;
}

int main(void)
{
    size_t size = getauxval(AT_MINSIGSTKSZ) + 1024;
    char *mem = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    stack_t ss = {.ss_size = size};

    CHECK(mem != MAP_FAILED && size < 32768);
    memset(mem, 0x55, 65536);
    ss.ss_sp = mem + 65536 - size;
    CHECK(sigaltstack(&ss, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
    for (int i = 0; i < 100; i++)
        raise(SIGUSR1);
    CHECK_EQ(runs, 100);
    for (size_t i = 0; i < 65536 - size; i++)
        CHECK(mem[i] == 0x55);
    return done();
}
