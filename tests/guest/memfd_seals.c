// SPDX-License-Identifier: MIT
// Seals of a memfd: each forbids its kind of change, for good, and F_SEAL_SEAL ends the adding.
// covers: memfd_create, fcntl, ftruncate, write, mmap
#include "check.h"
#include <sys/mman.h>

static int sealed(int seal)
{
    int fd = OK(memfd_create("s", MFD_ALLOW_SEALING));

    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    CHECK_EQ(ftruncate(fd, 4096), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, seal), 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), seal);
    return fd;
}

int main(void)
{
    int fd = OK(memfd_create("unsealable", 0));
    char *map;

    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);

    fd = sealed(F_SEAL_SHRINK);
    CHECK_ERR(ftruncate(fd, 1), EPERM);
    CHECK_EQ(ftruncate(fd, 8192), 0);

    fd = sealed(F_SEAL_GROW);
    CHECK_ERR(ftruncate(fd, 8192), EPERM);
    CHECK_ERR(pwrite(fd, "x", 1, 4096), EPERM);
    CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
    CHECK_EQ(ftruncate(fd, 1), 0);

    fd = sealed(F_SEAL_WRITE);
    CHECK_ERR(write(fd, "x", 1), EPERM);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    CHECK_EQ(errno, EPERM);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);

    // A writable mapping in use prevents F_SEAL_WRITE, not F_SEAL_FUTURE_WRITE.
    fd = sealed(F_SEAL_SHRINK);
    map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
    map[0] = 'm';
    CHECK_STR(get_fd(fd), "m");
    CHECK_ERR(write(fd, "x", 1), EPERM);

    fd = sealed(F_SEAL_SEAL);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, 1 << 20), EINVAL);
    CHECK_ERR(fcntl(OK(open(".", O_RDONLY)), F_GET_SEALS), EINVAL);
    return done();
}
