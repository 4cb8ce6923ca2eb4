// SPDX-License-Identifier: MIT
// What /proc/self/fd/N leads to is what the descriptor is open on, whatever another thread gives
// its name to meanwhile. (Directories: race_proc_fd_dir.c.)
// covers: open, stat, chmod, chown, setxattr, truncate, utimensat, access
// needs: root
#include "race_names.h"
#include <sys/xattr.h>

#define ROUNDS 600

static const char *names[] = {"f", "g", NULL};

static void file(int i)
{
    char path[64], value[16], got[16] = "";
    struct timespec times[2] = {{i, 0}, {i, 0}};
    struct stat st;
    int fd = OK(open(i & 1 ? "f" : "g", O_PATH)), mode = 0600 + i % 64, again;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_EQ(stat(path, &st), 0);
    CHECK(st.st_ino == inode(fd));
    CHECK_EQ(chown(path, (uid_t)i % 50, 5) | chmod(path, (mode_t)mode), 0);
    CHECK_EQ(truncate(path, i) | utimensat(AT_FDCWD, path, times, 0) | access(path, R_OK), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode & 0777, mode);
    CHECK_EQ(st.st_uid, i % 50);
    CHECK_EQ(st.st_size, i);
    CHECK_EQ(st.st_mtime, i);
    snprintf(value, sizeof value, "%d", i);
    CHECK_EQ(setxattr(path, "user.x", value, strlen(value), 0), 0);
    CHECK_EQ(getxattr(path, "user.x", got, sizeof got - 1), strlen(value));
    CHECK_STR(got, value);
    again = OK(open(path, i % 3 ? O_RDWR : O_RDWR | O_TRUNC));
    CHECK(inode(again) == inode(fd));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_size, i % 3 ? i : 0);
    CHECK_EQ(close(again) | close(fd), 0);
}

int main(void)
{
    pthread_t thread;
    top = OK(open(".", O_PATH));
    put_file("f", "");
    put_file("g", "");
    CHECK_EQ(pthread_create(&thread, NULL, exchange, names), 0);
    for (int i = 0; i < ROUNDS || swaps < ROUNDS; i++)
        file(i);
    stop = 1;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    // A slash, and flags.
    int fd = OK(open("f", O_PATH));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d/", fd);
    CHECK_ERR(open(path, O_RDONLY), ENOTDIR);
    CHECK_ERR(chmod(path, 0600), ENOTDIR);
    path[strlen(path) - 1] = 0;
    CHECK_ERR(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open(path, O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERR(open(path, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    CHECK_EQ(close(OK(open(path, O_RDWR | O_CREAT, 0600))), 0);
    CHECK_ERR(chdir(path), ENOTDIR);
    return done();
}
