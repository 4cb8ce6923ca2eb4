// SPDX-License-Identifier: MIT
// Capabilities: what root starts with, capget's versions, the rules of capset, the bounding and
// ambient sets, what setuid does to them with and without PR_SET_KEEPCAPS and securebits, and what
// execve makes of them.
// covers: capget, capset, prctl, setresuid, execve
// needs: root
#include "sig.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

struct caps {
    uint64_t eff, perm, inh;
};

static uint64_t all;
#define BIT(c) (1ul << (c))

static struct caps get(void)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];

    CHECK(syscall(SYS_capget, &h, d) == 0);
    return (struct caps){(uint64_t)d[1].effective << 32 | d[0].effective,
                         (uint64_t)d[1].permitted << 32 | d[0].permitted,
                         (uint64_t)d[1].inheritable << 32 | d[0].inheritable};
}

static int set(uint64_t eff, uint64_t perm, uint64_t inh)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {{eff, perm, inh}, {eff >> 32, perm >> 32, inh >> 32}};

    return syscall(SYS_capset, &h, d);
}

static void expect(uint64_t eff, uint64_t perm, uint64_t inh)
{
    struct caps c = get();

    CHECK_EQ(c.eff, eff);
    CHECK_EQ(c.perm, perm);
    CHECK_EQ(c.inh, inh);
}

static void rules(void)
{
    expect(all, all, 0);
    CHECK(set(0, all, 0) == 0);
    expect(0, all, 0);
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK(set(BIT(CAP_SETGID), all, 0) == 0 && setgroups(0, NULL) == 0);
    CHECK_ERR(setuid(1000), EPERM);
    CHECK_ERR(set(BIT(CAP_CHOWN), 0, 0), EPERM); // effective beyond permitted
    CHECK(set(BIT(CAP_CHOWN), BIT(CAP_CHOWN), BIT(CAP_CHOWN)) == 0);
    CHECK_ERR(set(BIT(CAP_CHOWN), BIT(CAP_CHOWN) | BIT(CAP_KILL), 0), EPERM); // not back
    // Inheritable: only what is permitted already, without CAP_SETPCAP.
    CHECK_ERR(set(0, BIT(CAP_CHOWN), BIT(CAP_KILL)), EPERM);
    CHECK(set(0, 0, 0) == 0);
    expect(0, 0, 0);
    CHECK(geteuid() == 0 && chown("file", 5, 5) == -1 && errno == EPERM);
}

static void by_setuid(void)
{
    CHECK(setresuid(-1, 1000, -1) == 0);
    expect(0, all, 0);
    CHECK(setresuid(-1, 0, -1) == 0);
    expect(all, all, 0);
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    expect(0, all, 0); // kept, but not effective
    CHECK(set(BIT(CAP_CHOWN), BIT(CAP_CHOWN), 0) == 0);
    CHECK(chown("file", 7, 7) == 0);
    CHECK(prctl(PR_GET_KEEPCAPS) == 1);
}

static void lost(void)
{
    CHECK(setresuid(1000, 1000, 1000) == 0);
    expect(0, 0, 0);
    CHECK_ERR(chown("file", 8, 8), EPERM);
    CHECK_ERR(prctl(PR_CAPBSET_DROP, CAP_CHOWN), EPERM);
}

static void bits(void)
{
    CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
    CHECK(prctl(PR_GET_SECUREBITS) == SECBIT_NO_SETUID_FIXUP);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    expect(all, all, 0); // nothing is adjusted
    CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED) == 0);
    CHECK_ERR(prctl(PR_SET_SECUREBITS, 0), EPERM);
}

static void bounding_and_ambient(void)
{
    CHECK(prctl(PR_CAPBSET_READ, CAP_KILL) == 1 && prctl(PR_CAPBSET_DROP, CAP_KILL) == 0);
    CHECK(prctl(PR_CAPBSET_READ, CAP_KILL) == 0);
    expect(all, all, 0); // a bound for later
    CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
    CHECK(set(all, all, BIT(CAP_CHOWN)) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 1);
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(1000, 1000, 1000) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 0); // not kept
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
    CHECK(set(all, all, 0) == 0); // leaves with its inheritable bit
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0) == 0);
}

static void exec_as(const char *mode)
{
    execl("/proc/self/exe", "x", mode, NULL);
    CHECK(!"execl");
}

static void exec_root(void)
{
    CHECK(prctl(PR_CAPBSET_DROP, CAP_KILL) == 0 && set(0, 0, 0) == 0);
    exec_as("root"); // uid 0: everything but what the bound takes
}
static void exec_user(void)
{
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(1000, 1000, 1000) == 0);
    CHECK(set(all, all, 0) == 0);
    exec_as("user"); // an ordinary program of an ordinary user: nothing
}
static void exec_ambient(void)
{
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && setresuid(1000, 1000, 1000) == 0);
    CHECK(set(all, all, BIT(CAP_CHOWN)) == 0);
    CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) == 0);
    exec_as("ambient");
}
static void exec_noroot(void)
{
    CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT) == 0);
    exec_as("noroot");
}

int main(int argc, char **argv)
{
    static void (*const tests[])(void) = {
        rules,     by_setuid, lost,         bits,       bounding_and_ambient,
        exec_root, exec_user, exec_ambient, exec_noroot};
    struct __user_cap_header_struct h = {0x12345678, 0};
    struct __user_cap_data_struct d[2];

    // As many as the kernel knows, less what a container's root is not given.
    for (int c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++)
        if (prctl(PR_CAPBSET_READ, c) == 1)
            all |= BIT(c);
    if (argc > 1) {
        if (strcmp(argv[1], "root") == 0)
            expect(all & ~BIT(CAP_KILL), all & ~BIT(CAP_KILL), 0);
        if (strcmp(argv[1], "user") == 0)
            expect(0, 0, 0);
        if (strcmp(argv[1], "ambient") == 0)
            expect(BIT(CAP_CHOWN), BIT(CAP_CHOWN), BIT(CAP_CHOWN));
        if (strcmp(argv[1], "noroot") == 0)
            expect(0, 0, 0);
        CHECK_EQ(prctl(PR_GET_KEEPCAPS), 0);
        return 0;
    }
    CHECK(chmod(".", 0755) == 0); // others search it below
    put_file("file", "x");
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        CHECK_EQ(status_of(tests[i]), 0);
    // An unknown version asks for the known one.
    CHECK_ERR(syscall(SYS_capget, &h, d), EINVAL);
    CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    h.version = 0;
    CHECK(syscall(SYS_capget, &h, NULL) == 0);
    CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    h.pid = -1;
    CHECK_ERR(syscall(SYS_capget, &h, d), EINVAL);
    h.pid = 0x3fffffff;
    CHECK_ERR(syscall(SYS_capget, &h, d), ESRCH);
    h.pid = getppid() ? getppid() : 1;
    CHECK_ERR(syscall(SYS_capset, &h, d), EPERM); // only oneself
    h = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_1, 0};
    CHECK(syscall(SYS_capget, &h, d) == 0 && d[0].effective == (uint32_t)all);
    CHECK_ERR(syscall(SYS_capget, 8, d), EFAULT);
    expect(all, all, 0);
    return done();
}
