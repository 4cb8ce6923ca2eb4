// SPDX-License-Identifier: MIT
// A process that may not write into files reads /proc all the same, and takes its seccomp filters
// over execve.
// covers: setrlimit, open, read, execve, seccomp
#include "check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void all(void)
{
    static const char *const names[] = {"self/status", "self/maps",   "self/smaps", "self/mounts",
                                        "self/stat",   "self/limits", "version",    "self/cgroup",
                                        "net/unix",    "sysvipc/shm", "filesystems"};
    char path[64], text[512];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/proc/%s", names[i]);
        for (int flags = 0; flags < 2; flags++) {
            int fd = OK(open(path, flags ? O_RDONLY | O_CLOEXEC : O_RDONLY));
            CHECK_EQ(fcntl(fd, F_GETFD), flags ? FD_CLOEXEC : 0);
            long n, sum = 0;
            while ((n = OK(read(fd, text, sizeof text))) > 0)
                sum += n;
            CHECK(sum > 0);
            CHECK_ERR(write(fd, "x", 1), EBADF);
            int next = OK(dup(0)); // no other number was used up
            CHECK_EQ(next, fd + 1);
            CHECK_EQ(close(next), 0);
            CHECK_EQ(close(fd), 0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        const struct rlimit none = {0, 0};
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {4, code};
        CHECK_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
        all();
        CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
        execl("/proc/self/exe", argv[0], "again", NULL);
        CHECK(!"reached");
    }
    CHECK_ERR(syscall(SYS_getppid), 77);
    all();
    return 0;
}
