// SPDX-License-Identifier: MIT
// Long random sequences of identity calls: every result, and everything that can be read of the
// identity after each, is as on Linux. An argument is a seed to show step by step.
// covers: setuid, setgid, setreuid, setregid, setresuid, setresgid, setfsuid, setfsgid, setgroups
// covers: getuid, geteuid, getgid, getegid, getresuid, getresgid, getgroups, capget, capset, prctl
// needs: root
// timeout: 60
#include "check.h"
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>

static uint64_t state, hash;
static int show;

static unsigned rnd(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static void see(const char *what, long value)
{
    if (show)
        printf(" %s=%lx", what, value);
    hash = (hash ^ (uint64_t)value) * 1099511628211u;
}

// Few ids, so that sequences meet again: root, two users, "leave it" and an id of 32 bits.
static unsigned id(void)
{
    static const unsigned ids[] = {0, 0, 1, 1000, 1000, 2000, 70000, -1, -1};

    return ids[rnd(sizeof(ids) / sizeof(ids[0]))];
}

static long call(const char *name, long nr, long a, long b, long c)
{
    errno = 0;
    long r = syscall(nr, a, b, c);

    if (show)
        printf("%s(%ld,%ld,%ld)", name, a, b, c);
    see("", r);
    see("errno", errno);
    return r;
}
#define CALL(name, a, b, c) call(#name, SYS_##name, (long)(a), (long)(b), (long)(c))

static void pr(int option, unsigned long a, unsigned long b)
{
    errno = 0;
    int r = prctl(option, a, b, 0, 0);

    if (show)
        printf("prctl(%d,%lx,%lx)", option, a, b);
    see("", r);
    see("errno", errno);
}

static void set_caps(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    unsigned version = rnd(8);

    CHECK_EQ(syscall(SYS_capget, &head, data), 0);
    for (int i = 0; i < 2; i++)
        switch (rnd(5)) {
        case 0:
            data[i].inheritable = data[i].permitted;
            break;
        case 1:
            data[i].inheritable |= 1u << rnd(rnd(4) ? 9 : 32);
            break;
        case 2:
            data[i].effective = data[i].permitted & ~(1u << rnd(rnd(4) ? 9 : 32));
            break;
        case 3:
            data[i].permitted &= ~(1u << rnd(rnd(4) ? 9 : 32) | (rnd(9) ? 0 : 1u << CAP_SETUID));
            data[i].effective &= data[i].permitted;
            break;
        case 4:
            data[i].effective = data[i].permitted;
        }
    if (version == 0)
        head.version = _LINUX_CAPABILITY_VERSION_1;
    if (version == 1)
        head.version = 77;
    if (version == 2)
        head.pid = 1;
    CALL(capset, &head == NULL, data == NULL, 0); // EFAULT first
    errno = 0;
    see("capset", syscall(SYS_capset, &head, data));
    see("errno", errno);
    see("version", head.version);
}

static void step(void)
{
    gid_t list[4] = {id(), 3, id(), 5};

    switch (rnd(18)) {
    case 0:
        CALL(setuid, id(), 0, 0);
        break;
    case 1:
        CALL(setgid, id(), 0, 0);
        break;
    case 2:
        CALL(setreuid, id(), id(), 0);
        break;
    case 3:
        CALL(setregid, id(), id(), 0);
        break;
    case 4:
    case 5:
        CALL(setresuid, id(), id(), id());
        break;
    case 6:
        CALL(setresgid, id(), id(), id());
        break;
    case 7:
        CALL(setfsuid, id(), 0, 0);
        break;
    case 8:
        CALL(setfsgid, id(), 0, 0);
        break;
    case 9:
        errno = 0;
        see("setgroups", syscall(SYS_setgroups, rnd(5), list));
        see("errno", errno);
        break;
    case 10:
    case 11:
        set_caps();
        break;
    case 12:
        if (!rnd(8))
            pr(PR_CAPBSET_DROP, rnd(rnd(5) ? 10 : 42), 0);
        break;
    case 13:
        pr(PR_SET_KEEPCAPS, rnd(3), 0);
        break;
    case 14:
        if (!rnd(4))
            pr(PR_SET_SECUREBITS, rnd(rnd(6) ? 64 : 256), 0);
        else
            pr(PR_SET_SECUREBITS, 0, 0);
        break;
    case 15:
    case 16:
        pr(PR_CAP_AMBIENT, 1 + rnd(5), rnd(3) ? rnd(rnd(5) ? 10 : 42) : 0);
        break;
    case 17:
        pr(PR_SET_DUMPABLE, rnd(3), 0);
    }
}

static void look(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    gid_t list[8];
    uid_t r, e, s;

    CHECK_EQ(syscall(SYS_getresuid, &r, &e, &s), 0);
    CHECK(r == getuid() && e == geteuid());
    see("\n  uid", r), see("e", e), see("s", s), see("fs", syscall(SYS_setfsuid, -1));
    CHECK_EQ(syscall(SYS_getresgid, &r, &e, &s), 0);
    CHECK(r == getgid() && e == getegid());
    see("gid", r), see("e", e), see("s", s), see("fs", syscall(SYS_setfsgid, -1));
    int n = getgroups(8, list);
    see("groups", n);
    for (int i = 0; i < n; i++)
        see("", list[i]);
    CHECK_EQ(syscall(SYS_capget, &head, data), 0);
    for (int i = 0; i < 2; i++) {
        see("eff", data[i].effective);
        see("perm", data[i].permitted);
        see("inh", data[i].inheritable);
    }
    unsigned long bounding = 0, ambient = 0;
    for (unsigned long c = 0; c <= 40; c++) {
        bounding |= (unsigned long)prctl(PR_CAPBSET_READ, c, 0, 0, 0) << c;
        ambient |= (unsigned long)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) << c;
    }
    see("bnd", bounding), see("amb", ambient);
    see("keep", prctl(PR_GET_KEEPCAPS)), see("bits", prctl(PR_GET_SECUREBITS));
    see("dump", prctl(PR_GET_DUMPABLE) == 1);
    if (show)
        puts("");
}

// What containers leave of root's capabilities differs: these nine are enough.
static void same_start(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0x1ff, 0x1ff, 0}};

    for (unsigned long c = 9; c <= 40; c++)
        CHECK_EQ(prctl(PR_CAPBSET_DROP, c, 0, 0, 0), 0);
    CHECK_EQ(syscall(SYS_capset, &head, data), 0);
    CHECK_EQ(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    CHECK_EQ(setgroups(0, NULL), 0);
}

static void run(unsigned seed)
{
    state = seed, hash = 14695981039346656037u;
    for (int i = 0; i < 150; i++) {
        step();
        look();
    }
    printf("%u: %016lx\n", seed, hash);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        show = 1;
        same_start();
        run((unsigned)atoi(argv[1]));
        return 0;
    }
    setbuf(stdout, NULL);
    same_start();
    for (unsigned seed = 0; seed < 100; seed++) {
        pid_t pid = fork();
        if (pid == 0) {
            run(seed);
            _exit(0);
        }
        wait_ok(pid);
    }
    return done();
}
