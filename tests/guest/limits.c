// SPDX-License-Identifier: MIT
// Resource limits: read, lowered, raised again up to the hard limit, inherited, of another process,
// and their effect: RLIMIT_NOFILE, FSIZE with SIGXFSZ, CPU with SIGXCPU, SIGPENDING, NPROC's value.
// covers: getrlimit, setrlimit, prlimit64, write
#include "sig.h"
#include <sys/socket.h>

static volatile int got;

static void handler(int sig)
{
    got = sig;
}

static void set(int what, rlim_t soft, rlim_t hard)
{
    struct rlimit lim = {soft, hard};

    CHECK(setrlimit(what, &lim) == 0);
}

static void cpu(void)
{
    struct rlimit lim = {1, 2};

    signal(SIGXCPU, handler);
    CHECK(setrlimit(RLIMIT_CPU, &lim) == 0);
    while (!got)
        ;
    _exit(got == SIGXCPU ? 7 : 8);
}

int main(void)
{
    struct rlimit lim, old;
    union sigval v = {0};
    pid_t pid;
    int fd, n;

    for (int i = 0; i < RLIM_NLIMITS; i++) {
        CHECK(getrlimit(i, &lim) == 0 && lim.rlim_cur <= lim.rlim_max);
        CHECK(syscall(SYS_getrlimit, i, &old) == 0 && memcmp(&lim, &old, sizeof(lim)) == 0);
        CHECK(prlimit(0, i, &lim, &old) == 0);
    }
    CHECK_ERR(getrlimit(RLIM_NLIMITS, &lim), EINVAL);
    CHECK_ERR(setrlimit(-1, &lim), EINVAL);
    lim = (struct rlimit){2, 1};
    CHECK_ERR(setrlimit(RLIMIT_CORE, &lim), EINVAL);
    CHECK_ERR(syscall(SYS_getrlimit, RLIMIT_CORE, 8), EFAULT);
    CHECK_ERR(syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, 0), EFAULT);
    CHECK_ERR(prlimit(0x3fffffff, RLIMIT_CORE, NULL, &lim), ESRCH);

    // Descriptors.
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    set(RLIMIT_NOFILE, 20, old.rlim_max);
    for (n = 0; (fd = dup(0)) >= 0; n++)
        CHECK(fd < 20);
    CHECK(errno == EMFILE && n <= 17);
    CHECK_ERR(dup2(0, 20), EBADF);
    CHECK_ERR(fcntl(0, F_DUPFD, 20), EINVAL);
    CHECK_ERR(open("/", O_RDONLY), EMFILE);
    CHECK_ERR(socket(1, 1, 0), EMFILE);
    CHECK(access("/", F_OK) == 0); // needs none
    set(RLIMIT_NOFILE, old.rlim_cur, old.rlim_max);
    CHECK(close(OK(open("/", O_RDONLY))) == 0);
    for (int i = 3; i < 20; i++)
        close(i);

    // File size.
    signal(SIGXFSZ, handler);
    fd = OK(open("file", O_RDWR | O_CREAT, 0600));
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
    set(RLIMIT_FSIZE, 1000, old.rlim_max);
    CHECK_EQ(pwrite(fd, (char[200]){0}, 200, 900), 100); // up to the limit
    CHECK_ERR(pwrite(fd, "x", 1, 1000), EFBIG);
    CHECK_EQ(got, SIGXFSZ);
    got = 0;
    CHECK_ERR(ftruncate(fd, 1001), EFBIG);
    CHECK_EQ(got, SIGXFSZ);
    CHECK(ftruncate(fd, 1000) == 0);
    set(RLIMIT_FSIZE, old.rlim_cur, old.rlim_max);
    CHECK(pwrite(fd, "x", 1, 1000) == 1);
    got = 0;

    // Processor time.
    CHECK_EQ(status_of(cpu), 7 << 8);

    // Queued signals; the count is per user, so that only zero is sure.
    block(SIGRTMIN);
    CHECK(getrlimit(RLIMIT_SIGPENDING, &old) == 0);
    set(RLIMIT_SIGPENDING, 0, old.rlim_max);
    CHECK_ERR(sigqueue(getpid(), SIGRTMIN, v), EAGAIN);
    CHECK(kill(getpid(), SIGRTMIN) == 0 && is_pending(SIGRTMIN)); // kill needs no queue entry
    set(RLIMIT_SIGPENDING, old.rlim_cur, old.rlim_max);

    // A child inherits; a parent may change it.
    set(RLIMIT_CORE, 0, 0);
    int ready[2], gate[2];
    char c;
    CHECK(pipe(ready) == 0 && pipe(gate) == 0);
    pid = OK(fork());
    if (pid == 0) {
        CHECK(getrlimit(RLIMIT_CORE, &lim) == 0 && lim.rlim_max == 0);
        CHECK(write(ready[1], "r", 1) == 1 && read(gate[0], &c, 1) == 1);
        CHECK(getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur == 33);
        CHECK_ERR(fcntl(0, F_DUPFD, 33), EINVAL);
        _exit(0);
    }
    CHECK(read(ready[0], &c, 1) == 1);
    CHECK(prlimit(pid, RLIMIT_NOFILE, NULL, &lim) == 0);
    lim.rlim_cur = 33;
    CHECK(prlimit(pid, RLIMIT_NOFILE, &lim, &old) == 0 && old.rlim_cur != 33);
    CHECK(write(gate[1], "g", 1) == 1);
    wait_ok(pid);
    return done();
}
