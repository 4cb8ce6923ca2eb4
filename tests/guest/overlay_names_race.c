// SPDX-License-Identifier: MIT
// Two processes change the same names of an overlay at the same moment: a file is moved once, a
// whiteout is never moved in its place, and what somebody makes or moves there is not lost.
// covers: mount, rename, renameat2, unlink, open, rmdir
// needs: root
// timeout: 60
#include "overlay.h"
#include <sys/mman.h>

#define ROUNDS 150
#define KINDS 5

static struct {
    int met;
    int result[2][ROUNDS][KINDS];
} * shared;

static void meet(int n)
{
    __atomic_add_fetch(&shared->met, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&shared->met, __ATOMIC_SEQ_CST) < 2 * n)
        sched_yield();
}

static const char *name(int n, const char *dir, const char *what, int i)
{
    static char text[2][64];

    snprintf(text[n], sizeof(text[n]), "%s/%s%d", dir, what, i);
    return text[n];
}

static int new_file(const char *path)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

    return fd < 0 ? -1 : close(fd);
}

static int change(int me, int kind, int i)
{
    const char *dir, *file;

    switch (kind) {
    case 0: // a file of the lower layer: moved over another, and removed
        file = name(0, "m", "moved", i);
        return me ? rename(file, name(1, "m", "over", i)) : unlink(file);
    case 1: // a name that has a whiteout: something is moved there, something made
        file = name(0, "m", "white", i);
        return me ? rename(name(1, "m", "to", i), file) : new_file(file);
    case 2: // a directory: removed, and something made in it
        dir = name(0, "m", "dir", i);
        return me ? rmdir(dir) : new_file(name(1, dir, "f", i));
    case 3: // moved to two names
        return rename(name(0, "m", "two", i), name(1, "m", me ? "one" : "other", i));
    default: // two are moved to one name that is free
        return renameat2(AT_FDCWD, name(0, "m", me ? "left" : "right", i), AT_FDCWD,
                         name(1, "m", "free", i), RENAME_NOREPLACE);
    }
}

static void work(int me)
{
    for (int i = 0; i < ROUNDS; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            meet(i * KINDS + kind + 1);
            shared->result[me][i][kind] = change(me, kind, i) ? errno : 0;
        }
}

static int there(const char *what, int i)
{
    return access(name(0, "m", what, i), F_OK) == 0;
}

int main(void)
{
    static const char *const files[] = {"moved", "white", "to", "two", "left", "right"};
    int status;

    overlay_layers();
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    for (int i = 0; i < ROUNDS; i++) {
        for (unsigned f = 0; f < sizeof(files) / sizeof(*files); f++)
            put_file(name(0, "l2", files[f], i), "x");
        CHECK_EQ(mkdir(name(0, "l2", "dir", i), 0755), 0);
    }
    overlay_mount();
    for (int i = 0; i < ROUNDS; i++) {
        put_file(name(0, "m", "over", i), "");
        CHECK_EQ(unlink(name(0, "m", "white", i)), 0);
    }
    pid_t child = fork();
    work(child != 0);
    if (child == 0)
        _exit(0);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    for (int i = 0; i < ROUNDS; i++) {
        int(*other)[KINDS] = &shared->result[0][i], (*own)[KINDS] = &shared->result[1][i];

        CHECK((*own)[0] ? (*own)[0] == ENOENT && !(*other)[0] : (*other)[0] == ENOENT);
        CHECK(there("over", i) && !there("moved", i));
        CHECK_EQ(stat_of(name(0, "m", "over", i)).st_size, (*own)[0] ? 0 : 1);
        CHECK_EQ((*own)[1], 0);
        CHECK((*other)[1] == 0 || (*other)[1] == EEXIST);
        CHECK_EQ(stat_of(name(0, "m", "white", i)).st_size, 1);
        CHECK((*own)[2] ? (*own)[2] == ENOTEMPTY && !(*other)[2] : (*other)[2] == ENOENT);
        CHECK_EQ(there("dir", i), (*own)[2] != 0);
        CHECK((*own)[3] ? (*own)[3] == ENOENT && !(*other)[3] : (*other)[3] == ENOENT);
        CHECK_EQ(there("one", i), (*own)[3] == 0);
        CHECK_EQ(there("other", i), (*other)[3] == 0);
        CHECK(!there("two", i));
        CHECK((*own)[4] ? (*own)[4] == EEXIST && !(*other)[4] : (*other)[4] == EEXIST);
        CHECK(there("free", i));
        CHECK_EQ(there("left", i), (*own)[4] != 0);
        CHECK_EQ(there("right", i), (*other)[4] != 0);
    }
    overlay_end();
    return done();
}
