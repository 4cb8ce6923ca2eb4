// SPDX-License-Identifier: MIT
// Numbers that are not open, each below 1,024: EBADF, but after what a call finds wrong before it
// looks, and not where the number does not matter.
// covers: mkdirat, openat, dup3, mmap, epoll_ctl, lseek, pread64, close, fcntl, tee
#include "check.h"
#include <sys/epoll.h>
#include <sys/mman.h>

int main(void)
{
    long page = sysconf(_SC_PAGESIZE);
    int epoll = OK(epoll_create1(0));
    int top = OK(open(".", O_RDONLY));

    closefrom(top + 1);
    for (int fd = top + 1; fd < 1024; fd++) {
        CHECK_ERR(fcntl(fd, F_GETFD), EBADF);
        CHECK_ERR(close(fd), EBADF);
        CHECK_ERR(mkdirat(fd, "d", 0755), EBADF);
        CHECK_ERR(mkdirat(fd, "/", 0755), EEXIST);
        CHECK_ERR(openat(fd, "/nosuch", O_RDONLY), ENOENT);
        CHECK_ERR(openat(fd, "", O_RDONLY), ENOENT);
        CHECK_ERR(syscall(SYS_dup3, fd, 3, 1), EINVAL);
        CHECK_ERR(syscall(SYS_dup3, fd, 3, 0), EBADF);
        CHECK_ERR(syscall(SYS_pread64, fd, NULL, 1, -1L), EINVAL);
        CHECK_ERR(syscall(SYS_lseek, fd, 0, 99), EBADF);
        CHECK_ERR(syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, NULL), EFAULT);
        CHECK_ERR(syscall(SYS_tee, fd, fd, 1, 0x100), EINVAL);
        void *p = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
        CHECK(p != MAP_FAILED && munmap(p, page) == 0);
        CHECK(mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EBADF);
    }
    return done();
}
