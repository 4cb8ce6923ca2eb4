// SPDX-License-Identifier: MIT
// An open gives the lowest free number, however many there are below it, and whatever its path
// leads through: links, "..", directories that have not been used for a second; root's and a
// user's.
// covers: open, mq_open, dup
// needs: root
#include "check.h"
#include <mqueue.h>

static const char *const paths[] = {
    "f",        "d/f",      "link/f", "d/link2/f",         "../here/d/f", "d/../f",
    "d/e/../f", "link/new", "d/new",  "/proc/self/status", "/mq"};
#define PATHS (int)(sizeof(paths) / sizeof(*paths))
#define MQ (PATHS - 1)

static int make(int i, int n)
{
    char name[64];
    int fd;

    if (i != MQ)
        return open(paths[i], strstr(paths[i], "new") ? O_RDWR | O_CREAT | O_EXCL : O_RDONLY, 0600);
    snprintf(name, sizeof(name), "/fd-lowest-%d-%d", getpid(), n);
    fd = OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL));
    CHECK_EQ(mq_unlink(name), 0);
    return fd;
}

// The number behind the first `used`.
static void one(int i, int used, int uid, int rest)
{
    if (uid)
        become(uid, uid);
    for (int n = 3; n < used; n++)
        CHECK_EQ(dup(0), n);
    if (rest)
        usleep(1100000);
    CHECK_EQ(make(i, used), used);
    CHECK_EQ(dup(0), used + 1);
    _exit(0);
}

static void each(int used, int uid, int rest)
{
    pid_t pid[PATHS];

    for (int i = 0; i < PATHS; i++) {
        unlink("d/new");
        pid[i] = OK(fork());
        if (!pid[i])
            one(i, used, uid, rest);
        if (!rest)
            wait_ok(pid[i]);
    }
    for (int i = 0; i < PATHS && rest; i++)
        if (!strstr(paths[i], "new"))
            wait_ok(pid[i]);
        else
            CHECK_EQ(waitpid(pid[i], NULL, 0), pid[i]); // one of the two is late
}

int main(void)
{
    for (int fd = 3; fd < 1000; fd++)
        close(fd); // of who runs the test
    CHECK_EQ(mkdir("here", 0755) | chdir("here"), 0);
    CHECK_EQ(mkdir("d", 0777) | mkdir("d/e", 0777) | chmod("d", 0777) | chmod("..", 0755), 0);
    CHECK_EQ(symlink("d", "link") | symlink("e/..", "d/link2"), 0);
    put_file("f", "");
    put_file("d/f", "");
    CHECK_EQ(chmod("f", 0644) | chmod("d/f", 0644), 0);
    for (int uid = 0; uid <= 1000; uid += 1000) {
        for (int used = 28; used < 40; used++)
            each(used, uid, 0);
        for (int used = 252; used < 260; used++)
            each(used, uid, 0);
        for (int used = 30; used < 34; used++)
            each(used, uid, 1);
    }
    return done();
}
