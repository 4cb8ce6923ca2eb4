// SPDX-License-Identifier: MIT
// access asks for the real user, AT_EACCESS and open for the effective one.
// covers: access, faccessat2, faccessat, setresuid
// needs: root
#include "check.h"

static int effective(const char *path, int mode)
{
    return syscall(SYS_faccessat2, AT_FDCWD, path, mode, AT_EACCESS);
}

int main(void)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chdir("d"), 0);
    put_file("mine", "");
    CHECK_EQ(chmod("mine", 0600), 0);
    put_file("theirs", "");
    CHECK_EQ(chown("theirs", 1000, 1000), 0);
    CHECK_EQ(chmod("theirs", 0700), 0);

    pid_t pid = fork();
    if (pid == 0) { // effective user is root, real one is not
        CHECK_EQ(setresuid(1000, 0, 0), 0);
        CHECK_ERR(access("mine", R_OK), EACCES);
        CHECK_EQ(access("mine", F_OK), 0);
        CHECK_EQ(effective("mine", R_OK | W_OK), 0);
        CHECK_EQ(access("theirs", R_OK | W_OK | X_OK), 0);
        OK(open("mine", O_RDWR));
        _exit(0);
    }
    wait_ok(pid);
    pid = fork();
    if (pid == 0) { // the other way round
        CHECK_EQ(setresuid(0, 1000, 0), 0);
        CHECK_EQ(access("mine", R_OK | W_OK), 0);
        CHECK_ERR(effective("mine", R_OK), EACCES);
        CHECK_ERR(open("mine", O_RDONLY), EACCES);
        CHECK_EQ(effective("theirs", X_OK), 0);
        _exit(0);
    }
    wait_ok(pid);
    pid = fork();
    if (pid == 0) { // by group
        CHECK_EQ(chown("mine", 0, 500), 0);
        CHECK_EQ(chmod("mine", 0640), 0);
        become(1000, 500);
        CHECK_EQ(access("mine", R_OK), 0);
        CHECK_ERR(access("mine", W_OK), EACCES);
        CHECK_EQ(effective("mine", R_OK), 0);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
