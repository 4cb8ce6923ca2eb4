// SPDX-License-Identifier: MIT
// A memory file that is sealed against execution (MFD_NOEXEC_SEAL, F_SEAL_EXEC) keeps its execute
// bits as they are, whatever owner and set-id bits it has got. What F_SEAL_EXEC seals beside, goes
// by the mode that the file has then.
// covers: memfd_create, fchmod, chmod, fchown, fcntl
// needs: root
#include "check.h"
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#define MFD_EXEC 16
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static int mode_fd(int fd)
{
    struct stat st;

    CHECK_EQ(fstat(fd, &st), 0);
    return st.st_mode & 07777;
}

static void sealed(int fd, int mode)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_EQ(mode_fd(fd), mode);
    CHECK_ERR(fchmod(fd, 0755), EPERM);
    CHECK_ERR(fchmod(fd, mode | 0001), EPERM);
    CHECK_ERR(chmod(path, 04711), EPERM);
    CHECK_EQ(mode_fd(fd), mode);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(fchmod(fd, mode), 0);
    CHECK_EQ(mode_fd(fd), mode);
}

// Whose set-id bits go with a write.
static void of_a_user(void)
{
    become(1000, 1000);
    sealed(OK(memfd_create("x", MFD_NOEXEC_SEAL)), 0666);
    _exit(0);
}

int main(void)
{
    pid_t user = OK(fork());

    if (!user)
        of_a_user();
    wait_ok(user);
    int fd = OK(memfd_create("x", MFD_NOEXEC_SEAL));

    sealed(fd, 0666);
    CHECK_EQ(fchmod(fd, 04644), 0);
    sealed(fd, 04644);
    CHECK_EQ(fchown(fd, 1000, 1000), 0);
    CHECK_EQ(fchmod(fd, 0640), 0);
    sealed(fd, 0640);
    close(fd);

    fd = OK(memfd_create("x", MFD_EXEC | MFD_ALLOW_SEALING));
    CHECK_EQ(fchown(fd, 1000, 1000), 0);
    CHECK_EQ(mode_fd(fd), 0777);
    CHECK_EQ(fchmod(fd, 0600), 0);
    CHECK_EQ(fchmod(fd, 0711), 0);
    CHECK_EQ(fchmod(fd, 0604), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC), 0);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_EXEC);
    sealed(fd, 0604);
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);

    fd = OK(memfd_create("x", MFD_EXEC | MFD_ALLOW_SEALING));
    CHECK_EQ(fchmod(fd, 0644), 0);
    CHECK_EQ(fchown(fd, 1000, 1000), 0);
    CHECK_EQ(fchmod(fd, 0755), 0);
    CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_EXEC), 0);
    CHECK(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE);
    CHECK_ERR(fchmod(fd, 0644), EPERM);
    CHECK_EQ(fchmod(fd, 01755), 0);
    CHECK_EQ(mode_fd(fd), 01755);
    return done();
}
