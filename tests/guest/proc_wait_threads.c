// SPDX-License-Identifier: MIT
// Children belong to the process: any thread may wait for one that another thread made.
// Many threads that wait for any child share them out without loss.
// covers: wait4, fork
#include "sig.h"

#define CHILDREN 64
static atomic_int reaped, codes;
static pid_t made;

static void *make(void *arg)
{
    made = OK(fork());
    if (made == 0)
        _exit(12);
    return arg;
}

static void *take(void *arg)
{
    pid_t pid;
    int st;

    while ((pid = waitpid(-1, &st, 0)) > 0) {
        CHECK(WIFEXITED(st));
        atomic_fetch_add(&reaped, 1);
        atomic_fetch_add(&codes, WEXITSTATUS(st));
    }
    CHECK_EQ(errno, ECHILD);
    return arg;
}

int main(void)
{
    pthread_t th[4];
    int st, gate[2], sum = 0;
    char c;

    CHECK(pthread_create(&th[0], NULL, make, NULL) == 0 && pthread_join(th[0], NULL) == 0);
    CHECK(waitpid(made, &st, 0) == made && st == 12 << 8);
    CHECK(pipe(gate) == 0);
    for (int i = 0; i < CHILDREN; i++) {
        pid_t pid = OK(fork());

        if (pid == 0) {
            close(gate[1]);
            CHECK(read(gate[0], &c, 1) == 0);
            _exit(i);
        }
        sum += i;
    }
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&th[i], NULL, take, NULL) == 0);
    close(gate[1]);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    CHECK(reaped == CHILDREN && codes == sum);
    return done();
}
