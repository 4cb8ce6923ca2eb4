// SPDX-License-Identifier: MIT
// The size of a tmpfs is a limit: ENOSPC beyond it, and statfs tells it.
// covers: mount, statfs, write
// lxrun: not yet: size= of a tmpfs mount is not enforced
// needs: root
#include "mountns.h"
#include <sys/statfs.h>

int main(void)
{
    static char block[65536];
    struct statfs fs;
    ssize_t n = 0, sum = 0;
    int fd;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755), 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "size=256k"), 0);
    CHECK_EQ(statfs("m", &fs), 0);
    CHECK_EQ(fs.f_blocks * fs.f_bsize, 256 << 10);
    fd = OK(open("m/f", O_WRONLY | O_CREAT, 0600));
    while (sum < 1 << 20 && (n = write(fd, block, sizeof(block))) > 0)
        sum += n;
    CHECK_EQ(n, -1);
    CHECK_EQ(errno, ENOSPC);
    CHECK(sum <= 256 << 10);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("m/f"), 0);
    put_file("m/g", "room again");
    CHECK_EQ(umount("m"), 0);
    return done();
}
