// SPDX-License-Identifier: MIT
// ioctl(2): the descriptor is looked at before the argument, and whether it has the request, too.
// covers: ioctl
#define _GNU_SOURCE
#include <linux/fs.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "check.h"

#define BAD ((void *)8)

int main(void)
{
    const unsigned long requests[] = {FICLONERANGE, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FIOSETOWN,
                                      SIOCSPGRP};
    int end[2], nobody = 0x7ffffffe, sock;
    int path = OK(open("/", O_PATH));
    CHECK_EQ(pipe(end), 0);
    sock = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    for (unsigned i = 0; i < sizeof requests / sizeof *requests; i++) {
        CHECK_ERR(ioctl(-1, requests[i], BAD), EBADF);
        CHECK_ERR(ioctl(path, requests[i], BAD), EBADF);
        CHECK_ERR(ioctl(999, requests[i], BAD), EBADF);
    }
    CHECK_ERR(ioctl(end[0], FS_IOC_SETFLAGS, BAD), EFAULT);
    CHECK_ERR(ioctl(end[0], FIOSETOWN, BAD), ENOTTY);
    CHECK_ERR(ioctl(end[0], SIOCSPGRP, &nobody), ENOTTY);
    CHECK_ERR(ioctl(-1, FIOSETOWN, &nobody), EBADF);
    CHECK_ERR(ioctl(sock, FIOSETOWN, BAD), EFAULT);
    CHECK_ERR(ioctl(sock, FIOSETOWN, &nobody), ESRCH);
    return done();
}
