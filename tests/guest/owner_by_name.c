// SPDX-License-Identifier: MIT
// Owner and mode of symlinks, FIFOs, sockets and device nodes: over rename, exchange, links and
// replacement, between directories of different owners; a new one under an old name starts afresh.
// covers: lchown, fchownat, chmod, rename, renameat2, linkat, unlink, symlink, mknod, fstat
// needs: root
#include "owner.h"
#include <sys/sysmacros.h>

static void by_user(void)
{
    become(70, 71);
    CHECK_EQ(symlink("t", "open/link"), 0);
    is("open/link", 70, 71, S_IFLNK | 0777);
    CHECK_EQ(mkfifo("open/fifo", 0060), 0);
    is("open/fifo", 70, 71, S_IFIFO | 0060);
    CHECK_ERR(open("open/fifo", O_RDWR), EACCES);
    CHECK_EQ(chmod("open/fifo", 0400), 0);
    OK(open("open/fifo", O_RDONLY | O_NONBLOCK));
    CHECK_ERR(open("open/fifo", O_WRONLY | O_NONBLOCK), EACCES);
    CHECK_EQ(lchown("open/link", -1, 71), 0);
    CHECK_ERR(lchown("open/link", 71, -1), EPERM);
    // Sticky: the owner of a link decides, not who its directory belongs to.
    CHECK_ERR(unlink("sticky/roots"), EPERM);
    CHECK_EQ(symlink("t", "sticky/mine"), 0);
    CHECK_EQ(rename("sticky/mine", "sticky/moved"), 0);
    is("sticky/moved", 70, 71, S_IFLNK | 0777);
    CHECK_EQ(unlink("sticky/moved"), 0);
    _exit(0);
}

int main(void)
{
    struct stat st, old;
    int fd;

    umask(0);
    CHECK_EQ(mkdir("a", 0755) | mkdir("b", 0755), 0);
    CHECK_EQ(chown("b", 5, 6), 0);
    CHECK_EQ(symlink("x", "a/l"), 0);
    CHECK_EQ(mkfifo("a/p", 0640), 0);
    is("a/l", 0, 0, S_IFLNK | 0777);
    // What root makes in somebody's directory is root's.
    CHECK_EQ(symlink("x", "b/l"), 0);
    CHECK_EQ(mkfifo("b/p", 0600), 0);
    is("b/l", 0, 0, S_IFLNK | 0777);
    is("b/p", 0, 0, S_IFIFO | 0600);

    // Into a directory of another owner and back.
    CHECK_EQ(rename("a/l", "b/m"), 0);
    is("b/m", 0, 0, S_IFLNK | 0777);
    CHECK_EQ(lchown("b/m", 7, 8), 0);
    CHECK_EQ(rename("b/m", "a/m"), 0);
    is("a/m", 7, 8, S_IFLNK | 0777);
    CHECK_EQ(chown("a/p", 9, 10), 0);
    CHECK_EQ(chmod("a/p", 0070), 0);
    CHECK_EQ(rename("a/p", "b/q"), 0);
    is("b/q", 9, 10, S_IFIFO | 0070);

    // Two links of an equal name and target, exchanged; and with a file.
    CHECK_EQ(symlink("x", "b/n"), 0);
    CHECK_EQ(lchown("b/n", 11, 12), 0);
    CHECK_EQ(renameat2(AT_FDCWD, "a/m", AT_FDCWD, "b/n", RENAME_EXCHANGE), 0);
    is("a/m", 11, 12, S_IFLNK | 0777);
    is("b/n", 7, 8, S_IFLNK | 0777);
    put_file("a/f", "");
    CHECK_EQ(chown("a/f", 13, 14), 0);
    CHECK_EQ(renameat2(AT_FDCWD, "a/f", AT_FDCWD, "b/n", RENAME_EXCHANGE), 0);
    is("b/n", 13, 14, S_IFREG | 0644);
    is("a/f", 7, 8, S_IFLNK | 0777);

    // Over another one: the replaced one's owner is gone.
    CHECK_EQ(rename("a/f", "a/m"), 0);
    is("a/m", 7, 8, S_IFLNK | 0777);
    CHECK_EQ(symlink("x", "a/f"), 0);
    is("a/f", 0, 0, S_IFLNK | 0777);
    CHECK_EQ(unlink("b/q"), 0);
    CHECK_EQ(mkfifo("b/q", 0600), 0);
    is("b/q", 0, 0, S_IFIFO | 0600);
    CHECK_EQ(unlink("a/m"), 0);
    CHECK_EQ(symlink("x", "a/m"), 0);
    is("a/m", 0, 0, S_IFLNK | 0777);

    // A second name for the same inode.
    CHECK_EQ(lchown("a/m", 15, 16), 0);
    CHECK_EQ(link("a/m", "b/hard"), 0);
    is("b/hard", 15, 16, S_IFLNK | 0777);
    CHECK_EQ(unlink("a/m"), 0);
    is("b/hard", 15, 16, S_IFLNK | 0777);

    // Known by descriptor only.
    fd = OK(open("b/hard", O_PATH | O_NOFOLLOW));
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 15);
    CHECK_EQ(fchownat(fd, "", 17, 18, AT_EMPTY_PATH), 0);
    is("b/hard", 17, 18, S_IFLNK | 0777);
    fd = OK(open("b/q", O_RDWR));
    CHECK_EQ(fchown(fd, 19, 20) | fchmod(fd, 0006), 0);
    is("b/q", 19, 20, S_IFIFO | 0006);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_gid, 20);
    CHECK_EQ(rename("b/q", "a/q"), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 19);

    // A device node keeps its inode when it changes hands.
    CHECK_EQ(mknod("a/c", S_IFCHR | 0600, makedev(1, 3)), 0);
    old = stat_of("a/c");
    CHECK_EQ(chown("a/c", 21, 22) | chmod("a/c", 0660), 0);
    is("a/c", 21, 22, S_IFCHR | 0660);
    CHECK_EQ(rename("a/c", "b/c"), 0);
    is("b/c", 21, 22, S_IFCHR | 0660);
    st = stat_of("b/c");
    CHECK_EQ(st.st_ino, old.st_ino);
    CHECK_EQ(st.st_rdev, makedev(1, 3));
    CHECK_EQ(chown("b/c", 0, 0) | chmod("b/c", 0600), 0);
    is("b/c", 0, 0, S_IFCHR | 0600);

    // A moved directory takes all of them along.
    CHECK_EQ(rename("b", "a/b"), 0);
    is("a/b/hard", 17, 18, S_IFLNK | 0777);

    CHECK_EQ(mkdir("open", 0777) | mkdir("sticky", 01777), 0);
    CHECK_EQ(symlink("t", "sticky/roots"), 0);
    pid_t pid = fork();
    if (pid == 0)
        by_user();
    wait_ok(pid);
    return done();
}
