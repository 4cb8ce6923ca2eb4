// SPDX-License-Identifier: MIT
// Dropping identity: setuid by root is for good, seteuid may come back, setreuid and setresuid by
// their rules, setfsuid follows and answers with the old value; what a user may still set; -1
// keeps; saved ids; /proc/self/status agrees; children and executed programs inherit.
// covers: setuid, setreuid, setresuid, setgid, setregid, setresgid, setfsuid, setfsgid
// covers: getuid, geteuid, getgid, getegid, getresuid, getresgid, setgroups, getgroups
// needs: root
#include "sig.h"
#include <sys/fsuid.h>

static void uids(uid_t r, uid_t e, uid_t s, uid_t f)
{
    uid_t a, b, c;
    unsigned v[4];
    const char *line = strstr(get_file("/proc/self/status"), "\nUid:");

    CHECK(getresuid(&a, &b, &c) == 0);
    CHECK_EQ(a, r);
    CHECK_EQ(b, e);
    CHECK_EQ(c, s);
    CHECK(getuid() == r && geteuid() == e);
    CHECK(line && sscanf(line + 5, "%u %u %u %u", &v[0], &v[1], &v[2], &v[3]) == 4);
    CHECK(v[0] == r && v[1] == e && v[2] == s && v[3] == f);
    CHECK_EQ(setfsuid(-1), f);
}

static void gids(gid_t r, gid_t e, gid_t s)
{
    gid_t a, b, c;

    CHECK(getresgid(&a, &b, &c) == 0 && a == r && b == e && c == s);
    CHECK(getgid() == r && getegid() == e);
}

static void for_good(void)
{
    CHECK(setgroups(0, NULL) == 0 && setgid(2000) == 0 && setuid(1000) == 0);
    uids(1000, 1000, 1000, 1000);
    gids(2000, 2000, 2000);
    CHECK_ERR(setuid(0), EPERM);
    CHECK_ERR(seteuid(0), EPERM);
    CHECK_ERR(setreuid(0, -1), EPERM);
    CHECK_ERR(setresuid(-1, -1, 0), EPERM);
    CHECK_ERR(setgid(0), EPERM);
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK_EQ(setfsuid(0), 1000);
    uids(1000, 1000, 1000, 1000);
    CHECK(setuid(1000) == 0 && setreuid(-1, 1000) == 0);
}

static void and_back(void)
{
    CHECK(seteuid(1000) == 0);
    uids(0, 1000, 0, 1000);
    CHECK_ERR(setuid(1001), EPERM);
    CHECK_ERR(setgroups(0, NULL), EPERM);
    CHECK(setuid(0) == 0); // one of its own: only the effective one
    uids(0, 0, 0, 0);
    CHECK(setresuid(1000, 1001, 1002) == 0);
    uids(1000, 1001, 1002, 1001);
    CHECK(setresuid(-1, 1002, -1) == 0 && seteuid(1000) == 0);
    uids(1000, 1000, 1002, 1000);
    CHECK(setreuid(1002, -1) == -1 && errno == EPERM); // neither real nor effective
    CHECK(setresuid(1002, 1000, 1000) == 0);
    uids(1002, 1000, 1000, 1000);
    CHECK_ERR(setresuid(0, -1, -1), EPERM);
}

// setreuid sets the saved id when the real one is given or the effective one leaves it.
static void saved(void)
{
    CHECK(setreuid(-1, 1000) == 0);
    uids(0, 1000, 1000, 1000);
    CHECK(setreuid(1000, 0) == 0); // the real one is still 0
    uids(1000, 0, 0, 0);
    CHECK(setreuid(1000, 1000) == 0);
    uids(1000, 1000, 1000, 1000);
    CHECK_ERR(setreuid(-1, 0), EPERM);
}

static void file_system_id(void)
{
    CHECK_EQ(setfsuid(1234), 0);
    uids(0, 0, 0, 1234);
    CHECK_EQ(setfsgid(2345), 0);
    CHECK_EQ(setfsgid(-1), 2345);
    CHECK_EQ(setfsuid(-1), 1234);
    close(OK(open("made", O_WRONLY | O_CREAT, 0600)));
    struct stat st = stat_of("made");
    CHECK(st.st_uid == 1234 && st.st_gid == 2345);
    CHECK(seteuid(0) == 0); // sets it again
    CHECK_EQ(setfsuid(-1), 0);
}

static void groups(void)
{
    gid_t set[3] = {30, 10, 20}, got[4] = {0};
    gid_t many[65536 + 1];

    CHECK(setgroups(3, set) == 0);
    CHECK_EQ(getgroups(0, NULL), 3);
    CHECK_ERR(getgroups(2, got), EINVAL);
    CHECK_EQ(getgroups(4, got), 3);
    CHECK(got[0] + got[1] + got[2] == 60);
    CHECK(strstr(get_file("/proc/self/status"), "\nGroups:\t10 20 30 \n")); // sorted
    CHECK_ERR(syscall(SYS_getgroups, -1, got), EINVAL);
    CHECK_ERR(syscall(SYS_setgroups, 65537, many), EINVAL);
    CHECK_ERR(syscall(SYS_setgroups, 2, 8), EFAULT);
    CHECK_ERR(syscall(SYS_getgroups, 4, 8), EFAULT);
    CHECK(setgroups(0, NULL) == 0 && getgroups(4, got) == 0);
    CHECK(setegid(10) == 0);
    gids(0, 10, 0);
    CHECK(setregid(20, -1) == 0 && setresgid(-1, -1, 30) == 0);
    gids(20, 10, 30);
    CHECK_ERR(setgid(-1), EINVAL);
    CHECK_ERR(setuid(-1), EINVAL);
    CHECK_ERR(syscall(SYS_getresuid, 8, 8, 8), EFAULT);
}

int main(void)
{
    static void (*const tests[])(void) = {for_good, and_back, saved, file_system_id, groups};

    CHECK(chmod(".", 0777) == 0 && setgroups(0, NULL) == 0 && setresgid(0, 0, 0) == 0);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        CHECK_EQ(status_of(tests[i]), 0);
    uids(0, 0, 0, 0);
    return done();
}
