// SPDX-License-Identifier: MIT
// file_getattr and file_setattr (Linux 6.17) by number: the inode flags of a file, which stay 0
// here.
// covers: file_getattr, file_setattr
// trap: not container,old: such a host does not know file_getattr
#include "check.h"
#include <stdint.h>

enum { FILE_GETATTR = 468, FILE_SETATTR };

struct fattr {
    uint64_t xflags;
    uint32_t extsize, nextents, projid, cowextsize;
};

int main(void)
{
    struct fattr fa;

    put_file("f", "");
    if (syscall(FILE_GETATTR, AT_FDCWD, "f", &fa, sizeof(fa), 0) != 0) {
        CHECK(errno == ENOSYS || errno == EOPNOTSUPP);
        printf("no file_getattr\n");
        return done();
    }
    CHECK_EQ(fa.projid, 0);
    CHECK_EQ(syscall(FILE_SETATTR, AT_FDCWD, "f", &fa, sizeof(fa), 0), 0);
    CHECK_ERR(syscall(FILE_GETATTR, AT_FDCWD, "missing", &fa, sizeof(fa), 0), ENOENT);
    CHECK_ERR(syscall(FILE_GETATTR, 99, "f", &fa, sizeof(fa), 0), EBADF);
    CHECK_ERR(syscall(FILE_GETATTR, AT_FDCWD, "f", &fa, 4, 0), EINVAL);
    CHECK_ERR(syscall(FILE_GETATTR, AT_FDCWD, "f", &fa, sizeof(fa), 1 << 20), EINVAL);
    CHECK_ERR(syscall(FILE_SETATTR, AT_FDCWD, "missing", &fa, sizeof(fa), 0), ENOENT);
    return done();
}
