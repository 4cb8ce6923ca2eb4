// SPDX-License-Identifier: MIT
// select and pselect6: bits come back for what is ready, above 64 descriptors too; bad ones fail
// all.
// covers: select, pselect6
#include "sig.h"
#include <sys/select.h>

static volatile sig_atomic_t seen;

static void handler(int sig)
{
    seen += sig == SIGUSR1;
}

int main(void)
{
    struct {
        const sigset_t *set;
        size_t size;
    } mask = {NULL, 8};
    struct timeval zero = {0, 0}, hour = {3600, 0};
    sigset_t block = sigset_of(SIGUSR1), none = sigset_of(0);
    fd_set rd, wr, ex;
    int p[2];

    CHECK_EQ(pipe(p), 0);
    CHECK_EQ(dup2(p[0], 200), 200);
    CHECK_EQ(dup2(p[1], 201), 201);
    FD_ZERO(&rd);
    FD_ZERO(&wr);
    FD_ZERO(&ex);
    FD_SET(200, &rd);
    FD_SET(p[0], &rd);
    FD_SET(201, &wr);
    FD_SET(200, &ex);
    CHECK_EQ(select(202, &rd, &wr, &ex, &zero), 1);
    CHECK(!FD_ISSET(200, &rd) && !FD_ISSET(p[0], &rd) && FD_ISSET(201, &wr));
    CHECK(!FD_ISSET(200, &ex));
    CHECK_EQ(write(p[1], "x", 1), 1);
    FD_SET(200, &rd);
    FD_SET(p[0], &rd);
    CHECK_EQ(syscall(SYS_select, 202, &rd, &wr, NULL, &hour), 3);
    CHECK(FD_ISSET(200, &rd) && FD_ISSET(p[0], &rd) && FD_ISSET(201, &wr));
    // Bits at nfds and above are not looked at.
    FD_ZERO(&rd);
    FD_SET(150, &rd);
    CHECK_EQ(select(150, &rd, NULL, NULL, &zero), 0);
    FD_SET(150, &rd);
    CHECK_ERR(select(151, &rd, NULL, NULL, &zero), EBADF);
    CHECK_ERR(select(-1, NULL, NULL, NULL, &zero), EINVAL);
    CHECK_EQ(select(0, NULL, NULL, NULL, &zero), 0);
    zero.tv_sec = -1;
    CHECK_ERR(select(0, NULL, NULL, NULL, &zero), EINVAL);
    CHECK_ERR(syscall(SYS_select, 202, bad_ptr, NULL, NULL, &zero), EINVAL);
    zero.tv_sec = 0;
    CHECK_ERR(syscall(SYS_select, 202, bad_ptr, NULL, NULL, &zero), EFAULT);

    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    CHECK_EQ(sigprocmask(SIG_SETMASK, &block, NULL), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(pselect(0, NULL, NULL, NULL, &(struct timespec){0, 0}, &block), 0);
    CHECK_EQ(seen, 0);
    CHECK_ERR(pselect(0, NULL, NULL, NULL, NULL, &none), EINTR);
    CHECK_EQ(seen, 1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &none), 0);
    CHECK_EQ(sigismember(&none, SIGUSR1), 1);
    FD_ZERO(&rd);
    FD_SET(200, &rd);
    CHECK_EQ(syscall(SYS_pselect6, 201, &rd, NULL, NULL, NULL, &mask), 1);
    mask.set = &block, mask.size = 4;
    CHECK_ERR(syscall(SYS_pselect6, 201, &rd, NULL, NULL, NULL, &mask), EINVAL);
    return done();
}
