// SPDX-License-Identifier: MIT
// inotify: exactly the events that the guest's own calls make, in order, with names and cookies;
// looking (stat, access, readlink) makes none.
// covers: inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch, read
#include "check.h"
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in;
static uint32_t cookie;

// The next event is this one.
static void expect(int wd, uint32_t mask, const char *name)
{
    static char buf[8192] __attribute__((aligned(8)));
    static ssize_t have, at;
    struct inotify_event *e;

    if (at == have) {
        at = 0;
        have = read(in, buf, sizeof(buf));
        if (have < 0)
            check_failed(__FILE__, __LINE__, "no event", name);
    }
    e = (void *)(buf + at);
    at += sizeof(*e) + e->len;
    CHECK_EQ(e->mask, mask);
    CHECK_EQ(e->wd, wd);
    CHECK_STR(e->len ? e->name : "", name);
    cookie = e->cookie;
}

static void no_more(void)
{
    int n;

    CHECK_EQ(ioctl(in, FIONREAD, &n), 0);
    CHECK_EQ(n, 0);
}

int main(void)
{
    char text[16];
    struct stat st;
    int d, e, fd;
    uint32_t from;

    close(OK(syscall(SYS_inotify_init)));
    in = OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    CHECK_EQ(mkdir("d", 0755) | mkdir("e", 0755), 0);
    d = OK(inotify_add_watch(in, "d", IN_ALL_EVENTS));
    e = OK(inotify_add_watch(in, "e", IN_CREATE | IN_MOVE | IN_DELETE));
    CHECK_ERR(read(in, text, sizeof(text)), EAGAIN);

    fd = OK(open("d/f", O_RDWR | O_CREAT, 0600));
    expect(d, IN_CREATE, "f");
    expect(d, IN_OPEN, "f");
    no_more();
    CHECK_EQ(write(fd, "x", 1), 1);
    expect(d, IN_MODIFY, "f");
    CHECK_EQ(pread(fd, text, 1, 0), 1);
    expect(d, IN_ACCESS, "f");
    CHECK_EQ(close(fd), 0);
    expect(d, IN_CLOSE_WRITE, "f");
    CHECK_EQ(close(OK(open("d/f", O_RDONLY))), 0);
    expect(d, IN_OPEN, "f");
    expect(d, IN_CLOSE_NOWRITE, "f");

    CHECK_EQ(stat("d/f", &st) | lstat("d/f", &st) | access("d/f", R_OK), 0);
    CHECK_ERR(readlink("d/f", text, sizeof(text)), EINVAL);
    CHECK_ERR(open("d/f", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    no_more();
    CHECK_EQ(chmod("d/f", 0640), 0);
    expect(d, IN_ATTRIB, "f");
    CHECK_EQ(utimensat(AT_FDCWD, "d/f", NULL, 0), 0);
    expect(d, IN_ATTRIB, "f");
    CHECK_EQ(truncate("d/f", 0), 0);
    expect(d, IN_MODIFY, "f");
    no_more();

    CHECK_EQ(rename("d/f", "d/g"), 0);
    expect(d, IN_MOVED_FROM, "f");
    from = cookie;
    CHECK(from != 0);
    expect(d, IN_MOVED_TO, "g");
    CHECK_EQ(cookie, from);
    CHECK_EQ(rename("d/g", "e/h"), 0);
    expect(d, IN_MOVED_FROM, "g");
    from = cookie;
    expect(e, IN_MOVED_TO, "h");
    CHECK_EQ(cookie, from);
    CHECK_EQ(unlink("e/h"), 0);
    expect(e, IN_DELETE, "h");

    CHECK_EQ(mkdir("d/sub", 0755), 0);
    expect(d, IN_CREATE | IN_ISDIR, "sub");
    CHECK_EQ(symlink("x", "d/s"), 0);
    expect(d, IN_CREATE, "s");
    CHECK_EQ(rmdir("d/sub"), 0);
    expect(d, IN_DELETE | IN_ISDIR, "sub");
    CHECK_EQ(unlink("d/s"), 0);
    expect(d, IN_DELETE, "s");
    no_more();

    CHECK_EQ(inotify_rm_watch(in, e), 0);
    expect(e, IN_IGNORED, "");
    CHECK_ERR(inotify_rm_watch(in, e), EINVAL);
    CHECK_EQ(mkdir("e/x", 0755), 0);
    no_more();
    CHECK_EQ(rmdir("d"), 0);
    expect(d, IN_DELETE_SELF, "");
    expect(d, IN_IGNORED, "");
    no_more();
    return done();
}
