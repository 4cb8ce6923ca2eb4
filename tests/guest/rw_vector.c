// SPDX-License-Identifier: MIT
// readv, writev, preadv, pwritev: order, empty parts, short results and limits of the vector.
// covers: readv, writev, preadv, pwritev
#include "check.h"
#include <limits.h>
#include <sys/uio.h>

int main(void)
{
    static struct iovec many[IOV_MAX + 1];
    char a[4] = "", b[8] = "", c[8] = "";
    struct iovec out[] = {{"one", 3}, {NULL, 0}, {"two", 3}, {"three", 5}};
    struct iovec in[] = {{a, 2}, {b, 0}, {b, 5}, {c, 8}};
    int fd, p[2];

    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(writev(fd, out, 4), 11);
    CHECK_STR(get_file("f"), "onetwothree");
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(readv(fd, in, 4), 11);
    CHECK(memcmp(a, "on", 2) == 0 && memcmp(b, "etwot", 5) == 0 && memcmp(c, "hree", 4) == 0);
    CHECK_EQ(readv(fd, in, 4), 0);

    CHECK_EQ(pwritev(fd, out + 2, 2, 20), 8);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 11);
    CHECK_EQ(preadv(fd, in, 1, 20), 2);
    CHECK(memcmp(a, "tw", 2) == 0);
    CHECK_ERR(preadv(fd, in, 1, -1), EINVAL);

    CHECK_EQ(readv(fd, in, 0), 0);
    CHECK_ERR(syscall(SYS_readv, fd, in, -1l), EINVAL);
    CHECK_ERR(writev(fd, many, IOV_MAX + 1), EINVAL);
    CHECK_EQ(writev(fd, many, IOV_MAX), 0);
    out[3].iov_len = -1;
    CHECK_ERR(writev(fd, out, 4), EINVAL);
    CHECK_ERR(writev(fd, bad_ptr, 1), EFAULT);
    // A bad part after good ones: the good ones are written.
    out[3] = (struct iovec){bad_ptr, 5};
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(writev(p[1], out, 1), 3);
    CHECK_ERR(writev(p[1], out + 3, 1), EFAULT);
    CHECK_EQ(pwritev(fd, out, 4, 0), 6);
    CHECK_ERR(preadv(p[0], in, 1, 0), ESPIPE);
    return done();
}
