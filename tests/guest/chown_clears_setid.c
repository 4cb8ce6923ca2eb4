// SPDX-License-Identifier: MIT
// chown takes the set-id bits of a file away (set-group-id only where the group may execute), a
// directory keeps them; a write or truncate by an ordinary user takes them away as well.
// covers: chown, fchown, write, truncate, ftruncate, chmod
// needs: root
#include "check.h"

static int after_chown(int mode)
{
    CHECK_EQ(chmod("f", mode), 0);
    CHECK_EQ(mode_of("f"), mode);
    CHECK_EQ(chown("f", 1000, 1000), 0);
    return mode_of("f");
}

static void child(void)
{
    int fd;

    become(1000, 1000);
    CHECK_EQ(chmod("f", 06755), 0);
    fd = OK(open("f", O_RDWR));
    CHECK_EQ(mode_of("f"), 06755);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(mode_of("f"), 0755);
    CHECK_EQ(fchmod(fd, 04711), 0);
    CHECK_EQ(mode_of("f"), 04711);
    CHECK_EQ(ftruncate(fd, 100), 0);
    CHECK_EQ(mode_of("f"), 0711);
    CHECK_EQ(chmod("f", 04711), 0);
    CHECK_EQ(truncate("f", 0), 0);
    CHECK_EQ(mode_of("f"), 0711);
    CHECK_EQ(chmod("f", 04711), 0);
    OK(open("f", O_WRONLY | O_TRUNC));
    CHECK_EQ(mode_of("f"), 0711);
    CHECK_EQ(chmod("f", 04711), 0);
    CHECK_EQ(pwrite(fd, "y", 1, 0), 1);
    CHECK_EQ(mode_of("f"), 0711);
    // Even a chown to oneself.
    CHECK_EQ(chmod("f", 04711), 0);
    CHECK_EQ(fchown(fd, -1, 1000), 0);
    CHECK_EQ(mode_of("f"), 0711);
    // Reading takes nothing.
    CHECK_EQ(chmod("f", 04711), 0);
    CHECK_STR(get_file("f"), "y");
    CHECK_EQ(mode_of("f"), 04711);
    // A group that is not one's own cannot become the set-group-id group.
    CHECK_EQ(chmod("g", 02755), 0);
    CHECK_EQ(mode_of("g"), 0755);
    _exit(0);
}

int main(void)
{
    put_file("f", "");
    put_file("g", "");
    CHECK_EQ(chown("g", 1000, 77), 0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(after_chown(04755), 0755);
    CHECK_EQ(after_chown(06755), 0755);
    CHECK_EQ(after_chown(02745), 02745);
    CHECK_EQ(after_chown(01755), 01755);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chmod("d", 07755), 0);
    CHECK_EQ(chown("d", 1000, 1000), 0);
    CHECK_EQ(mode_of("d"), 07755);
    // Root's write keeps them.
    CHECK_EQ(chmod("f", 06755), 0);
    put_file("f", "by root");
    CHECK_EQ(mode_of("f"), 06755);
    pid_t pid = fork();
    if (pid == 0)
        child();
    wait_ok(pid);
    return done();
}
