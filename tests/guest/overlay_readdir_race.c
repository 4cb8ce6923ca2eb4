// SPDX-License-Identifier: MIT
// An overlay's directory is listed while others make, remove, copy up and rename files in it: a
// name that is always there is listed once, none of those twice that stay or go, no whiteout and
// nothing of the overlay's own; and what opens a directory whose name becomes a whiteout finds a
// directory or nothing.
// covers: mount, getdents64, open, unlink, rename, chmod
// needs: root
// timeout: 60
#include "overlay.h"
#include "race.h"
#include <sys/prctl.h>

enum { STAY = 40, UPPER = 20 };

static const char *file(char *out, const char *dir, const char *kind, int i)
{
    snprintf(out, 64, "%s/%s%d", dir, kind, i);
    return out;
}

// Each pass copies up or changes what stays, and makes, removes and renames others.
static void attack(unsigned round)
{
    char a[64], b[64];
    int i = (int)(round % STAY);

    CHECK_EQ(chmod(file(a, "m/d", "stay", i), 0600 + round % 64), 0);
    put_file(file(a, "m/d", "new", i), "");
    CHECK_EQ(rename(a, file(b, "m/d", "moved", i)), 0);
    CHECK_EQ(unlink(b), 0);
    if (unlink(file(a, "m/d", "low", i)) == 0 || errno == ENOENT)
        put_file(a, "again");
    if (round % 7 == 0)
        unlink(a);
    if (round % 5 == 0 && rename(file(a, "m/d", "once", i), file(b, "m/d", "then", i)) != 0)
        CHECK_EQ(errno, ENOENT);
}

// By so many bytes at a time.
static void list(int fd, size_t size)
{
    int stays[STAY] = {0}, uppers[UPPER] = {0};
    static char names[512][32];
    char buf[4096];
    int n = 0, i;
    long got;

    while ((got = OK(syscall(SYS_getdents64, fd, buf, size))) > 0)
        for (long at = 0; at < got;) {
            struct dirent64 *e = (void *)(buf + at);
            at += e->d_reclen;
            CHECK(n < 512);
            // What is removed and made again is another file: readdir(3) may return both. And a
            // tmpfs may give a name twice that comes by a rename (Linux 6.18, plain directories).
            if (strncmp(e->d_name, "new", 3) && strncmp(e->d_name, "moved", 5) &&
                strncmp(e->d_name, "then", 4))
                snprintf(names[n++], 32, "%s", e->d_name);
            if (sscanf(e->d_name, "stay%d", &i) == 1)
                stays[i]++;
            if (sscanf(e->d_name, "upper%d", &i) == 1)
                uppers[i]++;
            CHECK(e->d_type == DT_REG || (e->d_type == DT_DIR && e->d_name[0] == '.'));
            CHECK(strncmp(e->d_name, "white", 5));
        }
    for (i = 0; i < STAY; i++)
        CHECK_EQ(stays[i], 1);
    for (i = 0; i < UPPER; i++)
        CHECK_EQ(uppers[i], 1);
    for (i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (!strcmp(names[i], names[j]))
                CHECK_STR(names[i], "listed once");
}

static void work(void)
{
    const int kept = OK(open("m/d", O_RDONLY | O_DIRECTORY));
    unsigned round = 0;

    for (long end = race_ms() + 2L * RACE_MS; race_ms() < end; round++) {
        CHECK_EQ(lseek(kept, 0, SEEK_SET), 0);
        list(kept, round % 2 ? 4096 : 200);
        int fd = OK(open("m/d", O_RDONLY | O_DIRECTORY));
        list(fd, round % 2 ? 200 : 4096);
        CHECK_EQ(close(fd), 0);
    }
    _exit(0);
}

// The directory itself is copied up when its listing has begun, and what is in it.
static void listed_while_copied(void)
{
    char name[64], buf[200];
    int copied = 0, names = 0;

    int fd = OK(open("m/low", O_RDONLY | O_DIRECTORY));
    for (long got; (got = OK(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0;) {
        for (long at = 0; at < got; at += ((struct dirent64 *)(buf + at))->d_reclen)
            names++;
        for (int i = 0; i < 5 && copied < STAY; i++)
            CHECK_EQ(chmod(file(name, "m/low", "f", copied++), 0600), 0);
    }
    CHECK_EQ(names, STAY + 2);
    CHECK_EQ(close(fd), 0);
}

static void remove_directory(unsigned round)
{
    (void)round;
    CHECK_EQ(rmdir("m/gone"), 0);
    CHECK_EQ(mkdir("m/gone", 0755), 0);
    CHECK_EQ(mkdir("m/gone/in", 0755), 0);
    CHECK_EQ(rmdir("m/gone/in"), 0);
}

static void open_directory(void)
{
    for (long end = race_ms() + RACE_MS; race_ms() < end;) {
        int fd = open("m/gone", O_RDONLY | O_DIRECTORY);
        if (fd < 0)
            CHECK_EQ(errno, ENOENT);
        else
            CHECK_EQ(close(fd), 0);
        fd = open("m/gone/in", O_RDONLY | O_DIRECTORY);
        if (fd < 0)
            CHECK_EQ(errno, ENOENT);
        else
            CHECK_EQ(close(fd), 0);
    }
    _exit(0);
}

static void meanwhile(void (*change)(unsigned), void (*look)(void), int lookers)
{
    pid_t pid = OK(fork()), looker[4];
    int status;

    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (unsigned round = 0;; round++)
            change(round);
    }
    for (int i = 0; i < lookers; i++) {
        looker[i] = OK(fork());
        if (!looker[i])
            look();
    }
    for (int i = 0; i < lookers; i++) {
        CHECK_EQ(waitpid(looker[i], &status, 0), looker[i]);
        CHECK_EQ(status, 0);
    }
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGKILL);
}

int main(void)
{
    char name[64];

    overlay_layers();
    CHECK_EQ(mkdir("l1/d", 0755) | mkdir("l2/d", 0755) | mkdir("l2/gone", 0755), 0);
    CHECK_EQ(mkdir("l1/low", 0755) | mkdir("l2/low", 0755), 0);
    for (int i = 0; i < STAY; i++) {
        put_file(file(name, i % 2 ? "l1/d" : "l2/d", "stay", i), "x");
        put_file(file(name, "l2/d", "low", i), "x");
        put_file(file(name, "l2/d", "once", i), "x");
        put_file(file(name, "l2/d", "white", i), "x");
        put_file(file(name, i % 2 ? "l1/low" : "l2/low", "f", i), "x");
    }
    overlay_mount();
    for (int i = 0; i < STAY; i++)
        CHECK_EQ(unlink(file(name, "m/d", "white", i)), 0);
    for (int i = 0; i < UPPER; i++)
        put_file(file(name, "m/d", "upper", i), "x");
    listed_while_copied();
    meanwhile(attack, work, 2);
    meanwhile(remove_directory, open_directory, 2);
    overlay_end();
    return done();
}
