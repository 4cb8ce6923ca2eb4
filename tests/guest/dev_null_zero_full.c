// SPDX-License-Identifier: MIT
// /dev/null, zero, full, random, urandom: what reading, writing, seeking and mapping do, and
// stat.
// covers: open, read, write, lseek, mmap, getrandom
#include "check.h"
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sysmacros.h>

static int device(const char *path, int minor)
{
    struct stat st;
    int fd = OK(open(path, O_RDWR));

    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(st.st_mode & 0666, 0666);
    CHECK_EQ(st.st_rdev, makedev(1, minor));
    CHECK_EQ(stat_of(path).st_rdev, makedev(1, minor));
    return fd;
}

int main(void)
{
    unsigned char a[64], b[64], zero[64] = {0};
    char *map;
    int fd;

    fd = device("/dev/null", 3);
    CHECK_EQ(read(fd, a, 10), 0);
    CHECK_EQ(write(fd, a, 10), 10);
    CHECK_EQ(lseek(fd, 10, SEEK_SET), 0);
    CHECK_EQ(close(OK(open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666))), 0);
    CHECK_ERR(ftruncate(fd, 0), EINVAL);

    fd = device("/dev/zero", 5);
    memset(a, 1, sizeof(a));
    CHECK_EQ(read(fd, a, sizeof(a)), sizeof(a));
    CHECK(memcmp(a, zero, sizeof(a)) == 0);
    CHECK_EQ(write(fd, a, 10), 10);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_EQ(map[100], 0);
    map[100] = 1;
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    pid_t pid = fork();
    if (pid == 0) {
        map[0] = 'c';
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(map[0], 'c');

    fd = device("/dev/full", 7);
    CHECK_EQ(read(fd, a, 10), 10);
    CHECK_ERR(write(fd, a, 1), ENOSPC);
    CHECK_ERR(write(fd, a, 0), ENOSPC);

    fd = device("/dev/urandom", 9);
    CHECK_EQ(read(fd, a, sizeof(a)), sizeof(a));
    CHECK_EQ(read(fd, b, sizeof(b)), sizeof(b));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    fd = device("/dev/random", 8);
    CHECK(read(fd, b, sizeof(b)) > 0);
    CHECK_EQ(write(fd, b, 4), 4);
    CHECK_EQ(getrandom(a, sizeof(a), 0), sizeof(a));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK_ERR(getrandom(a, 1, 1 << 20), EINVAL);
    return done();
}
