// SPDX-License-Identifier: MIT
// Several processes make the same directory, and each something in it as soon as it is there: what
// one has made does not go away because another finds it new (PostgreSQL's temporary directories).
// covers: mkdir, rmdir, mknod
// needs: root
// timeout: 40
#include "check.h"

#define MAKERS 3
#define ROUNDS 400

static void make_inside(int me, int round)
{
    char base[32], own[64], node[64];

    snprintf(base, sizeof(base), "d%d", round);
    snprintf(own, sizeof(own), "d%d/m%d", round, me);
    snprintf(node, sizeof(node), "n%d", round);
    for (int i = 0; i < 2; i++) {
        if (mkdir(own, 0750) == 0)
            break;
        CHECK_EQ(errno, ENOENT);
        CHECK_EQ(i, 0); // the second time the directory is there
        CHECK(mkdir(base, 0750) == 0 || errno == EEXIST);
    }
    CHECK_EQ(stat_of(base).st_uid, 1000);
    CHECK(mknod(node, S_IFREG | 0440, 0) == 0 || errno == EEXIST);
    CHECK_EQ(mode_of(node), 0440);
    CHECK_EQ(stat_of(own).st_uid, 1000);
}

int main(void)
{
    pid_t pid[MAKERS];
    char name[64];

    CHECK_EQ(chmod(".", 0777), 0);
    umask(0);
    for (int me = 0; me < MAKERS; me++) {
        pid[me] = OK(fork());
        if (pid[me] == 0) {
            become(1000, 1000);
            for (int round = 0; round < ROUNDS; round++)
                make_inside(me, round);
            _exit(0);
        }
    }
    for (int me = 0; me < MAKERS; me++)
        wait_ok(pid[me]);
    for (int round = 0; round < ROUNDS; round++)
        for (int me = 0; me < MAKERS; me++) {
            snprintf(name, sizeof(name), "d%d/m%d", round, me);
            CHECK_EQ(stat_of(name).st_uid, 1000);
        }
    return done();
}
