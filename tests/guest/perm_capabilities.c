// SPDX-License-Identifier: MIT
// uid 0 without capabilities is an ordinary owner; each file capability gives back its part.
// covers: capset, capget, open, chown, chmod, mknod, chroot, setfsuid
// needs: root
#include "check.h"
#include <linux/capability.h>
#include <sys/fsuid.h>

static void only(unsigned caps)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2], now[2];

    memset(data, 0, sizeof(data));
    CHECK_EQ(syscall(SYS_capget, &head, data), 0);
    data[0].effective = caps;
    data[1].effective = 0;
    CHECK_EQ(syscall(SYS_capset, &head, data), 0);
    CHECK_EQ(syscall(SYS_capget, &head, now), 0);
    CHECK_EQ(now[0].effective, caps);
}

int main(void)
{
    struct stat st;

    put_file("f", "data");
    CHECK_EQ(chown("f", 1000, 1000), 0);
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/in", "");
    CHECK_EQ(chown("d", 1000, 1000) | chmod("d", 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        only(0);
        CHECK_ERR(open("f", O_RDONLY), EACCES);
        CHECK_ERR(stat("d/in", &st), EACCES);
        // access asks for what real root may have: the permitted set.
        CHECK_EQ(access("d/in", F_OK), 0);
        CHECK_ERR(chmod("f", 0644), EPERM);
        CHECK_ERR(chown("f", 0, 0), EPERM);
        CHECK_ERR(mknod("c", S_IFCHR | 0600, 0x103), EPERM);
        CHECK_ERR(chroot("."), EPERM);
        only(1u << CAP_DAC_READ_SEARCH);
        OK(open("f", O_RDONLY));
        CHECK_ERR(open("f", O_RDWR), EACCES);
        CHECK_EQ(stat("d/in", &st), 0);
        OK(open("d", O_RDONLY));
        CHECK_ERR(open("d/new", O_RDWR | O_CREAT, 0600), EACCES);
        only(1u << CAP_DAC_OVERRIDE);
        OK(open("f", O_RDWR));
        OK(open("d/new", O_RDWR | O_CREAT, 0600));
        CHECK_ERR(chmod("f", 0644), EPERM);
        only(1u << CAP_FOWNER);
        CHECK_EQ(chmod("f", 0600), 0);
        CHECK_ERR(chown("f", 0, -1), EPERM);
        only(1u << CAP_CHOWN);
        CHECK_EQ(chown("f", 0, 0), 0);
        OK(open("f", O_RDWR));
        CHECK_EQ(chown("f", 1000, 1000), 0);
        only(1u << CAP_MKNOD);
        CHECK_EQ(mknod("c", S_IFCHR | 0600, 0x103), 0);
        only(1u << CAP_SYS_CHROOT);
        CHECK_EQ(chroot("."), 0);
        _exit(0);
    }
    wait_ok(pid);

    // A change of the file-system uid takes and gives back the same.
    pid = fork();
    if (pid == 0) {
        put_file("mine", "");
        CHECK_EQ(chmod("mine", 0600), 0);
        CHECK_EQ(setfsuid(1000), 0);
        CHECK_ERR(open("mine", O_RDONLY), EACCES);
        OK(open("f", O_RDWR));
        CHECK_EQ(setfsuid(0), 1000);
        OK(open("mine", O_RDWR));
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
