// SPDX-License-Identifier: MIT
// O_NOATIME is for the owner (and root) only, at open and by F_SETFL.
// covers: open, fcntl
// needs: root
#include "check.h"
#include <linux/capability.h>

int main(void)
{
    int fd;

    put_file("roots", "data");
    put_file("users", "data");
    CHECK_EQ(chown("users", 1000, 1000), 0);
    CHECK_EQ(chmod("roots", 0644) | chmod(".", 0755), 0);
    OK(open("users", O_RDONLY | O_NOATIME));
    pid_t pid = fork();
    if (pid == 0) {
        become(1000, 1000);
        OK(open("users", O_RDONLY | O_NOATIME));
        CHECK_ERR(open("roots", O_RDONLY | O_NOATIME), EPERM);
        fd = OK(open("roots", O_RDONLY));
        CHECK_ERR(fcntl(fd, F_SETFL, O_NOATIME), EPERM);
        fd = OK(open("users", O_RDONLY));
        CHECK_EQ(fcntl(fd, F_SETFL, O_NOATIME), 0);
        _exit(0);
    }
    wait_ok(pid);
    // Who may pass every other check, but lacks the capability for this one.
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2];
    CHECK_EQ(syscall(SYS_capget, &header, caps), 0);
    caps[0].effective &= ~(1u << CAP_FOWNER);
    CHECK_EQ(syscall(SYS_capset, &header, caps), 0);
    CHECK_ERR(open("users", O_RDONLY | O_NOATIME), EPERM);
    OK(open("roots", O_RDONLY | O_NOATIME));
    return done();
}
