// SPDX-License-Identifier: MIT
// Capabilities of program files (capabilities(7)): what execve makes of them for users, root and
// set-uid programs, that a write, a truncation and a change of owner take them away, and who may
// give them.
// covers: execve, setxattr, getxattr, listxattr, removexattr, capget, prctl, write, truncate, chown
// needs: root
#include "exec.h"
#include <linux/capability.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#define CAPS "security.capability"

static void give(const char *path, unsigned permitted, unsigned inheritable, int effective)
{
    unsigned v[5] = {0x02000000 | (unsigned)effective, permitted, inheritable, 0, 0};

    CHECK_EQ(setxattr(path, CAPS, v, sizeof(v), 0), 0);
}

static void tell(void)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];

    CHECK_EQ(syscall(SYS_capget, &h, d), 0);
    printf("uid %u %u permitted %x effective %x inheritable %x secure %lu dumpable %d\n", getuid(),
           geteuid(), d[0].permitted, d[0].effective, d[0].inheritable, getauxval(AT_SECURE),
           prctl(PR_GET_DUMPABLE) == 1);
}

static void run(const char *title, uid_t uid, unsigned inheritable, int nnp)
{
    pid_t pid;

    printf("%s: ", title);
    fflush(stdout);
    pid = OK(fork());
    if (pid == 0) {
        struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct d[2] = {{0, 0, inheritable}};

        if (uid) {
            CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
            become(uid, uid);
            CHECK_EQ(syscall(SYS_capset, &h, d), 0);
        }
        if (nnp)
            CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        execl("./prog", "./prog", "tell", NULL);
        printf("%s\n", strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
}

static int has(void)
{
    char v[32], list[256];
    int listed = listxattr("prog", list, sizeof(list)) > 0;
    int there = getxattr("prog", CAPS, v, sizeof(v)) == 20;

    CHECK_EQ(there, listed);
    if (!there)
        CHECK_ERR(getxattr("prog", CAPS, v, sizeof(v)), ENODATA);
    return there;
}

int main(int argc, char **argv)
{
    int fd;
    pid_t pid;
    char v[32];

    (void)argv;
    if (argc > 1) {
        tell();
        return 0;
    }
    CHECK_EQ(chmod(".", 0777), 0);
    copy_self("prog", 0755);
    run("none", 1000, 0, 0);
    give("prog", 1 << CAP_NET_RAW | 1 << CAP_CHOWN, 0, 1);
    CHECK_EQ(mode_of("prog"), 0755);
    run("effective", 1000, 0, 0);
    run("no_new_privs", 1000, 0, 1);
    give("prog", 1 << CAP_NET_RAW, 0, 0);
    run("permitted", 1000, 0, 0);
    give("prog", 1 << CAP_NET_RAW, 1 << CAP_KILL | 1 << CAP_FOWNER, 1);
    run("inheritable", 1000, 1 << CAP_KILL, 0);
    CHECK_EQ(chmod("prog", 04755), 0);
    run("set-uid root", 1000, 0, 0);
    CHECK(has());
    CHECK_EQ(chmod("prog", 0755), 0);
    CHECK(has());
    run("again", 1000, 0, 0);

    // A link is the same file; a copy has none.
    CHECK_EQ(link("prog", "link"), 0);
    CHECK_EQ(getxattr("link", CAPS, v, sizeof(v)), 20);

    fd = OK(open("prog", O_WRONLY));
    CHECK(has());
    CHECK_EQ(pwrite(fd, "\177", 1, 0), 1);
    CHECK(!has());
    CHECK_EQ(close(fd), 0);
    run("written", 1000, 0, 0);
    CHECK_EQ(chmod("prog", 04755), 0);
    CHECK(!has());
    CHECK_EQ(chmod("prog", 0755), 0);
    give("prog", 1 << CAP_NET_RAW, 0, 1);
    CHECK(has());
    CHECK_EQ(chown("prog", 5, -1), 0);
    CHECK(!has());
    give("prog", 1 << CAP_NET_RAW, 0, 1);
    CHECK_EQ(truncate("prog", stat_of("prog").st_size), 0);
    CHECK(!has());
    give("prog", 1 << CAP_NET_RAW, 0, 1);
    CHECK_EQ(removexattr("prog", CAPS), 0);
    CHECK(!has());
    CHECK_ERR(removexattr("prog", CAPS), ENODATA);
    give("prog", 1 << CAP_NET_RAW, 0, 1);
    CHECK_ERR(setxattr("prog", CAPS, v, 20, XATTR_CREATE), EEXIST);
    CHECK_ERR(setxattr("prog", CAPS, "short", 5, 0), EINVAL);
    CHECK_EQ(setxattr("prog", CAPS, v, 20, XATTR_REPLACE), 0);

    pid = OK(fork());
    if (pid == 0) {
        become(5, 5);
        CHECK_ERR(setxattr("prog", CAPS, v, 20, 0), EPERM);
        CHECK_ERR(removexattr("prog", CAPS), EPERM);
        CHECK_EQ(getxattr("prog", CAPS, v, sizeof(v)), 20);
        fd = OK(open("prog", O_WRONLY));
        CHECK(has());
        CHECK_EQ(ftruncate(fd, stat_of("prog").st_size), 0);
        CHECK(!has());
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(mode_of("prog"), 0755);
    return done();
}
