// SPDX-License-Identifier: MIT
// A process that is killed while it makes and removes queues leaves one that is whole or none:
// whoever comes next finds it as its maker wanted it, or can make it, and nobody waits for the
// dead.
// covers: mq_open, mq_unlink
// timeout: 60
#include "check.h"
#include <mqueue.h>
#include <stdbool.h>
#include <time.h>

#define KILLS 150
#define MAKERS 3

static _Noreturn void make_and_remove(const char *name)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};

    for (;;) {
        mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0640, &attr);
        CHECK(q >= 0 || errno == EEXIST);
        mq_close(q);
        CHECK(mq_unlink(name) == 0 || errno == ENOENT);
    }
}

int main(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 16}, is;
    struct timespec from, to;
    char name[32];

    if (geteuid() == 0) {
        CHECK_EQ(setgroups(0, NULL), 0);
        CHECK_EQ(setresgid(1000, 1000, 1000), 0);
        CHECK_EQ(setresuid(1001, 1001, 1001), 0);
    }
    umask(022);
    snprintf(name, sizeof(name), "/mq-killed-%d", getpid());
    srand(1);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < KILLS; i++) {
        pid_t pids[MAKERS];
        struct stat st;

        for (int m = 0; m < MAKERS; m++) {
            pids[m] = OK(fork());
            if (pids[m] == 0)
                make_and_remove(name);
        }
        usleep(500 + (useconds_t)(rand() % 2000));
        for (int m = 0; m < MAKERS; m++)
            CHECK_EQ(kill(pids[m], SIGKILL), 0);
        for (int m = 0; m < MAKERS; m++)
            CHECK_EQ(waitpid(pids[m], NULL, 0), pids[m]);
        mqd_t q = mq_open(name, O_RDWR);
        CHECK(q >= 0 || errno == ENOENT);
        bool made = q < 0;
        if (made) {
            q = OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0604, &attr));
        }
        CHECK(fstat(q, &st) == 0 && mq_getattr(q, &is) == 0);
        CHECK_EQ(st.st_mode & 07777, made ? 0604 : 0640);
        CHECK_EQ(st.st_uid, geteuid());
        CHECK_EQ(is.mq_maxmsg, made ? 2 : 1);
        CHECK_EQ(mq_close(q), 0);
        CHECK_EQ(mq_unlink(name), 0);
        CHECK_ERR(mq_unlink(name), ENOENT);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    CHECK(to.tv_sec - from.tv_sec < 30);
    return done();
}
