// SPDX-License-Identifier: MIT
// A process that is not dumpable cannot be looked into by others of the same user, its parent
// included, and its files in /proc belong to root. A change of ids makes it so; fork passes it on.
// covers: prctl, pidfd_getfd, process_vm_readv, setresuid
// needs: root
// trap: not container,old: such a host refuses pidfd_getfd
#include "check.h"
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define A 54321 // an id that owns nothing

static int word = 42;

static long opened(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -errno;
    close(fd);
    return 0;
}

static long owner(pid_t pid, const char *name)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d%s", pid, name);
    CHECK_EQ(stat(path, &st), 0);
    return st.st_uid;
}

static void look(pid_t pid, int dumpable)
{
    int got = 0;
    struct iovec to = {&got, sizeof(got)}, from = {&word, sizeof(word)};
    int pidfd = OK((int)syscall(SYS_pidfd_open, pid, 0));

    if (dumpable) {
        CHECK(process_vm_readv(pid, &to, 1, &from, 1, 0) == sizeof(got) && got == 42);
        CHECK_EQ(close(OK((int)syscall(SYS_pidfd_getfd, pidfd, 1, 0))), 0);
    } else {
        CHECK_ERR(process_vm_readv(pid, &to, 1, &from, 1, 0), EPERM);
        CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, 1, 0), EPERM);
    }
    CHECK_EQ(opened(pid, "environ"), dumpable ? 0 : -EACCES);
    CHECK_EQ(opened(pid, "status"), 0);
    CHECK_EQ(owner(pid, "/status"), dumpable ? A : 0);
    CHECK_EQ(owner(pid, ""), A);
    // So do directories that are open to all.
    CHECK_EQ(owner(pid, "/task"), A);
    CHECK_EQ(owner(pid, "/net"), A);
    CHECK_EQ(owner(pid, "/ns"), dumpable ? A : 0);
    close(pidfd);
}

int main(void)
{
    int down[2], up[2];
    char c;

    CHECK(prctl(PR_GET_DUMPABLE) == 1);
    CHECK_EQ(syscall(SYS_setresgid, A, A, A), 0);
    CHECK_EQ(syscall(SYS_setresuid, A, A, A), 0);
    CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);       // as fs.suid_dumpable has it
    CHECK_EQ(opened(getpid(), "ns"), -EACCES); // it may be gone through, not listed
    CHECK_EQ(opened(getpid(), "task"), 0);
    CHECK_EQ(opened(getpid(), "fd"), 0); // but its own descriptors
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    pid_t pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
        close(down[1]);
        while (read(down[0], &c, 1) == 1) {
            CHECK_EQ(prctl(PR_SET_DUMPABLE, c), 0);
            CHECK_EQ(write(up[1], &c, 1), 1);
        }
        _exit(0);
    }
    look(pid, 0);
    for (int i = 0; i < 2; i++) {
        c = (char)!i;
        CHECK_EQ(write(down[1], &c, 1), 1);
        CHECK_EQ(read(up[0], &c, 1), 1);
        look(pid, !i);
    }
    close(down[1]);
    wait_ok(pid);
    return 0;
}
