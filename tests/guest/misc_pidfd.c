// SPDX-License-Identifier: MIT
// pidfd_getfd copies a descriptor out of another process; kcmp tells shared and separate resources;
// process_mrelease of a dying process; and the errors of each.
// covers: pidfd_getfd, kcmp, process_mrelease, pidfd_open, pidfd_send_signal
// trap: not nested,container,old: the outer lxrun does not tell which process a directory of /proc stood for once that has ended; such a host refuses pidfd_getfd and kcmp
#include "sig.h"
#include <linux/kcmp.h>

static int kcmp(pid_t a, pid_t b, int type, int fa, int fb)
{
    return syscall(SYS_kcmp, a, b, type, fa, fb);
}

int main(void)
{
    int ready[2], gate[2], p[2], pidfd, fd, copy, dir, st;
    char path[64];
    pid_t me = getpid(), pid;
    char c;

    CHECK(pipe(ready) == 0 && pipe(gate) == 0 && pipe(p) == 0);
    fd = dup(p[1]);
    pid = OK(fork());
    if (pid == 0) {
        close(p[0]);
        CHECK(dup2(p[1], 90) == 90 && open("file", O_RDWR | O_CREAT, 0600) >= 0);
        CHECK(write(ready[1], "r", 1) == 1 && read(gate[0], &c, 1) == 1);
        _exit(0);
    }
    CHECK(read(ready[0], &c, 1) == 1);
    pidfd = OK((int)syscall(SYS_pidfd_open, pid, 0));
    copy = OK((int)syscall(SYS_pidfd_getfd, pidfd, 90, 0));
    CHECK(fcntl(copy, F_GETFD) == FD_CLOEXEC);
    CHECK(write(copy, "x", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'x');
    CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, 91, 0), EBADF);
    CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, 90, 1), EINVAL);
    CHECK_ERR(syscall(SYS_pidfd_getfd, p[0], 90, 0), EBADF);
    CHECK_ERR(syscall(SYS_pidfd_getfd, -1, 90, 0), EBADF);

    CHECK_EQ(kcmp(me, me, KCMP_FILE, fd, p[1]), 0);
    CHECK_EQ(kcmp(me, pid, KCMP_FILE, p[1], 90), 0);
    CHECK(kcmp(me, pid, KCMP_FILE, p[0], 90) > 0);
    CHECK(kcmp(me, pid, KCMP_VM, 0, 0) > 0 && kcmp(me, me, KCMP_VM, 0, 0) == 0);
    CHECK(kcmp(me, pid, KCMP_FILES, 0, 0) > 0);
    CHECK_ERR(kcmp(me, pid, KCMP_FILE, 900, 90), EBADF);
    CHECK_ERR(kcmp(me, pid, 99, 0, 0), EINVAL);
    for (int n = 800; n < 1100; n++) // none of which is open here
        CHECK_ERR(kcmp(me, me, KCMP_FILE, n, fd) | kcmp(me, me, KCMP_FILE, fd, n), EBADF);
    CHECK_ERR(kcmp(me, 0x3fffffff, KCMP_VM, 0, 0), ESRCH);

    CHECK_ERR(syscall(SYS_process_mrelease, pidfd, 1), EINVAL);
    CHECK_ERR(syscall(SYS_process_mrelease, -1, 0), EBADF);
    CHECK_ERR(syscall(SYS_process_mrelease, pidfd, 0), EINVAL); // not dying
    // A directory /proc/PID is as good for a signal, one of a thread or a path alone is not.
    snprintf(path, sizeof path, "/proc/%d", pid);
    dir = OK(open(path, O_RDONLY | O_DIRECTORY));
    CHECK(syscall(SYS_pidfd_send_signal, dir, 0, NULL, 0) == 0);
    CHECK_ERR(syscall(SYS_pidfd_getfd, dir, 90, 0), EBADF);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, OK(open(path, O_PATH)), 0, NULL, 0), EBADF);
    snprintf(path, sizeof path, "/proc/%d/task/%d", pid, pid);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, OK(open(path, O_RDONLY)), 0, NULL, 0), EBADF);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, OK(open("/proc", O_RDONLY)), 0, NULL, 0), EBADF);
    CHECK(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0);
    CHECK(syscall(SYS_process_mrelease, pidfd, 0) == 0 || errno == ESRCH || errno == EAGAIN);
    CHECK(waitpid(pid, &st, 0) == pid && st == SIGKILL);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), ESRCH);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, dir, 0, NULL, 0), ESRCH);
    CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, 90, 0), ESRCH);
    return done();
}
