// SPDX-License-Identifier: MIT
// A directory holds any number of symlinks that belong to others than itself: as chown -R changes
// them one by one, with several owners, from several processes, and while some are removed and made
// anew.
// covers: lchown, symlink, unlink, rename, chown
// needs: root
#include <sys/wait.h>

#include "check.h"

#define LINKS 250
#define PROCESSES 3

static char *name(int i)
{
    static char text[2][64];
    static int turn;
    char *s = text[turn ^= 1];
    snprintf(s, sizeof *text, "d/link%d", i);
    return s;
}

static void owner_is(int i, unsigned uid, unsigned gid)
{
    struct stat st;
    CHECK_EQ(lstat(name(i), &st), 0);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, gid);
}

static void make_all(void)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    for (int i = 0; i < LINKS; i++)
        CHECK_EQ(symlink("x", name(i)), 0);
}

static void remove_all(void)
{
    for (int i = 0; i < LINKS; i++)
        CHECK_EQ(unlink(name(i)), 0);
    CHECK_EQ(rmdir("d"), 0);
}

static void recursively(void)
{
    make_all();
    for (int user = 1000; user < 1003; user++) {
        for (int i = 0; i < LINKS; i++) {
            CHECK_EQ(lchown(name(i), user, user + 10), 0);
            owner_is(i, user, user + 10);
            if (i + 1 < LINKS)
                owner_is(i + 1, user == 1000 ? 0 : user - 1, user == 1000 ? 0 : user + 9);
        }
        CHECK_EQ(chown("d", user, user + 10), 0);
        for (int i = 0; i < LINKS; i++)
            owner_is(i, user, user + 10);
    }
    CHECK_EQ(chown("d", 5, 6), 0);
    for (int i = 0; i < LINKS; i++)
        owner_is(i, 1002, 1012);
    remove_all();
}

// What is made under a name again is its maker's, and what gets the name by rename stays its
// owner's.
static void again(void)
{
    make_all();
    for (int i = 0; i < LINKS; i++)
        CHECK_EQ(lchown(name(i), 1000 + i % 5, 2000), 0);
    for (int i = 0; i < LINKS; i += 2)
        CHECK_EQ(unlink(name(i)) | symlink("x", name(i)), 0);
    for (int i = 0; i < LINKS; i++)
        owner_is(i, i % 2 ? 1000 + i % 5 : 0, i % 2 ? 2000 : 0);
    for (int i = 0; i + 1 < LINKS; i += 2)
        CHECK_EQ(rename(name(i + 1), name(i)), 0);
    for (int i = 0; i + 1 < LINKS; i += 2) {
        owner_is(i, 1000 + (i + 1) % 5, 2000);
        CHECK_EQ(symlink("x", name(i + 1)), 0);
        owner_is(i + 1, 0, 0);
    }
    CHECK_EQ(rename("d", "e") | rename("e", "d"), 0);
    owner_is(0, 1001, 2000);
    remove_all();
}

// Each process has its own names, and sees its own changes.
static void work(int process)
{
    for (int round = 0; round < 3; round++) {
        for (int i = process; i < LINKS; i += PROCESSES) {
            unsigned user = (unsigned)(1000 + 10 * process + round);
            if (i / PROCESSES % 4 == round)
                CHECK_EQ(unlink(name(i)) | symlink("x", name(i)), 0);
            CHECK_EQ(lchown(name(i), user, user), 0);
            owner_is(i, user, user);
        }
        for (int i = process; i < LINKS; i += PROCESSES)
            owner_is(i, (unsigned)(1000 + 10 * process + round),
                     (unsigned)(1000 + 10 * process + round));
    }
}

static void together(void)
{
    pid_t pid[PROCESSES];
    int status;
    make_all();
    for (int p = 0; p < PROCESSES; p++) {
        pid[p] = fork();
        if (!pid[p]) {
            work(p);
            _exit(done());
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        CHECK_EQ(waitpid(pid[p], &status, 0), pid[p]);
        CHECK_EQ(status, 0);
    }
    for (int i = 0; i < LINKS; i++)
        owner_is(i, (unsigned)(1002 + 10 * (i % PROCESSES)),
                 (unsigned)(1002 + 10 * (i % PROCESSES)));
    remove_all();
}

int main(void)
{
    recursively();
    again();
    together();
    return done();
}
