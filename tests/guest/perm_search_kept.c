// SPDX-License-Identifier: MIT
// Search permission on the way, asked again and again by a user that is not root: what a
// directory's mode, owner, ACL or name becomes is seen by the next call, and so is another
// identity.
// covers: open, openat, stat, access, chmod, chown, rename, setfsuid, setgroups, setresuid, setxattr
// needs: root
#include "check.h"
#include <grp.h>
#include <pthread.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define USER 1234
#define GROUP 5678

static char file[4096];
static int ask[2], answer[2];

static int opens(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    int r = fd < 0 ? errno : 0;

    CHECK_EQ(stat(path, &st) ? errno : 0, r);
    CHECK_EQ(access(path, R_OK) ? errno : 0, r);
    if (fd >= 0)
        close(fd);
    return r;
}

// Often enough that whatever is kept is kept.
static void opens_always(const char *path, int error)
{
    for (int i = 0; i < 5; i++)
        CHECK_EQ(opens(path), error);
}

static void server(void)
{
    char c;

    close(ask[1]);
    CHECK_EQ(setgroups(0, NULL) | setresgid(USER, USER, USER), 0);
    CHECK_EQ(setresuid(USER, USER, USER), 0);
    while (read(ask[0], &c, 1) == 1) {
        opens_always(file, c);
        opens_always("a/b/c/file", c);
        CHECK_EQ(write(answer[1], "x", 1), 1);
    }
    _exit(0);
}

// What the other process finds, and whether it has found it.
static void finds(int error)
{
    char c = (char)error;

    CHECK_EQ(write(ask[1], &c, 1), 1);
    CHECK_EQ(read(answer[0], &c, 1), 1);
}

static void *other_identity(void *arg)
{
    (void)arg;
    CHECK_EQ(syscall(SYS_setfsuid, USER + 1), USER);
    opens_always(file, EACCES);
    CHECK_EQ(syscall(SYS_setfsuid, USER), USER + 1);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(close(open(file, O_RDONLY)), 0);
    return NULL;
}

static void identities(void)
{
    pthread_t t;
    gid_t group = GROUP;

    CHECK_EQ(setgroups(1, &group), 0);
    CHECK_EQ(setresuid(USER, USER, 0), 0);
    opens_always(file, 0); // as the group
    CHECK_EQ(setresuid(0, 0, 0), 0);
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresuid(USER, USER, 0), 0);
    opens_always(file, EACCES);
    CHECK_EQ(setresuid(0, 0, 0), 0);
    CHECK_EQ(chown("a", USER, GROUP), 0);
    CHECK_EQ(setresuid(-1, USER, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(close(open(file, O_RDONLY)), 0); // the effective user may
        CHECK_EQ(access(file, R_OK), 0);          // and the real one is root
    }
    CHECK_EQ(setresuid(-1, 0, 0), 0);
    CHECK_EQ(setresuid(USER + 1, USER, 0), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(close(open(file, O_RDONLY)), 0);
        CHECK_ERR(access(file, R_OK), EACCES);
        CHECK_EQ(faccessat(AT_FDCWD, file, R_OK, AT_EACCESS), 0);
    }
    CHECK_EQ(pthread_create(&t, NULL, other_identity, NULL), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(setresuid(USER, USER, 0), 0);
    opens_always(file, 0);
    _exit(0);
}

// A relative way is searched from the working directory.
static void relative(void)
{
    CHECK_EQ(setresuid(USER, USER, 0), 0);
    CHECK_EQ(chdir("a/b"), 0);
    opens_always("c/file", 0);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(chmod(".", 0700), 0);
    CHECK_EQ(seteuid(USER), 0);
    for (int i = 0; i < 5; i++)
        CHECK_ERR(open("c/file", O_RDONLY), EACCES);
    CHECK_EQ(seteuid(0), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(seteuid(USER), 0);
    opens_always("c/file", 0);
    opens_always("../b/c/file", 0);
    _exit(0);
}

int main(void)
{
    pid_t pid;

    char top[] = "/tmp/search-XXXXXX";

    umask(022);
    CHECK(mkdtemp(top) == top); // where everybody comes to
    CHECK_EQ(chmod(top, 0755), 0);
    CHECK_EQ(chdir(top), 0);
    CHECK_EQ(mkdir("a", 0755) | mkdir("a/b", 0755) | mkdir("a/b/c", 0755), 0);
    put_file("a/b/c/file", "text");
    CHECK(getcwd(file, sizeof(file) - 32));
    strcat(file, "/a/b/c/file");
    CHECK_EQ(pipe(ask) | pipe(answer), 0);
    if (!(pid = fork()))
        server();
    close(answer[1]);
    finds(0);
    CHECK_EQ(chmod("a", 0700), 0);
    finds(EACCES);
    CHECK_EQ(chmod("a", 0711), 0);
    finds(0);
    CHECK_EQ(chmod("a", 0701), 0);
    finds(0);
    CHECK_EQ(chown("a", USER + 1, USER), 0);
    finds(EACCES);
    CHECK_EQ(chown("a", USER, USER), 0);
    CHECK_EQ(chmod("a", 0611), 0);
    finds(EACCES);
    CHECK_EQ(chown("a", 0, 0), 0);
    CHECK_EQ(chmod("a/b/c", 0600), 0);
    CHECK_EQ(chmod("a", 0755), 0);
    finds(EACCES);
    CHECK_EQ(chmod("a/b/c", 0755), 0);
    finds(0);
    // Another directory of that name.
    CHECK_EQ(mkdir("new", 0700) | mkdir("new/c", 0755), 0);
    put_file("new/c/file", "other");
    CHECK_EQ(rename("a/b", "old"), 0);
    finds(ENOENT);
    CHECK_EQ(rename("new", "a/b"), 0);
    finds(EACCES);
    CHECK_EQ(chmod("a/b", 0755), 0);
    finds(0);
    // A link in its place, with a way through another directory.
    CHECK_EQ(mkdir("closed", 0700), 0);
    CHECK_EQ(rename("a/b", "closed/b"), 0);
    CHECK_EQ(symlink("../closed/b", "a/b"), 0);
    finds(EACCES);
    CHECK_EQ(chmod("closed", 0755), 0);
    finds(0);
    CHECK_EQ(chmod("closed", 0700), 0);
    finds(EACCES);
    CHECK_EQ(unlink("a/b"), 0);
    CHECK_EQ(rename("old", "a/b"), 0);
    finds(0);
    close(ask[1]);
    wait_ok(pid);
    CHECK_EQ(chown("a", 0, GROUP), 0);
    CHECK_EQ(chmod("a", 0750), 0);
    if (!(pid = fork()))
        identities();
    wait_ok(pid);
    CHECK_EQ(chmod("a", 0755), 0);
    if (!(pid = fork()))
        relative();
    wait_ok(pid);
    CHECK_EQ(unlink("a/b/c/file") | rmdir("a/b/c") | rmdir("a/b") | rmdir("a"), 0);
    CHECK_EQ(unlink("closed/b/c/file") | rmdir("closed/b/c") | rmdir("closed/b"), 0);
    CHECK_EQ(rmdir("closed") | rmdir(top), 0);
    return done();
}
