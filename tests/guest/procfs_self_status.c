// SPDX-License-Identifier: MIT
// /proc/self/status, stat, statm, comm, limits: they parse, and tell what the calls tell.
// covers: open, read, prctl, getpid, getppid, umask, prlimit64
#include "check.h"
#include <sys/prctl.h>
#include <sys/resource.h>

// The rest of the line that begins with the key.
// trap: not nested: a hard limit of descriptors below those of the inner lxcore shows as the soft one
static const char *field(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    if (!at || (at != text && at[-1] != '\n'))
        check_failed(__FILE__, __LINE__, key, "no such line");
    return at + strlen(key);
}

int main(void)
{
    unsigned ids[4], pid, ppid;
    struct rlimit lim;
    const char *text;
    char path[64], state, name[32];
    long soft, hard;

    CHECK_EQ(prctl(PR_SET_NAME, "a (name) here!!"), 0);
    CHECK_STR(get_file("/proc/self/comm"), "a (name) here!!\n");
    umask(037);
    text = get_file("/proc/self/status");
    CHECK_EQ(strncmp(field(text, "Name:\t"), "a (name) here!!\n", 16), 0);
    CHECK_EQ(atoi(field(text, "Pid:")), getpid());
    CHECK_EQ(atoi(field(text, "Tgid:")), getpid());
    CHECK_EQ(atoi(field(text, "PPid:")), getppid());
    CHECK_EQ(atoi(field(text, "TracerPid:")), 0);
    CHECK_EQ(strtol(field(text, "Umask:"), NULL, 8), 037);
    CHECK_EQ(atoi(field(text, "Threads:")), 1);
    CHECK_EQ(sscanf(field(text, "Uid:"), "%u%u%u%u", ids, ids + 1, ids + 2, ids + 3), 4);
    CHECK(ids[0] == getuid() && ids[1] == geteuid() && ids[2] == geteuid() && ids[3] == geteuid());
    CHECK_EQ(sscanf(field(text, "Gid:"), "%u%u%u%u", ids, ids + 1, ids + 2, ids + 3), 4);
    CHECK(ids[0] == getgid() && ids[1] == getegid() && ids[3] == getegid());
    CHECK(strtol(field(text, "VmRSS:"), NULL, 10) > 0);
    CHECK_EQ(strtoull(field(text, "SigBlk:"), NULL, 16), 0);
    CHECK_EQ(strtoull(field(text, "SigCgt:"), NULL, 16), 0);
    CHECK_EQ(atoi(field(text, "NoNewPrivs:")), 0);
    CHECK_EQ(atoi(field(text, "Seccomp:")), 0);

    snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
    text = get_file(path);
    CHECK_EQ(sscanf(text, "%u (%15[^!]!!) %c %u", &pid, name, &state, &ppid), 4);
    CHECK_EQ(pid, getpid());
    CHECK_STR(name, "a (name) here");
    CHECK_EQ(state, 'R');
    CHECK_EQ(ppid, getppid());
    CHECK_EQ(sscanf(get_file("/proc/self/statm"), "%ld %ld", &soft, &hard), 2);
    CHECK(soft > 0 && hard > 0 && soft >= hard);

    lim = (struct rlimit){100, 200};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    text = get_file("/proc/self/limits");
    CHECK_EQ(sscanf(field(text, "Max open files"), "%ld %ld", &soft, &hard), 2);
    CHECK_EQ(soft, 100);
    CHECK_EQ(hard, 200);
    CHECK_ERR(open("/proc/self/missing", O_RDONLY), ENOENT);
    return done();
}
