// SPDX-License-Identifier: MIT
// Threads of several users look at files in more directories than are kept open, while another
// takes search permission away and gives it back, moves a directory and changes the working
// directory that all share: each call that began after the change is of the state after it, and no
// thread passes by what another one may.
// covers: stat, open, chmod, rename, chdir, setresuid
// needs: root
// timeout: 60
#include "check.h"
#include <pthread.h>
#include <sys/syscall.h>

#define DIRS 12
#define ROUNDS 300
#define READERS 4

static _Atomic unsigned phase;    // uneven: a change is on its way
static _Atomic unsigned looks[4]; // that met no change
static volatile int ended;
static char base[200]; // the directory of it all

// What a user finds at a path in a phase: 0 or errno.
static int expected(unsigned at, int path, unsigned uid)
{
    unsigned state = at / 2 % 6;

    if (path < DIRS)
        return path % 2 && uid != 1000 ? EACCES : 0; // a directory of uid 1000's own
    if (path == DIRS)
        return state == 1 || state == 3 ? EACCES : 0; // gate: closed, or another in its place
    return state == 4 ? EACCES : 0;                   // by the working directory
}

static void name_of(int path, char *out)
{
    if (path < DIRS)
        sprintf(out, "%s/d%d/s/f", base, path);
    else if (path == DIRS)
        sprintf(out, "%s/gate/s/f", base);
    else
        strcpy(out, path == DIRS + 1 ? "p/q/f" : "f");
}

static void *reader(void *arg)
{
    unsigned uid = (unsigned)(long)arg, n = uid;
    struct stat st;
    char path[300];

    // The thread alone.
    CHECK_EQ(syscall(SYS_setresuid, uid, uid, uid), 0);
    while (!ended) {
        int which = (int)(n++ / 3 % (DIRS + 3)), e, fd;
        unsigned before = phase;

        name_of(which, path);
        if (n & 1) {
            e = stat(path, &st) ? errno : 0;
        } else {
            fd = open(path, O_RDONLY);
            e = fd < 0 ? errno : 0;
            if (fd >= 0)
                close(fd);
        }
        if (before % 2 == 0 && before == phase) {
            CHECK_EQ(e, expected(before, which, uid));
            looks[which < DIRS ? 0 : which - DIRS + 1]++;
        }
    }
    return NULL;
}

// A path below base, of which two can be in use.
static const char *at(const char *name)
{
    static char paths[2][300];
    static int n;

    n = !n;
    snprintf(paths[n], sizeof(paths[n]), "%s/%s", base, name);
    return paths[n];
}

static void change(unsigned state)
{
    switch (state) {
    case 1:
        CHECK_EQ(chmod(at("gate"), 0700), 0);
        break;
    case 2:
        CHECK_EQ(chmod(at("gate"), 0755), 0);
        break;
    case 3:
        CHECK_EQ(rename(at("gate"), at("away")), 0);
        CHECK_EQ(rename(at("closed"), at("gate")), 0);
        break;
    case 4:
        CHECK_EQ(rename(at("gate"), at("closed")), 0);
        CHECK_EQ(rename(at("away"), at("gate")), 0);
        CHECK_EQ(chdir(at("y")), 0);
        break;
    case 5:
        CHECK_EQ(chdir(at("x")), 0);
        break;
    }
}

static void make(const char *top, const char *sub, unsigned mode, unsigned owner)
{
    char name[64];

    CHECK_EQ(mkdir(at(top), 0755), 0);
    snprintf(name, sizeof(name), "%s/%s", top, sub);
    CHECK_EQ(mkdir(at(name), 0755), 0);
    strcat(name, "/f");
    put_file(at(name), "data");
    CHECK_EQ(chmod(at(name), 0644), 0);
    CHECK_EQ(chown(at(top), owner, owner), 0);
    CHECK_EQ(chmod(at(top), mode), 0);
}

int main(void)
{
    pthread_t threads[READERS];
    char name[16];

    OK(getcwd(base, sizeof(base)));
    CHECK_EQ(chmod(".", 0755), 0);
    for (int i = 0; i < DIRS; i++) {
        sprintf(name, "d%d", i);
        make(name, "s", i % 2 ? 0700 : 0755, i % 2 ? 1000 : 0);
    }
    make("gate", "s", 0755, 0);
    make("closed", "s", 0700, 0);
    CHECK_EQ(mkdir(at("x"), 0755) | mkdir(at("y"), 0755), 0);
    make("x/p", "q", 0755, 0);
    make("y/p", "q", 0700, 0);
    put_file(at("x/f"), "data");
    put_file(at("y/f"), "data");
    CHECK_EQ(chmod(at("x/f"), 0644) | chmod(at("y/f"), 0644) | chmod(at("y"), 0700), 0);
    CHECK_EQ(chdir(at("x")), 0);
    for (long i = 0; i < READERS; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, reader, (void *)(1000 + i / 2)), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        phase++;
        change((phase / 2 + 1) % 6);
        phase++;
        usleep(500);
    }
    // Of each kind some came to an end within a phase, also on a machine that is busy.
    while (!looks[0] || !looks[1] || !looks[2] || !looks[3])
        usleep(1000);
    ended = 1;
    for (int i = 0; i < READERS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    return done();
}
