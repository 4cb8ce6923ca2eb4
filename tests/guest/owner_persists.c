// SPDX-License-Identifier: MIT
// Owner, group and mode stay with the inode: over close, rename, hard links, fork, exec, exchange
// and a moved parent directory.
// covers: chown, chmod, rename, link, fork, execve, renameat2
// needs: root
#include "owner.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        is("e/f", 101, 102, S_IFREG | 04751);
        is("e/hard", 101, 102, S_IFREG | 04751);
        is("e", 107, 108, S_IFDIR | 02770);
        return done();
    }
    umask(0);
    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    CHECK_EQ(chown("d/f", 101, 102), 0);
    CHECK_EQ(chmod("d/f", 04751), 0);
    CHECK_EQ(chown("d", 107, 108), 0);
    CHECK_EQ(chmod("d", 02770), 0);
    CHECK_EQ(link("d/f", "d/hard"), 0);
    is("d/hard", 101, 102, S_IFREG | 04751);
    pid_t pid = fork();
    if (pid == 0) {
        is("d/f", 101, 102, S_IFREG | 04751);
        CHECK_EQ(rename("d/f", "d/g"), 0);
        _exit(0);
    }
    wait_ok(pid);
    is("d/g", 101, 102, S_IFREG | 04751);

    // Exchanged with a file of other owner: the names change places, nothing else.
    put_file("plain", "");
    CHECK_EQ(chmod("plain", 0600), 0);
    CHECK_EQ(renameat2(AT_FDCWD, "plain", AT_FDCWD, "d/g", RENAME_EXCHANGE), 0);
    is("plain", 101, 102, S_IFREG | 04751);
    is("d/g", 0, 0, S_IFREG | 0600);
    CHECK_EQ(rename("plain", "d/f"), 0);

    // A new file under an old name starts afresh.
    put_file("x", "");
    CHECK_EQ(chown("x", 7, 7), 0);
    CHECK_EQ(unlink("x"), 0);
    put_file("x", "");
    is("x", 0, 0, S_IFREG | 0644);
    CHECK_EQ(rename("d", "e"), 0);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execve came back");
}
