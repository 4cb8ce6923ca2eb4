// SPDX-License-Identifier: MIT
// A process that shares memory and descriptors with its parent can be killed at any instruction;
// the parent's own calls on descriptors go on.
// covers: clone, dup2, kill
// timeout: 60
#include "check.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));

static int busy(void *unused)
{
    (void)unused;
    for (;;)
        dup2(0, 100);
}

int main(void)
{
    struct stat st;
    int status;

    CHECK_EQ(mkdir("d", 0755), 0);
    close(OK(open("d/f", O_CREAT | O_WRONLY, 0644)));
    for (int round = 0; round < 200; round++) {
        pid_t pid = OK(clone(busy, stack + sizeof(stack), CLONE_VM | CLONE_FILES | SIGCHLD, NULL));

        for (int i = 0; i < round % 20; i++)
            CHECK_EQ(dup2(0, 101), 101);
        usleep(200 + round % 7 * 50);
        CHECK_EQ(kill(pid, SIGKILL), 0);
        if (round & 1)
            CHECK_EQ(stat("d/f", &st), 0);
        for (int i = 0; i < 5; i++)
            CHECK_EQ(dup2(0, 102), 102);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    return done();
}
