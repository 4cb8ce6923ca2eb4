// SPDX-License-Identifier: MIT
// With no descriptor number left, whatever needs none still works: names are made, moved and
// removed, attributes changed, directories entered, by several threads at a time.
// covers: mkdir, rename, link, symlink, readlink, unlink, rmdir, chmod, truncate, statfs, chdir,
// covers: utimensat, access, setxattr, getcwd, mknod
// trap: not nested: two layers take descriptors from the program
#include "check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

static void calls(const char *at)
{
    char a[64], b[64], text[64];
    struct statfs fs;
    struct stat st;

    snprintf(a, sizeof(a), "%s/x/y", at);
    snprintf(b, sizeof(b), "%s/x/z", at);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(mkdir(a, 0700), 0);
        CHECK_EQ(rename(a, b), 0);
        CHECK_EQ(chmod(b, 0711), 0);
        CHECK_EQ(stat(b, &st), 0);
        CHECK_EQ(st.st_mode, S_IFDIR | 0711);
        CHECK_EQ(access(b, X_OK), 0);
        CHECK_EQ(statfs(b, &fs), 0);
        CHECK_EQ(rmdir(b), 0);
        CHECK_EQ(mknod(a, S_IFREG | 0600, 0), 0);
        CHECK_EQ(link(a, b), 0);
        CHECK_EQ(truncate(b, 5), 0);
        CHECK_EQ(stat(a, &st), 0);
        CHECK_EQ(st.st_size, 5);
        CHECK_EQ(utimensat(AT_FDCWD, a, NULL, 0), 0);
        CHECK_EQ(setxattr(a, "user.x", "1", 1, 0), 0);
        CHECK_EQ(unlink(a), 0);
        CHECK_EQ(symlink("x/z", a), 0);
        CHECK_EQ(readlink(a, text, sizeof(text)), 3);
        CHECK_EQ(unlink(a) | unlink(b), 0);
        CHECK_ERR(open("f", O_RDONLY), EMFILE);
    }
}

static void *thread(void *at)
{
    calls(at);
    return NULL;
}

int main(void)
{
    static char names[4][8] = {"t0", "t1", "t2", "t3"};
    struct rlimit lim;
    pthread_t tid[4];
    char cwd[4096], path[64];

    umask(0);
    put_file("f", "");
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/x", names[i]);
        CHECK_EQ(mkdir(names[i], 0755) | mkdir(path, 0755), 0);
    }
    CHECK_EQ(symlink("t0", "link"), 0);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &lim), 0);
    lim.rlim_cur = 100;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    while (dup(0) >= 0)
        ;
    CHECK_EQ(errno, EMFILE);
    calls("t0");
    calls("link");
    CHECK_EQ(chdir("link/../t1/x"), 0);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    CHECK_STR(cwd + strlen(cwd) - 5, "/t1/x");
    CHECK_EQ(chdir("../.."), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&tid[i], NULL, thread, names[i]), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(tid[i], NULL), 0);
    CHECK_EQ(close(50), 0);
    CHECK_EQ(dup(0), 50);
    return done();
}
