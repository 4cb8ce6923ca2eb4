// SPDX-License-Identifier: MIT
// preadv2 and pwritev2: offset -1 is the file's own, and the RWF_ flags hold for one call.
// covers: preadv2, pwritev2
#include "check.h"
#include <sys/uio.h>

#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif

int main(void)
{
    char text[16] = "";
    struct iovec in = {text, 4}, out = {"1234", 4};
    int fd, p[2];
    ssize_t n;

    fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(pwritev2(fd, &out, 1, -1, 0), 4);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_EQ(pwritev2(fd, &out, 1, 0, RWF_APPEND), 4);
    CHECK_EQ(stat_of("f").st_size, 8);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
    CHECK_EQ(pwritev2(fd, &out, 1, 2, RWF_DSYNC), 4);
    CHECK_EQ(pwritev2(fd, &out, 1, 2, RWF_SYNC | RWF_HIPRI), 4);
    CHECK_STR(get_file("f"), "12123434");
    CHECK_EQ(preadv2(fd, &in, 1, -1, 0), 4);
    CHECK(memcmp(text, "3434", 4) == 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 8);
    CHECK_EQ(preadv2(fd, &in, 1, 0, 0), 4);
    CHECK(memcmp(text, "1212", 4) == 0);
    n = preadv2(fd, &in, 1, 0, RWF_NOWAIT);
    CHECK(n == 4 || (n < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)));

    // On a pipe the offset must be -1; NOWAIT turns waiting into EAGAIN.
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(preadv2(p[0], &in, 1, -1, RWF_NOWAIT), EAGAIN);
    CHECK_EQ(pwritev2(p[1], &out, 1, -1, 0), 4);
    CHECK_EQ(preadv2(p[0], &in, 1, -1, RWF_NOWAIT), 4);
    CHECK_ERR(preadv2(p[0], &in, 1, 0, 0), ESPIPE);
    CHECK_ERR(preadv2(fd, &in, 1, 0, 1 << 20), EOPNOTSUPP);
    CHECK_ERR(pwritev2(fd, &out, 1, -2, 0), EINVAL);

    // RWF_NOAPPEND (Linux 6.9) writes where it is told.
    fd = OK(open("f", O_RDWR | O_APPEND));
    if (pwritev2(fd, &out, 1, 0, RWF_NOAPPEND) == 4)
        CHECK_STR(get_file("f"), "12343434");
    else
        printf("no RWF_NOAPPEND\n");
    return done();
}
