// SPDX-License-Identifier: MIT
// noexec and nosuid of a mount hold however a program in it is named: by path, by descriptor, by
// one that came from another process, by a descriptor's link in /proc.
// covers: execve, execveat, mount
// needs: root
#include "exec.h"
#include "mountns.h"
#include "scm.h"

static int exec_as(int fd, const char *path, int flags)
{
    char *argv[] = {"prog", "euid", NULL}, *env[] = {NULL};
    int status;
    pid_t pid = OK(fork());

    if (!pid) {
        syscall(SYS_execveat, fd, path, argv, env, flags);
        _exit(errno);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// The file as another process opened it, whose descriptor says nothing of where it lies.
static int from_other(const char *path)
{
    int s[2], fd, flags;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        fd = OK(open(path, O_RDONLY));
        CHECK_EQ(send_fds(s[0], &fd, 1), 1);
        _exit(0);
    }
    CHECK_EQ(recv_fds(s[1], &fd, 1, 0, &flags), 1);
    wait_ok(pid);
    close(s[0]);
    close(s[1]);
    return fd;
}

static void all_ways(const char *path, int expected)
{
    int fds[] = {OK(open(path, O_RDONLY)), OK(open(path, O_PATH)), from_other(path)};
    char link[64];

    CHECK_EQ(exec_as(AT_FDCWD, path, 0), expected);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(exec_as(fds[i], "", AT_EMPTY_PATH), expected);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fds[i]);
        CHECK_EQ(exec_as(AT_FDCWD, link, 0), expected);
        close(fds[i]);
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 2)
        return geteuid() ? 100 : 101;
    own_mounts();
    CHECK_EQ(mkdir("m", 0755), 0);
    CHECK_EQ(mount("t", "m", "tmpfs", 0, NULL), 0);
    copy_self("m/prog", 0755);
    all_ways("m/prog", 101);
    CHECK_EQ(chown("m/prog", 1000, 1000), 0);
    CHECK_EQ(chmod("m/prog", 04755), 0);
    all_ways("m/prog", 100);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID, NULL), 0);
    all_ways("m/prog", 101);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC, NULL), 0);
    all_ways("m/prog", EACCES);
    CHECK_EQ(umount("m"), 0);
    return done();
}
