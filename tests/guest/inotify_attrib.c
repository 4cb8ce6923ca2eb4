// SPDX-License-Identifier: MIT
// What a watcher of a directory and of a file in it hears of changes of attributes: what it hears
// natively, for files with and without an owner of their own. (docs/files.md says what else it may
// hear.)
// needs: root
// covers: inotify_add_watch, chmod, chown, utimensat, setxattr, removexattr, mknod
#include "check.h"
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static int in, dir, file;

static void heard(const char *what, long r)
{
    static const char *const names[] = {"access", "modify", "attrib", "close",  "close", "open",
                                        "from",   "to",     "create", "delete", "gone",  "moved"};
    char buf[8192] __attribute__((aligned(8)));
    ssize_t n;

    printf("%s%s:", what, r < 0 ? " failed" : "");
    while ((n = read(in, buf, sizeof(buf))) > 0)
        for (char *at = buf; at < buf + n;) {
            const struct inotify_event *e = (const void *)at;

            printf(" %s%s%s",
                   e->wd == dir    ? "d"
                   : e->wd == file ? "f"
                                   : "?",
                   e->len ? "/" : "", e->len ? e->name : "");
            for (int i = 0; i < 12; i++)
                if (e->mask >> i & 1)
                    printf(" %s", names[i]);
            at += sizeof(*e) + e->len;
        }
    printf("\n");
}
#define DO(call) heard(#call, (long)(call))

static void changes(void)
{
    static const struct timespec ts[2] = {{1, 0}, {2, 0}};
    char skipped[8192];
    int fd;

    DO(chmod("d/f", 0600));
    // The first change that the host's mode cannot tell may be heard of twice.
    CHECK_EQ(chown("d/f", 5, 6), 0);
    while (read(in, skipped, sizeof(skipped)) > 0) {
    }
    DO(chmod("d/f", 0444));
    DO(chmod("d/f", 0444));
    DO(chown("d/f", 7, 8));
    DO(chown("d/f", 7, 8));
    DO(chown("d/f", -1, -1));
    DO(chmod("d/f", 0640));
    DO(utimensat(AT_FDCWD, "d/f", ts, 0));
    DO(setxattr("d/f", "user.a", "1", 1, 0));
    DO(removexattr("d/f", "user.a"));
    DO(setxattr("d/f", "trusted.a", "1", 1, 0));
    DO(removexattr("d/f", "trusted.a"));
    DO(link("d/f", "d/g"));
    DO(unlink("d/g"));
    DO(rename("d/f", "d/h"));
    DO(rename("d/h", "d/f"));
    DO(fd = open("d/f", O_WRONLY | O_TRUNC));
    DO(fchmod(fd, 0611));
    DO(fchown(fd, 3, 3));
    DO(futimens(fd, NULL));
    DO(close(fd));
    DO(truncate("d/f", 0));
    DO(mkdir("d/s", 0755));
    DO(chmod("d/s", 0));
    DO(rmdir("d/s"));
    DO(mkfifo("d/p", 0644));
    DO(chmod("d/p", 0600));
    DO(unlink("d/p"));
    DO(symlink("x", "d/l"));
    DO(rename("d/l", "d/m"));
    DO(unlink("d/m"));
    DO(mknod("d/n", S_IFCHR | 0600, makedev(1, 3)));
    DO(unlink("d/n"));
    DO(chmod("d", 0711));
}

int main(void)
{
    struct stat st;

    in = OK(inotify_init1(IN_NONBLOCK));
    CHECK_EQ(mkdir("d", 0755), 0);
    // That there are nodes is noted with the first one.
    CHECK_EQ(mknod("d/node", S_IFCHR | 0600, makedev(1, 3)), 0);
    for (int owned = 0; owned < 2; owned++) {
        put_file("d/f", "x");
        if (owned)
            CHECK_EQ(chown("d/f", 5, 6), 0);
        dir = OK(inotify_add_watch(in, "d", IN_ALL_EVENTS));
        file = OK(inotify_add_watch(in, "d/f", IN_ALL_EVENTS));
        CHECK_EQ(stat("d/f", &st), 0);
        changes();
        CHECK_EQ(inotify_rm_watch(in, dir) | inotify_rm_watch(in, file), 0);
        CHECK_EQ(unlink("d/f"), 0);
        heard("end", 0);
    }
    return done();
}
