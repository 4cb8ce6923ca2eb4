// SPDX-License-Identifier: MIT
// memfd_create: a file without a place: its name shows in /proc, it maps, reopens and executes.
// covers: memfd_create, readlink, ftruncate, mmap
#include "check.h"
#include <sys/mman.h>

int main(void)
{
    char proc[32], text[64] = "", name[260];
    struct stat st;
    int fd, again;
    char *map;

    fd = OK(memfd_create("some name", MFD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(fcntl(OK(memfd_create("", 0)), F_GETFD), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(S_ISREG(st.st_mode));
    CHECK_EQ(st.st_mode & 07777, 0777);
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(st.st_nlink, 0);
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    CHECK(readlink(proc, text, sizeof(text) - 1) > 0);
    CHECK_STR(text, "/memfd:some name (deleted)");

    CHECK_EQ(ftruncate(fd, 8192), 0);
    map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    strcpy(map + 4096, "mapped");
    CHECK_EQ(pread(fd, text, 7, 4096), 7);
    CHECK_STR(text, "mapped");
    // A reopened one has its own offset and access mode.
    again = OK(open(proc, O_RDONLY));
    CHECK_EQ(lseek(again, 4096, SEEK_SET), 4096);
    CHECK_EQ(read(again, text, 7), 7);
    CHECK_STR(text, "mapped");
    CHECK_ERR(write(again, "x", 1), EBADF);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(fstat(again, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0600);

    memset(name, 'n', sizeof(name));
    name[250] = 0;
    CHECK_ERR(memfd_create(name, 0), EINVAL);
    name[249] = 0;
    OK(memfd_create(name, 0));
    CHECK_ERR(memfd_create("x", 1 << 20), EINVAL);
    CHECK_ERR(syscall(SYS_memfd_create, 8, 0), EFAULT);
    return done();
}
