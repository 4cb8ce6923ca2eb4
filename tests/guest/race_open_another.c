// SPDX-License-Identifier: MIT
// What a user may open, cut or run is the file that he is let, also when another process of his
// puts one that he may not in its place: by its name, or by that of a directory on the way.
// covers: open, truncate, renameat2, execve
// needs: root
#include "race.h"

static void put(const char *path, const char *text, int mode, uid_t owner)
{
    put_file(path, text);
    CHECK_EQ(chmod(path, mode), 0);
    CHECK_EQ(chown(path, owner, owner), 0);
}

static void look(const char *path)
{
    struct stat st;
    char text[8] = "";
    int fd = open(path, O_RDONLY);

    if (fd >= 0) {
        CHECK(read(fd, text, sizeof(text)) >= 0);
        CHECK(strcmp(text, "secret") != 0);
        CHECK_EQ(close(fd), 0);
    }
    fd = open(path, O_WRONLY);
    if (fd >= 0) {
        CHECK_EQ(fstat(fd, &st), 0);
        CHECK_EQ(st.st_uid, 1000);
        CHECK_EQ(close(fd), 0);
    }
    fd = open(path, O_RDWR | O_TRUNC);
    if (fd >= 0)
        CHECK_EQ(close(fd), 0);
    if (truncate(path, 3) != 0)
        CHECK_EQ(errno, EACCES);
}

int main(void)
{
    static const char *const files[] = {"d/one/mine", "d/one/roots", "d/two/mine", "d/two/roots"};
    struct timespec begin, now;
    struct stat st;

    CHECK_EQ(mkdir("d", 0755) | mkdir("d/one", 0755) | mkdir("d/two", 0755), 0);
    CHECK_EQ(chown("d", 1000, 1000) | chown("d/one", 1000, 1000) | chown("d/two", 1000, 1000), 0);
    put("d/one/mine", "mine", 0644, 1000);
    put("d/one/roots", "secret", 0600, 0);
    put("d/two/mine", "secret", 0600, 0);
    pid_t names = OK(fork());
    if (!names) {
        become(1000, 1000);
        for (unsigned i = 0;; i++)
            if (i % 8)
                renameat2(AT_FDCWD, "d/one/mine", AT_FDCWD, "d/one/roots", RENAME_EXCHANGE);
            else
                renameat2(AT_FDCWD, "d/one", AT_FDCWD, "d/two", RENAME_EXCHANGE);
    }
    pid_t user = OK(fork());
    if (!user) {
        become(1000, 1000);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        do {
            look("d/one/mine");
            clock_gettime(CLOCK_MONOTONIC, &now);
        } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 <
                 RACE_MS);
        return 0;
    }
    wait_ok(user);
    CHECK_EQ(kill(names, SIGKILL), 0);
    CHECK_EQ(waitpid(names, NULL, 0), names);
    for (unsigned i = 0; i < 4; i++)
        if (stat(files[i], &st) == 0 && st.st_uid == 0)
            CHECK_EQ(st.st_size, 6);
    return done();
}
