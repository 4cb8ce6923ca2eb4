// SPDX-License-Identifier: MIT
// The sync calls accept files, directories and what else they must, and refuse pipes.
// covers: sync, fsync, fdatasync, syncfs, sync_file_range, msync
// timeout: 60
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    int fd, dir, p[2];
    char *map;

    put_file("f", "data");
    fd = OK(open("f", O_RDWR));
    dir = OK(open(".", O_RDONLY));
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(fdatasync(fd), 0);
    CHECK_EQ(fsync(dir), 0);
    CHECK_EQ(fdatasync(dir), 0);
    CHECK_EQ(fsync(OK(open("f", O_RDONLY))), 0);
    CHECK_EQ(pwrite(fd, "D", 1, 0), 1);
    CHECK_EQ(sync_file_range(fd, 0, 4,
                             SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                 SYNC_FILE_RANGE_WAIT_AFTER),
             0);
    CHECK_EQ(syncfs(dir), 0);
    CHECK_ERR(sync_file_range(fd, 0, 4, 64), EINVAL);
    CHECK_ERR(sync_file_range(fd, -1, 4, 0), EINVAL);
    CHECK_EQ(pipe(p), 0);
    CHECK_ERR(fsync(p[0]), EINVAL);
    CHECK_ERR(fdatasync(p[1]), EINVAL);
    CHECK_ERR(sync_file_range(p[0], 0, 0, 0), ESPIPE);
    CHECK_ERR(syncfs(99), EBADF);

    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    map[1] = 'A';
    CHECK_EQ(msync(map, 4096, MS_SYNC), 0);
    CHECK_EQ(msync(map, 4096, MS_ASYNC | MS_INVALIDATE), 0);
    CHECK_ERR(msync(map, 4096, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERR(msync(map + 1, 1, MS_SYNC), EINVAL);
    CHECK_EQ(munmap(map, 4096), 0);
    CHECK_ERR(msync(map, 4096, MS_SYNC), ENOMEM);
    sync();
    CHECK_STR(get_file("f"), "DAta");
    return done();
}
