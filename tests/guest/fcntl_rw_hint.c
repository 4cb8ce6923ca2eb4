// SPDX-License-Identifier: MIT
// Write life-time hints are kept per inode and must be one of the known values.
// covers: fcntl
#include "check.h"

#ifndef F_GET_RW_HINT
#define F_GET_RW_HINT 1035
#define F_SET_RW_HINT 1036
#endif

int main(void)
{
    unsigned long hint = 77;
    int fd;

    put_file("f", "");
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(fcntl(fd, F_GET_RW_HINT, &hint), 0);
    CHECK_EQ(hint, 0);
    hint = 2;
    CHECK_EQ(fcntl(fd, F_SET_RW_HINT, &hint), 0);
    hint = 0;
    CHECK_EQ(fcntl(OK(open("f", O_RDONLY)), F_GET_RW_HINT, &hint), 0);
    CHECK_EQ(hint, 2);
    hint = 99;
    CHECK_ERR(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
    CHECK_ERR(fcntl(fd, F_SET_RW_HINT, 8), EFAULT);
    return done();
}
