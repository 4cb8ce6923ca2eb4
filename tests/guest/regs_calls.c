// SPDX-License-Identifier: MIT
// Every system call leaves all general registers but RAX, RCX and R11 as they were: calls that fail
// on bad arguments, numbers that do not exist, and calls that succeed.
// covers: read, write, getppid, gettid, sched_yield, mmap, munmap, fstat, brk, close
#include "check.h"
#include "regs.h"

// What would end, stop or change the test for good when called with all bits set.
static int skip(int nr)
{
    static const int bad[] = {SYS_rt_sigreturn,
                              SYS_pause,
                              SYS_exit,
                              SYS_exit_group,
                              SYS_fork,
                              SYS_vfork,
                              SYS_clone,
                              SYS_vhangup,
                              SYS_sync,
                              SYS_reboot,
                              SYS_msgget,
                              SYS_semget,
                              SYS_shmget,
                              SYS_clone3,
                              SYS_kill,
                              335 /* uretprobe: SIGILL */,
                              336 /* uprobe */};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (nr == bad[i])
            return 1;
    return 0;
}

static long call(long nr, const uint64_t args[6])
{
    static const int arg[6] = {RDI, RSI, RDX, R10, R8, R9};
    uint64_t r[NREGS], was[NREGS];

    regs_fill(r, nr + 1);
    r[RAX] = nr;
    for (int i = 0; args && i < 6; i++)
        r[arg[i]] = args[i];
    memcpy(was, r, sizeof(r));
    regs_call(r);
    for (int i = 0; i < NREGS; i++)
        if (i != RAX && i != RCX && i != R11 && r[i] != was[i]) {
            dprintf(2, "call %ld changed register %d: %lx to %lx\n", nr, i, was[i], r[i]);
            _exit(1);
        }
    return r[RAX];
}
#define CALL(nr, ...) call(nr, (uint64_t[6]){__VA_ARGS__})

int main(void)
{
    static const uint64_t ones[6] = {-1, -1, -1, -1, -1, -1};
    char buf[4096];
    int p[2];
    uint64_t page;

    CHECK(pipe(p) == 0);
    for (int round = 0; round < 200; round++) {
        CHECK(CALL(SYS_write, p[1], (uint64_t) "hello", 5) == 5);
        CHECK(CALL(SYS_read, p[0], (uint64_t)buf, sizeof(buf)) == 5);
        CHECK(CALL(SYS_getppid) == getppid());
        CHECK(CALL(SYS_gettid) == getpid());
        CHECK(CALL(SYS_sched_yield) == 0);
        CHECK(CALL(SYS_fstat, p[0], (uint64_t)buf) == 0);
        CHECK((page = CALL(SYS_mmap, 0, 4096, 3, 0x22, -1, 0)) % 4096 == 0);
        CHECK(CALL(SYS_munmap, page, 4096) == 0);
        CHECK(CALL(SYS_brk, 0) > 0);
        CHECK(CALL(SYS_openat, AT_FDCWD, (uint64_t) "absent", O_RDONLY) == -ENOENT);
        CHECK(CALL(SYS_close, -1) == -EBADF);
        CHECK(call(100000 + round, NULL) == -ENOSYS);
    }
    for (int nr = 0; nr < 1000; nr++)
        if (!skip(nr)) {
            call(nr, ones);
            if (nr != SYS_setsid && nr != SYS_alarm)
                call(nr, ones);
        }
    return done();
}
