// SPDX-License-Identifier: MIT
// mprotect: takes effect at once and page by page, faults tell SEGV_ACCERR, system calls give
// EFAULT on what may not be written; PROT_GROWSDOWN, errors. Protection keys with and without the
// hardware.
// covers: mprotect, pkey_mprotect, pkey_alloc, pkey_free
#include "sig.h"
#include <setjmp.h>
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf out;
static volatile int code;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    (void)sig, (void)ctx;
    code = si->si_code;
    siglongjmp(out, 1);
}

static int can_read(volatile char *p)
{
    return sigsetjmp(out, 1) == 0 ? (void)*p, 1 : 0;
}

static int can_write(volatile char *p)
{
    return sigsetjmp(out, 1) == 0 ? *p = 1, 1 : 0;
}

int main(void)
{
    char *p = mmap(NULL, 4 * 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd, zero = OK(open("/dev/zero", O_RDONLY)), key;

    CHECK(p != MAP_FAILED);
    catch_info(SIGSEGV, handler, 0);
    CHECK(can_read(p) && can_write(p));
    CHECK(mprotect(p + 4096, 4096, PROT_READ) == 0);
    CHECK(mprotect(p + 8192, 1, PROT_NONE) == 0); // whole pages
    CHECK(can_write(p + 4095) && can_write(p + 12288));
    CHECK(can_read(p + 4096) && !can_write(p + 4096) && code == SEGV_ACCERR);
    CHECK(!can_read(p + 8192) && !can_write(p + 12287) && code == SEGV_ACCERR);
    CHECK_ERR(read(zero, p + 4096, 10), EFAULT);
    CHECK_ERR(read(zero, p + 8192, 10), EFAULT);
    CHECK_EQ(read(zero, p, 2 * 4096), 4096); // up to the bad page
    CHECK_ERR(syscall(SYS_uname, p + 4096 - 100), EFAULT);
    CHECK_ERR(syscall(SYS_uname, p + 8192), EFAULT);
    CHECK(mprotect(p, 4 * 4096, RW) == 0 && can_write(p + 4096) && can_write(p + 8192));
    CHECK(mprotect(p, 4096, PROT_WRITE) == 0 && can_read(p)); // x86 knows no write-only
    CHECK(mprotect(p, 0, RW) == 0);

    CHECK_ERR(mprotect(p + 1, 4096, RW), EINVAL);
    CHECK_ERR(mprotect(p, 4096, 0x10), EINVAL);
    CHECK_ERR(mprotect(p, -4096ul, RW), ENOMEM);
    CHECK_ERR(mprotect(p, 4096, RW | PROT_GROWSUP | PROT_GROWSDOWN), EINVAL);
    CHECK_ERR(mprotect(p, 4096, RW | PROT_GROWSDOWN), EINVAL); // no stack
    CHECK(munmap(p + 4096, 4096) == 0);
    CHECK_ERR(mprotect(p, 3 * 4096, PROT_READ), ENOMEM);
    CHECK(!can_write(p) && can_write(p + 8192)); // changed up to the hole
    CHECK(!can_read(p + 4096) && code == SEGV_MAPERR);

    // A shared mapping of a file that was opened for reading only.
    put_file("file", "hello");
    fd = OK(open("file", O_RDONLY));
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_ERR(mprotect(p, 4096, RW), EACCES);
    p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && mprotect(p, 4096, RW) == 0 && can_write(p));

    // Keys: on a processor without them pkey_alloc has none to give.
    CHECK_ERR(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_pkey_alloc, 0, 8), EINVAL);
    CHECK_ERR(syscall(SYS_pkey_free, 15), EINVAL);
    CHECK_ERR(syscall(SYS_pkey_mprotect, p, 4096, RW, 15), EINVAL);
    CHECK(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, -1) == 0 && !can_write(p));
    CHECK(syscall(SYS_pkey_mprotect, p, 4096, RW, -1) == 0 && can_write(p));
    key = syscall(SYS_pkey_alloc, 0, 2 /* PKEY_DISABLE_WRITE */);
    if (key < 0) {
        CHECK(errno == ENOSPC || errno == EINVAL);
    } else {
        CHECK(syscall(SYS_pkey_mprotect, p, 4096, RW, key) == 0);
        CHECK(can_read(p) && !can_write(p) && code == SEGV_PKUERR);
        CHECK(syscall(SYS_pkey_mprotect, p, 4096, RW, 0) == 0 && can_write(p));
        CHECK(syscall(SYS_pkey_free, key) == 0);
        CHECK_ERR(syscall(SYS_pkey_free, key), EINVAL);
    }
    return done();
}
