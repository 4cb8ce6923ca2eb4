// SPDX-License-Identifier: MIT
// The names of one symlink, FIFO, socket or device node are one inode: its owner, mode and
// attributes are changed by each of them for all, wherever they lie and are moved to, also from
// another process; what is left when some are gone has them, and the next inode has not.
// needs: root
// covers: link, linkat, lchown, chmod, lsetxattr, rename, unlink
#include "check.h"
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static const char *const names[] = {"link", "fifo", "sock", "node"};

static void make(int i)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (i == 0)
        CHECK_EQ(symlink("none", "link"), 0);
    if (i == 1)
        CHECK_EQ(mkfifo("fifo", 0640), 0);
    if (i == 2) {
        int s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        strcpy(a.sun_path, "sock");
        CHECK_EQ(bind(s, (void *)&a, sizeof a), 0);
        close(s);
    }
    if (i == 3)
        CHECK_EQ(mknod("node", S_IFCHR | 0640, makedev(1, 3)), 0);
}

static void is(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
    struct stat st;

    CHECK_EQ(lstat(name, &st), 0);
    CHECK_EQ(st.st_uid, uid);
    CHECK_EQ(st.st_gid, gid);
    if (!S_ISLNK(st.st_mode))
        CHECK_EQ(st.st_mode & 07777, mode);
}

// The same by a name, and by the descriptor that it leads to.
static void both(const char *a, const char *b, uid_t uid, gid_t gid, mode_t mode)
{
    struct stat st;

    is(a, uid, gid, mode);
    is(b, uid, gid, mode);
    int fd = OK(open(b, O_PATH | O_NOFOLLOW));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, uid);
    close(fd);
}

static void in_child(void (*change)(const char *), const char *name)
{
    int status;
    pid_t pid = OK(fork());

    if (!pid) {
        change(name);
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static void to_five(const char *name)
{
    CHECK_EQ(lchown(name, 5, 6), 0);
}

static void attribute(const char *a, const char *b, const char *name)
{
    char value[8] = "", list[64];

    CHECK_EQ(lsetxattr(a, name, "first", 5, 0), 0);
    CHECK_EQ(lgetxattr(b, name, value, sizeof value), 5);
    CHECK_STR(value, "first");
    CHECK_EQ(lsetxattr(b, name, "new", 3, XATTR_REPLACE), 0);
    memset(value, 0, sizeof value);
    CHECK_EQ(lgetxattr(a, name, value, sizeof value), 3);
    CHECK_STR(value, "new");
    CHECK_EQ(llistxattr(b, list, sizeof list), (long)strlen(name) + 1);
    CHECK_EQ(lremovexattr(b, name), 0);
    CHECK_ERR(lgetxattr(a, name, value, sizeof value), ENODATA);
    CHECK_EQ(llistxattr(a, list, sizeof list), 0);
}

int main(void)
{
    struct stat st;
    char text[8];

    umask(022);
    CHECK_EQ(mkdir("d", 0755) | mkdir("e", 0755) | mkdir("e/f", 0755), 0);
    CHECK_EQ(chown("e", 70, 80), 0);
    for (int i = 0; i < 4; i++) {
        mode_t mode = i == 2 ? 0755 : 0640;

        make(i);
        CHECK_EQ(link(names[i], "d/other"), 0);
        both(names[i], "d/other", 0, 0, mode);
        in_child(to_five, names[i]);
        both(names[i], "d/other", 5, 6, mode);
        CHECK_EQ(lchown("d/other", 7, 8), 0);
        both("d/other", names[i], 7, 8, mode);
        if (i) {
            CHECK_EQ(chmod("d/other", mode = 0402), 0);
            both("d/other", names[i], 7, 8, mode);
        }
        // Moved, linked again, from a name that is not the changed one.
        CHECK_EQ(rename("d/other", "e/moved"), 0);
        CHECK_EQ(link(names[i], "e/f/third"), 0);
        both("e/moved", "e/f/third", 7, 8, mode);
        CHECK_EQ(lchown("e/f/third", 9, -1), 0);
        both("e/moved", names[i], 9, 8, mode);
        CHECK_EQ(rename("e", "g"), 0);
        both("g/moved", "g/f/third", 9, 8, mode);
        CHECK_EQ(rename("g", "e"), 0);
        attribute(names[i], "e/moved", "trusted.x");
        attribute("e/f/third", names[i], "security.x");
        // One after the other goes; the last one still has it.
        CHECK_EQ(unlink("e/f/third"), 0);
        both("e/moved", names[i], 9, 8, mode);
        CHECK_EQ(unlink(names[i]), 0);
        is("e/moved", 9, 8, mode);
        CHECK_EQ(lchown("e/moved", 1, 2), 0);
        is("e/moved", 1, 2, mode);
        CHECK_EQ(link("e/moved", names[i]), 0);
        both("e/moved", names[i], 1, 2, mode);
        CHECK_EQ(lchown(names[i], 3, 4), 0);
        both("e/moved", names[i], 3, 4, mode);
        // Replaced, and a new one, which may get its number.
        put_file("file", "");
        CHECK_EQ(rename("file", "e/moved"), 0);
        is(names[i], 3, 4, mode);
        CHECK_EQ(unlink(names[i]), 0);
        make(i);
        is(names[i], 0, 0, i == 2 ? 0755 : 0640);
        CHECK_EQ(unlink(names[i]), 0);
    }
    // By descriptor, and by a link to it.
    make(1);
    CHECK_EQ(link("fifo", "d/fifo"), 0);
    int fd = OK(open("fifo", O_RDWR));
    CHECK_EQ(fchown(fd, 11, 12), 0);
    CHECK_EQ(fchmod(fd, 0604), 0);
    both("fifo", "d/fifo", 11, 12, 0604);
    CHECK_EQ(linkat(AT_FDCWD, "fifo", AT_FDCWD, "e/f/fifo", 0), 0);
    CHECK_EQ(unlink("fifo"), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 11);
    CHECK_EQ(st.st_mode, S_IFIFO | 0604);
    both("d/fifo", "e/f/fifo", 11, 12, 0604);
    // Permission goes by it: an ordinary user, by the name that was not changed.
    CHECK_EQ(chown("e/f/fifo", 1000, 1000), 0);
    CHECK_EQ(chmod("e/f/fifo", 0600), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK_EQ(setgid(1000) | setuid(1000), 0);
        int own = OK(open("d/fifo", O_RDWR));
        CHECK_EQ(write(own, "x", 1), 1);
        CHECK_EQ(read(own, text, 1), 1);
        _exit(0);
    }
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(fstat(fd, &st), 0);
    return done();
}
