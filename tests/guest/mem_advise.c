// SPDX-License-Identifier: MIT
// madvise (DONTNEED, FREE, DONTFORK, WIPEONFORK, REMOVE, POPULATE and hints), mincore, msync,
// process_madvise, mlock and its relatives with RLIMIT_MEMLOCK.
// covers: madvise, mincore, msync, mlock, mlock2, munlock, mlockall, munlockall, process_madvise
// trap: not container,old: such a host refuses process_madvise
#include "sig.h"
#include <sys/mman.h>
#include <sys/uio.h>

#define RW (PROT_READ | PROT_WRITE)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static char *map(size_t len, int flags)
{
    char *p = mmap(NULL, len, RW, flags | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

static void advise(void)
{
    char *p = map(4 * 4096, MAP_PRIVATE), *s;
    static const int hints[] = {MADV_NORMAL,  MADV_RANDOM,        MADV_SEQUENTIAL,    MADV_WILLNEED,
                                MADV_DODUMP,  MADV_DONTDUMP,      MADV_DODUMP,        MADV_COLD,
                                MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE};
    pid_t pid;

    memset(p, 1, 4 * 4096);
    CHECK(madvise(p + 4096, 4096, MADV_DONTNEED) == 0);
    CHECK(p[0] == 1 && p[4096] == 0 && p[8192] == 1);
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        CHECK(madvise(p, 8192, hints[i]) == 0 && p[0] == 1 && p[4096] == 0);
    CHECK(madvise(p, 0, MADV_DONTNEED) == 0);
    CHECK_ERR(madvise(p + 1, 4096, MADV_DONTNEED), EINVAL);
    CHECK_ERR(madvise(p, 4096, 999), EINVAL);
    CHECK_ERR(madvise(p, -4096ul, MADV_NORMAL), EINVAL);
    CHECK(madvise(p + 8192, 4096, MADV_WIPEONFORK) == 0);
    CHECK(madvise(p + 12288, 4096, MADV_DONTFORK) == 0);
    pid = OK(fork());
    if (pid == 0) {
        unsigned char v;

        CHECK(p[0] == 1 && p[8192] == 0);
        CHECK_ERR(mincore(p + 12288, 4096, &v), ENOMEM);
        _exit(0);
    }
    wait_ok(pid);
    CHECK(p[8192] == 1 && p[12288] == 1);
    CHECK(munmap(p + 4096, 4096) == 0);
    CHECK_ERR(madvise(p, 3 * 4096, MADV_NORMAL), ENOMEM);
    s = map(8192, MAP_SHARED);
    memset(s, 2, 8192);
    CHECK(madvise(s, 4096, MADV_REMOVE) == 0 && s[0] == 0 && s[4096] == 2);
    CHECK(madvise(s + 4096, 4096, MADV_DONTNEED) == 0 && s[4096] == 2); // the object has it
    CHECK_ERR(madvise(s, 4096, MADV_FREE), EINVAL);
    CHECK(madvise(p, 4096, MADV_FREE) == 0 && (p[0] == 1 || p[0] == 0));
    p[0] = 5;
    CHECK(p[0] == 5);
}

static void others(void)
{
    char *p = map(4 * 4096, MAP_PRIVATE);
    unsigned char v[4];
    struct iovec iov = {p, 4096};
    int pidfd = OK((int)syscall(SYS_pidfd_open, getpid(), 0));
    struct rlimit lim = {16384, 16384};

    p[0] = p[8192] = 1;
    CHECK(mincore(p, 4 * 4096, v) == 0);
    CHECK((v[0] & 1) && !(v[1] & 1) && (v[2] & 1) && !(v[3] & 1));
    CHECK_ERR(mincore(p + 1, 4096, v), EINVAL);
    CHECK_ERR(mincore(p, 4096, (void *)8), EFAULT);
    CHECK_ERR(mincore((void *)4096, 4096, v), ENOMEM);

    CHECK(msync(p, 4096, MS_SYNC) == 0 && msync(p, 4096, MS_ASYNC | MS_INVALIDATE) == 0);
    CHECK_ERR(msync(p, 4096, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERR(msync(p + 1, 4096, MS_SYNC), EINVAL);
    CHECK_ERR(msync(p, 4096, 0x100), EINVAL);
    CHECK_ERR(msync((void *)4096, 4096, MS_SYNC), ENOMEM);

    CHECK(syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_WILLNEED, 0) == 4096);
    CHECK_ERR(syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_WILLNEED, 1), EINVAL);
    CHECK_ERR(syscall(SYS_process_madvise, -1, &iov, 1, MADV_WILLNEED, 0), EBADF);
    iov.iov_len = -1UL; // looked at before the process
    CHECK_ERR(syscall(SYS_process_madvise, -1, &iov, 1, MADV_WILLNEED, 0), EINVAL);

    // Locking, within a limit that also holds for root without the capability.
    CHECK(mlock(p, 100) == 0 && munlock(p, 100) == 0);
    CHECK(syscall(SYS_mlock2, p, 4096, 1 /* MLOCK_ONFAULT */) == 0 && munlock(p, 4096) == 0);
    CHECK_ERR(syscall(SYS_mlock2, p, 4096, 2), EINVAL);
    CHECK_ERR(mlock((void *)4096, 4096), ENOMEM);
    CHECK_ERR(munlock((void *)4096, 4096), ENOMEM);
    CHECK_ERR(mlockall(0), EINVAL);
    CHECK_ERR(mlockall(8), EINVAL);
    CHECK_ERR(mlockall(MCL_ONFAULT), EINVAL);
    CHECK(setrlimit(RLIMIT_MEMLOCK, &lim) == 0);
    CHECK(mlock(p, 8192) == 0 && munlock(p, 8192) == 0);
    CHECK(munlockall() == 0);
    CHECK(munmap(p + 4096, 4096) == 0);
    CHECK_ERR(mlock(p, 3 * 4096), ENOMEM); // a hole
    CHECK(munlockall() == 0);
    p[0] = 1;
}

int main(void)
{
    advise();
    others();
    CHECK_ERR(madvise(NULL, -1, MADV_NORMAL), EINVAL); // more than there is in whole pages
    return done();
}
