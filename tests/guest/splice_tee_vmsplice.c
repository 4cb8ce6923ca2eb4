// SPDX-License-Identifier: MIT
// splice moves between a pipe and anything, tee duplicates a pipe's content, vmsplice lends
// memory.
// covers: splice, tee, vmsplice
#include "check.h"
#include <sys/uio.h>

int main(void)
{
    char text[16] = "";
    struct iovec iov[] = {{"vm", 2}, {"splice", 6}};
    int in, out, p[2], q[2];
    loff_t at = 4;

    put_file("f", "0123456789");
    in = OK(open("f", O_RDONLY));
    out = OK(open("g", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(pipe(q), 0);
    CHECK_EQ(splice(in, &at, p[1], NULL, 3, 0), 3);
    CHECK_EQ(at, 7);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);

    CHECK_EQ(tee(p[0], q[1], 100, 0), 3);
    CHECK_EQ(read(q[0], text, sizeof(text)), 3);
    CHECK_STR(text, "456");
    CHECK_EQ(splice(p[0], NULL, out, NULL, 2, 0), 2);
    CHECK_EQ(splice(p[0], NULL, q[1], NULL, 100, 0), 1);
    at = 5;
    CHECK_EQ(splice(q[0], NULL, out, &at, 100, 0), 1);
    CHECK_EQ(pread(out, text, sizeof(text), 0), 6);
    CHECK(memcmp(text, "45\0\0\0006", 6) == 0);

    CHECK_EQ(vmsplice(p[1], iov, 2, 0), 8);
    CHECK_EQ(read(p[0], text, sizeof(text)), 8);
    CHECK(memcmp(text, "vmsplice", 8) == 0);

    CHECK_ERR(splice(p[0], NULL, out, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERR(tee(p[0], q[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERR(splice(in, NULL, out, NULL, 1, 0), EINVAL);
    CHECK_ERR(tee(in, q[1], 1, 0), EINVAL);
    CHECK_ERR(vmsplice(in, iov, 1, 0), EBADF);
    CHECK_ERR(splice(p[0], &at, q[1], NULL, 1, 0), ESPIPE);
    CHECK_ERR(tee(p[0], p[1], 1, 0), EINVAL);
    CHECK_ERR(splice(in, NULL, p[1], NULL, 1, 1 << 20), EINVAL);
    CHECK_EQ(close(p[1]), 0);
    CHECK_EQ(splice(p[0], NULL, out, NULL, 1, 0), 0);
    return done();
}
