// SPDX-License-Identifier: MIT
// Advice about the page cache changes nothing that can be read; cachestat counts its pages.
// covers: fadvise64, readahead, cachestat
// trap: not container,old: such a host does not know cachestat
#include "check.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

int main(void)
{
    struct {
        unsigned long off, len;
    } range = {0, 0};
    struct {
        unsigned long cache, dirty, writeback, evicted, recently_evicted;
    } stat;
    int fd, p[2];

    put_file("f", "data");
    fd = OK(open("f", O_RDWR));
    for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE; advice++)
        CHECK_EQ(posix_fadvise(fd, 0, 0, advice), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, 77), EINVAL);
    CHECK_EQ(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
    CHECK_EQ(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL), EBADF);
    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    CHECK_EQ(readahead(fd, 0, 4096), 0);
    CHECK_ERR(readahead(OK(open("f", O_WRONLY)), 0, 4096), EBADF);
    CHECK_ERR(readahead(p[0], 0, 4096), EINVAL);
    CHECK_STR(get_fd(fd), "data");

    // Linux 6.5.
    if (syscall(SYS_cachestat, fd, &range, &stat, 0) == 0)
        CHECK_EQ(stat.cache, 1);
    else
        printf("no cachestat\n");
    return done();
}
