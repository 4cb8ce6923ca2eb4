// SPDX-License-Identifier: MIT
// pivot_root(2) changes the root, and the working directory where it is that, of every process in
// the mount namespace: of a parent, as for the command pivot_root, and of one that executes
// something then; twice, too. Not of one with another root, nor of one in another namespace.
// covers: pivot_root, chroot, unshare, mount
// needs: root
#include "mountns.h"

static char base_[4096];

static void pivot(const char *new, const char *old)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(syscall(SYS_pivot_root, new, old) ? 1 : 0);
    wait_ok(pid);
}

static int ready_[2], hold_[2];

// A process of another root, or else of another namespace, which looks at its own when all is done.
static pid_t watcher(void check(void), const char *chroot_to)
{
    char c;
    pid_t pid = fork();
    if (pid)
        return pid;
    if (chroot_to)
        CHECK_EQ(chroot(chroot_to), 0);
    else
        CHECK_EQ(unshare(CLONE_NEWNS), 0);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(close(hold_[1]), 0);
    CHECK_EQ(write(ready_[1], "x", 1), 1);
    CHECK_EQ(read(hold_[0], &c, 1), 0);
    check();
    _exit(0);
}

static void in_jail(void)
{
    CHECK_EQ(access("/jailed", F_OK), 0);
    CHECK_EQ(access("jailed", F_OK), 0);
}

static void outside(void)
{
    char path[5000];
    snprintf(path, sizeof path, "%s/marker", base_);
    CHECK_EQ(access(path, F_OK), 0);
    CHECK_EQ(access(path + 1, F_OK), 0);
}

int main(int argc, char **argv)
{
    char c, path[5000], old[5000];

    if (argc == 2) {
        CHECK_EQ(access("/second", F_OK), 0);
        CHECK_ERR(access(argv[1], F_OK), ENOENT);
        return 0;
    }
    own_mounts();
    CHECK(getcwd(base_, sizeof base_) != NULL);
    put_file("marker", "");
    CHECK_EQ(mkdir("jail", 0755) | mkdir("root", 0755), 0);
    put_file("jail/jailed", "");
    CHECK_EQ(pipe(ready_) | pipe(hold_), 0);
    CHECK_EQ(mount("none", "root", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("root/old", 0755) | mkdir("root/next", 0755), 0);
    put_file("root/first", "");
    CHECK_EQ(mount("none", "root/next", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("root/next/old", 0755), 0);
    put_file("root/next/second", "");
    int self = OK(open("/proc/self/exe", O_PATH));
    pid_t jailed = watcher(in_jail, "jail"), other = watcher(outside, NULL);
    CHECK_EQ(read(ready_[0], &c, 1) + read(ready_[0], &c, 1), 2);
    CHECK_EQ(chdir("/"), 0);
    snprintf(path, sizeof path, "%s/root", base_);
    snprintf(old, sizeof old, "%s/root/old", base_);
    pivot(path, old);
    CHECK_EQ(access("/first", F_OK), 0);
    CHECK_EQ(access("first", F_OK), 0); // the working directory was the old root
    snprintf(path, sizeof path, "/old%s/marker", base_);
    CHECK_EQ(access(path, F_OK), 0);
    CHECK_EQ(chdir("/old"), 0);
    pivot("/next", "/next/old");
    CHECK_EQ(access("/second", F_OK), 0);
    CHECK_ERR(access("/first", F_OK), ENOENT);
    CHECK_EQ(access("/old/first", F_OK), 0);
    CHECK_EQ(access(base_ + 1, F_OK), 0); // /old of before, which it still is
    pid_t pid = fork();
    if (pid == 0) {
        fexecve(self, (char *[]){"again", path, NULL}, environ);
        _exit(1);
    }
    wait_ok(pid);
    CHECK_EQ(umount2("/old", MNT_DETACH), 0);
    CHECK_ERR(access("/old/first", F_OK), ENOENT);
    CHECK_EQ(close(hold_[1]), 0);
    wait_ok(jailed);
    wait_ok(other);
    return done();
}
