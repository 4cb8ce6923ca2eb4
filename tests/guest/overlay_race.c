// SPDX-License-Identifier: MIT
// Several processes change one overlay at the same time: a file is copied up once, nobody finds it
// half copied or missing, and of those who make the same name one succeeds.
// covers: mount, open, write, rename, unlink, mkdir, chmod
// needs: root
// timeout: 60
#include "overlay.h"

#define PROCESSES 4
#define FILES 60
#define SIZE 100000

static char content[SIZE];

static void whole(const char *path)
{
    static char got[SIZE + 64];
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = 0, r;

    while ((r = OK(read(fd, got + n, sizeof(got) - n))) > 0)
        n += r;
    CHECK(n >= SIZE);
    CHECK_EQ(memcmp(got, content, SIZE), 0);
    CHECK_EQ(close(fd), 0);
}

static void work(int me)
{
    char name[64], to[64];
    int fd, won = 0;

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "m/d%d/f%d", i % 3, i);
        whole(name);
        fd = OK(open(name, O_WRONLY | O_APPEND));
        CHECK_EQ(write(fd, "x", 1), 1);
        CHECK_EQ(close(fd), 0);
        whole(name);
        CHECK_EQ(chmod(name, 0600 + me), 0);
        whole(name);
        snprintf(to, sizeof(to), "m/d%d/only%d", i % 3, i);
        fd = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
        CHECK(fd >= 0 || errno == EEXIST);
        if (fd >= 0) {
            won++;
            close(fd);
        }
        snprintf(to, sizeof(to), "m/d%d/gone%d", i % 3, i);
        if (unlink(to) == 0)
            won++;
        else
            CHECK_EQ(errno, ENOENT);
    }
    _exit(won);
}

int main(void)
{
    char name[64];
    pid_t child[PROCESSES];
    int status, won = 0;

    overlay_layers();
    for (int i = 0; i < SIZE; i++)
        content[i] = "overlay "[i % 8];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "l2/d%d", i);
        CHECK_EQ(mkdir(name, 0755), 0);
    }
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "l2/d%d/f%d", i % 3, i);
        int fd = OK(open(name, O_WRONLY | O_CREAT, 0644));
        CHECK_EQ(write(fd, content, SIZE), SIZE);
        CHECK_EQ(close(fd), 0);
    }
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "l2/d%d/gone%d", i % 3, i);
        put_file(name, "");
        snprintf(name, sizeof(name), "l2/d%d/only%d", i % 3, i);
        if (i % 2)
            put_file(name, "");
    }
    overlay_mount();
    for (int i = 1; i < FILES; i += 2) { // half of the names have whiteouts
        snprintf(name, sizeof(name), "m/d%d/only%d", i % 3, i);
        CHECK_EQ(unlink(name), 0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        child[p] = fork();
        if (child[p] == 0)
            work(p);
    }
    for (int p = 0; p < PROCESSES; p++) {
        CHECK_EQ(waitpid(child[p], &status, 0), child[p]);
        CHECK(WIFEXITED(status));
        won += WEXITSTATUS(status);
    }
    CHECK_EQ(won, 2 * FILES);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "m/d%d/f%d", i % 3, i);
        CHECK_EQ(stat_of(name).st_size, SIZE + PROCESSES);
    }
    CHECK(strchr(names_in("work/work"), ' ') == NULL); // Linux keeps one whiteout there to link
    overlay_end();
    return done();
}
