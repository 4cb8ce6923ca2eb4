// SPDX-License-Identifier: MIT
// A system call leaves the flags as they were, also those that would trouble the one who answers
// it: DF (string operations run backwards) and AC (alignment checks).
// covers: getppid, write, read, openat, fstat, getcwd
#include "check.h"
#include "regs.h"

static long call(uint64_t flags, long nr, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t r[NREGS];

    regs_fill(r, nr);
    r[RAX] = nr, r[RDI] = a, r[RSI] = b, r[RDX] = c;
    r[R10] = 0;
    r[RFLAGS] = flags;
    regs_call(r);
    CHECK_EQ(r[RFLAGS], flags);
    return r[RAX];
}

int main(void)
{
    static const uint64_t bits[] = {0x1,
                                    0x4,
                                    0x10,
                                    0x40,
                                    0x80,
                                    0x400 /* DF */,
                                    0x800,
                                    0x40000 /* AC */,
                                    0x200000 /* ID */,
                                    0x4 | 0x400 | 0x800 | 0x40000};
    char cwd[4096], buf[4096], odd[64];
    struct stat st;
    int p[2], fd;

    CHECK(pipe(p) == 0 && getcwd(cwd, sizeof(cwd)));
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        uint64_t f = 0x202 | bits[i];

        CHECK(call(f, SYS_getppid, 0, 0, 0) == getppid());
        CHECK(call(f, SYS_write, p[1], (uint64_t) "hello", 5) == 5);
        CHECK(call(f, SYS_read, p[0], (uint64_t)(odd + 1), 5) == 5 &&
              memcmp(odd + 1, "hello", 5) == 0);
        CHECK((fd = call(f, SYS_openat, AT_FDCWD, (uint64_t) "./a//../a", O_RDONLY)) == -ENOENT ||
              fd == -ENOTDIR);
        CHECK((fd = call(f, SYS_openat, AT_FDCWD, (uint64_t) ".", O_RDONLY)) >= 0);
        CHECK(call(f, SYS_fstat, fd, (uint64_t)&st, 0) == 0 && S_ISDIR(st.st_mode));
        CHECK(call(f, SYS_close, fd, 0, 0) == 0);
        memset(buf, 0, sizeof(buf));
        CHECK(call(f, SYS_getcwd, (uint64_t)buf, sizeof(buf), 0) > 0 && strcmp(buf, cwd) == 0);
    }
    return done();
}
