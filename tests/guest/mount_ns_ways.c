// SPDX-License-Identifier: MIT
// Ways into a mount namespace: clone with CLONE_NEWNS, as fork and as vfork; who may; what a child
// has of it behind fork, execve and another's umount; /proc tells them apart.
// covers: clone, mount, umount2, execve
// needs: root
#include "mountns.h"
#include <dirent.h>

static char stack_[65536] __attribute__((aligned(16)));

static int descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

// Is something mounted on m, by the list of process `pid`?
static int listed(const char *pid)
{
    char path[64], line[4096];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%s/mounts", pid);
    FILE *f = fopen(path, "r");
    while (fgets(line, sizeof line, f))
        found |= strstr(line, "/m tmpfs") != NULL;
    fclose(f);
    return found;
}

static void space_of(const char *pid, char *out)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/mnt", pid);
    ssize_t n = readlink(path, out, 63);
    CHECK(n > 0);
    out[n] = 0;
}

static int fds_, ready_[2], go_[2];
static char outer_[64];

static int in_child(void *arg)
{
    char own[64];
    CHECK_EQ(descriptors(), fds_);
    space_of("self", own);
    CHECK(strcmp(own, outer_) != 0);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    put_file("m/inside", "");
    CHECK_EQ(listed("self"), 1);
    if (arg) { // the same program again, in the same namespace
        execl("/proc/self/exe", "again", own, NULL);
        _exit(1);
    }
    sees_inside(ready_[1], go_[0]);
    _exit(0);
}

static pid_t spawn(int flags, void *arg)
{
    return clone(in_child, stack_ + sizeof stack_, flags | CLONE_NEWNS | SIGCHLD, arg);
}

int main(int argc, char **argv)
{
    char c, number[16], shown[64];

    if (argc == 2) {
        space_of("self", shown);
        CHECK_STR(shown, argv[1]);
        CHECK_EQ(access("m/inside", F_OK), 0);
        CHECK_EQ(umount2("m", 0), 0);
        return 0;
    }
    own_mounts();
    CHECK_EQ(mkdir("m", 0755), 0);
    CHECK_EQ(pipe(ready_) | pipe(go_), 0);
    fds_ = descriptors();
    space_of("self", outer_);

    pid_t pid = spawn(0, NULL);
    CHECK(pid > 0);
    CHECK_EQ(read(ready_[0], &c, 1), 1);
    snprintf(number, sizeof number, "%d", pid);
    CHECK_ERR(access("m/inside", F_OK), ENOENT);
    CHECK_EQ(listed("self"), 0);
    CHECK_EQ(listed(number), 1);
    space_of(number, shown);
    CHECK(strcmp(shown, outer_) != 0);
    space_of("self", shown);
    CHECK_STR(shown, outer_);
    // What is mounted here now is not there, on the same directory neither.
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    put_file("m/outside", "");
    CHECK_EQ(umount2("m", 0), 0);
    CHECK_EQ(write(go_[1], "x", 1), 1);
    wait_ok(pid);
    CHECK_EQ(descriptors(), fds_);

    pid = spawn(CLONE_VM | CLONE_VFORK, "again");
    CHECK(pid > 0);
    wait_ok(pid);
    CHECK_ERR(access("m/inside", F_OK), ENOENT);

    CHECK_EQ(descriptors(), fds_);

    pid = fork();
    if (pid == 0) {
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        CHECK_ERR(unshare(CLONE_NEWNS), EPERM);
        CHECK_ERR(spawn(0, NULL), EPERM);
        CHECK_ERR(spawn(CLONE_FS, NULL), EINVAL);
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
