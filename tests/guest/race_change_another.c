// SPDX-License-Identifier: MIT
// What a user may change is his file, also when another process of his puts one that he may not in
// its place: neither mode nor times nor attributes of root's file in his directory change.
// covers: chmod, utimensat, setxattr, renameat2
// needs: root
#include "race.h"
#include <sys/xattr.h>

static void put(const char *path, uid_t owner)
{
    const struct timespec then[2] = {{1000, 0}, {1000, 0}};

    put_file(path, "text");
    CHECK_EQ(chmod(path, 0600), 0);
    CHECK_EQ(chown(path, owner, owner), 0);
    CHECK_EQ(utimensat(AT_FDCWD, path, then, 0), 0);
}

static void change(const char *path)
{
    const struct timespec now[2] = {{2000, 0}, {2000, 0}};

    if (chmod(path, 0644) != 0)
        CHECK_EQ(errno, EPERM);
    if (utimensat(AT_FDCWD, path, now, 0) != 0)
        CHECK_EQ(errno, EPERM);
    if (setxattr(path, "user.mine", "1", 1, 0) != 0)
        CHECK_EQ(errno, EACCES);
}

int main(void)
{
    static const char *const files[] = {"d/mine", "d/roots"};
    struct stat st;

    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chown("d", 1000, 1000), 0);
    put("d/mine", 1000);
    put("d/roots", 0);
    pid_t names = OK(fork());
    if (!names) {
        become(1000, 1000);
        for (;;)
            renameat2(AT_FDCWD, "d/mine", AT_FDCWD, "d/roots", RENAME_EXCHANGE);
    }
    pid_t user = OK(fork());
    if (!user) {
        become(1000, 1000);
        for (long end = race_ms() + 2L * RACE_MS; race_ms() < end;)
            change("d/mine");
        return 0;
    }
    wait_ok(user);
    CHECK_EQ(kill(names, SIGKILL), 0);
    CHECK_EQ(waitpid(names, NULL, 0), names);
    for (unsigned i = 0; i < 2; i++) {
        st = stat_of(files[i]);
        if (st.st_uid)
            continue;
        CHECK_EQ(st.st_mode & 07777, 0600);
        CHECK_EQ(st.st_mtime, 1000);
        CHECK_EQ(getxattr(files[i], "user.mine", NULL, 0), -1);
        CHECK_EQ(errno, ENODATA);
    }
    return done();
}
