// SPDX-License-Identifier: MIT
// The root that chroot has set is a directory, whatever becomes of its name: `..` ends there when
// it, or one above it, has got another name, also after execve, and when another has its place.
// covers: chroot, chdir, getcwd
// needs: root
#include "check.h"

static void no_way_out(void)
{
    CHECK_EQ(access("here", F_OK), 0);
    CHECK_EQ(access("../here", F_OK), 0);
    CHECK_EQ(access("d/../../../here", F_OK), 0);
    CHECK_ERR(access("../secret", F_OK), ENOENT);
    CHECK_ERR(access("../../secret", F_OK), ENOENT);
    CHECK_ERR(access("d/../../secret", F_OK), ENOENT);
    int fd = OK(open("d", O_PATH | O_DIRECTORY));
    CHECK_ERR(faccessat(fd, "../../secret", F_OK, 0), ENOENT);
    CHECK_EQ(faccessat(fd, "../../../here", F_OK, 0), 0);
    OK(fchdir(fd));
    CHECK_ERR(access("../../secret", F_OK), ENOENT);
    OK(chdir("../../.."));
    CHECK_EQ(access("here", F_OK), 0);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        no_way_out();
        return 0;
    }
    int status, go[2], done_[2], self = OK(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    char c, *again[] = {argv[0], "again", NULL}, *none[] = {NULL};

    OK(mkdir("above", 0755));
    OK(mkdir("above/root", 0755));
    OK(mkdir("above/root/d", 0755));
    close(OK(creat("above/root/here", 0644)));
    close(OK(creat("above/secret", 0644)));
    close(OK(creat("secret", 0644)));
    OK(pipe(go));
    OK(pipe(done_));
    pid_t pid = OK(fork());
    if (!pid) {
        OK(chroot("above/root"));
        OK(chdir("/"));
        for (int i = 0; i < 4; i++) {
            no_way_out();
            CHECK_EQ(write(done_[1], "x", 1), 1);
            CHECK_EQ(read(go[0], &c, 1), 1);
        }
        no_way_out();
        if (!OK(fork()))
            syscall(SYS_execveat, self, "", again, none, AT_EMPTY_PATH);
        OK(wait(&status));
        _exit(status != 0);
    }
    CHECK_EQ(read(done_[0], &c, 1), 1);
    OK(rename("above", "other"));
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EQ(read(done_[0], &c, 1), 1);
    OK(rename("other/root", "moved"));
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EQ(read(done_[0], &c, 1), 1);
    // Another has its place.
    OK(mkdir("above", 0755));
    OK(mkdir("above/root", 0755));
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EQ(read(done_[0], &c, 1), 1);
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return done();
}
