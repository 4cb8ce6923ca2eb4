// SPDX-License-Identifier: MIT
// openat2 is strict about its struct: size, unknown bits, and a mode where none belongs.
// covers: openat2
#include "check.h"
#include <linux/openat2.h>

static long open2(const char *path, struct open_how *how, size_t size)
{
    return syscall(SYS_openat2, AT_FDCWD, path, how, size);
}

int main(void)
{
    struct {
        struct open_how how;
        unsigned long tail;
    } big = {.how = {.flags = O_RDONLY}};
    struct open_how how = {.flags = O_RDONLY};

    put_file("f", "data");
    OK(open2("f", &how, sizeof(how)));
    CHECK_ERR(open2("f", &how, sizeof(how) - 1), EINVAL);
    CHECK_ERR(open2("f", &how, 0), EINVAL);
    OK(open2("f", &big.how, sizeof(big)));
    big.tail = 1;
    CHECK_ERR(open2("f", &big.how, sizeof(big)), E2BIG);
    CHECK_ERR(open2("f", &how, 1 << 20), E2BIG);
    CHECK_ERR(open2("f", bad_ptr, sizeof(how)), EFAULT);
    CHECK_ERR(open2(bad_ptr, &how, sizeof(how)), EFAULT);

    how.mode = 0644;
    CHECK_ERR(open2("f", &how, sizeof(how)), EINVAL);
    how.flags = O_RDWR | O_CREAT;
    OK(open2("g", &how, sizeof(how)));
    how.mode = 0200000;
    CHECK_ERR(open2("h", &how, sizeof(how)), EINVAL);

    how = (struct open_how){.flags = 1ull << 40};
    CHECK_ERR(open2("f", &how, sizeof(how)), EINVAL);
    // open and openat ignore this unknown bit, openat2 does not.
    how.flags = 1u << 30;
    CHECK_ERR(open2("f", &how, sizeof(how)), EINVAL);
    OK(syscall(SYS_openat, AT_FDCWD, "f", 1u << 30, 0));
    how = (struct open_how){.resolve = 1ull << 20};
    CHECK_ERR(open2("f", &how, sizeof(how)), EINVAL);
    how.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
    CHECK_ERR(open2("f", &how, sizeof(how)), EINVAL);
    // O_PATH allows only its companions here.
    how = (struct open_how){.flags = O_PATH | O_RDWR};
    CHECK_ERR(open2("f", &how, sizeof(how)), EINVAL);
    return done();
}
