// SPDX-License-Identifier: MIT
// inotify watches belong to the inode: masks are replaced or added to, one-shot, links, files
// that move or go, and what add_watch refuses.
// covers: inotify_add_watch, inotify_rm_watch, inotify_init1
#include "check.h"
#include <sys/inotify.h>

static int in;

// The mask of the next event, 0 when there is none.
static uint32_t next(void)
{
    static char buf[4096] __attribute__((aligned(8)));
    static ssize_t have, at;
    struct inotify_event *e;

    if (at == have) {
        at = 0;
        have = read(in, buf, sizeof(buf));
        if (have < 0) {
            CHECK_EQ(errno, EAGAIN);
            have = 0;
            return 0;
        }
    }
    e = (void *)(buf + at);
    at += sizeof(*e) + e->len;
    return e->mask;
}

int main(void)
{
    int wd, wd2;

    in = OK(inotify_init1(IN_NONBLOCK));
    CHECK_ERR(inotify_init1(1 << 20), EINVAL);
    put_file("f", "");
    CHECK_EQ(link("f", "g") | symlink("f", "s") | mkdir("d", 0755), 0);
    wd = OK(inotify_add_watch(in, "f", IN_MODIFY));
    // The other name and the link lead to the same inode and the same watch.
    CHECK_EQ(inotify_add_watch(in, "g", IN_ATTRIB), wd);
    CHECK_EQ(inotify_add_watch(in, "s", IN_OPEN | IN_MASK_ADD), wd);
    CHECK_EQ(truncate("f", 1), 0);
    CHECK_EQ(next(), 0); // IN_MODIFY was replaced
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(next(), IN_ATTRIB);
    close(OK(open("g", O_RDONLY)));
    CHECK_EQ(next(), IN_OPEN);
    CHECK_ERR(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE), EEXIST);

    wd2 = OK(inotify_add_watch(in, "s", IN_ATTRIB | IN_DONT_FOLLOW));
    CHECK(wd2 != wd);
    CHECK_EQ(utimensat(AT_FDCWD, "s", NULL, AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(next(), IN_ATTRIB);

    CHECK_EQ(inotify_add_watch(in, "f", IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB), wd);
    CHECK_EQ(rename("f", "d/f"), 0);
    CHECK_EQ(next(), IN_MOVE_SELF);
    CHECK_EQ(unlink("g"), 0);
    CHECK_EQ(next(), IN_ATTRIB); // the link count
    CHECK_EQ(unlink("d/f"), 0);
    CHECK_EQ(next(), IN_ATTRIB);
    CHECK_EQ(next(), IN_DELETE_SELF);
    CHECK_EQ(next(), IN_IGNORED);
    CHECK_EQ(next(), 0);

    OK(inotify_add_watch(in, "d", IN_CREATE | IN_ONESHOT));
    put_file("d/a", "");
    CHECK_EQ(next(), IN_CREATE);
    CHECK_EQ(next(), IN_IGNORED);
    put_file("d/b", "");
    CHECK_EQ(next(), 0);

    CHECK_ERR(inotify_add_watch(in, "d/a", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    CHECK_ERR(inotify_add_watch(in, "missing", IN_OPEN), ENOENT);
    CHECK_ERR(inotify_add_watch(in, "d", 0), EINVAL);
    CHECK(inotify_add_watch(in, "d", IN_DONT_FOLLOW) > 0); // a flag alone will do
    CHECK_ERR(inotify_add_watch(0, "d", IN_OPEN), EINVAL);
    CHECK_ERR(inotify_add_watch(99, "d", IN_OPEN), EBADF);
    CHECK_ERR(syscall(SYS_inotify_add_watch, in, bad_ptr, IN_OPEN), EFAULT);
    CHECK_ERR(inotify_rm_watch(in, 999), EINVAL);
    return done();
}
