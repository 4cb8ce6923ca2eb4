// SPDX-License-Identifier: MIT
// A user changes the FIFO, socket or symlink that is his, also when another process of his puts
// root's in its place meanwhile: that one keeps its owner and mode.
// covers: chmod, lchown, renameat2
// needs: root
#include "race.h"

static void of(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
    CHECK_EQ(lchown(path, uid, gid), 0);
    if (!S_ISLNK(mode))
        CHECK_EQ(chmod(path, mode & 0777), 0);
}

static ino_t ino_of(const char *path)
{
    struct stat st;

    CHECK_EQ(lstat(path, &st), 0);
    return st.st_ino;
}

static void race(const char *mine, const char *roots, mode_t mode)
{
    char *const names[] = {(char *)mine, (char *)roots};
    struct stat st;
    ino_t ino = ino_of(roots);

    of(mine, mode | 0600, 1000, 1000);
    of(roots, mode | 0600, 0, 0);
    pid_t exchange = OK(fork());
    if (!exchange) {
        become(1000, 1000);
        for (;;)
            renameat2(AT_FDCWD, mine, AT_FDCWD, roots, RENAME_EXCHANGE);
    }
    pid_t user = OK(fork());
    if (!user) {
        gid_t groups[] = {2000};
        CHECK_EQ(setgroups(1, groups), 0);
        CHECK_EQ(setresgid(1000, 1000, 1000), 0);
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        unsigned i = 0;
        for (long end = race_ms() + RACE_MS; race_ms() < end; i++) {
            if (S_ISLNK(mode) || i % 2)
                lchown(mine, -1, i % 4 / 2 ? 2000 : 1000);
            else
                chmod(mine, i % 4 ? 0666 : 0622);
        }
        _exit(0);
    }
    wait_ok(user);
    CHECK_EQ(kill(exchange, SIGKILL), 0);
    CHECK_EQ(waitpid(exchange, NULL, 0), exchange);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(lstat(names[i], &st), 0);
        CHECK_EQ(st.st_uid, st.st_ino == ino ? 0 : 1000);
        if (st.st_ino == ino) {
            CHECK_EQ(st.st_gid, 0);
            if (!S_ISLNK(mode))
                CHECK_EQ(st.st_mode & 07777, 0600);
        }
    }
}

int main(void)
{
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chown("d", 1000, 1000), 0);
    CHECK_EQ(mkfifo("d/a", 0600) | mkfifo("d/b", 0600), 0);
    race("d/a", "d/b", S_IFIFO);
    CHECK_EQ(symlink("x", "d/l") | symlink("y", "d/m"), 0);
    race("d/l", "d/m", S_IFLNK);
    return done();
}
