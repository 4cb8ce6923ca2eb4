// SPDX-License-Identifier: MIT
// The /proc link of a descriptor that stands for a symlink itself (O_PATH | O_NOFOLLOW) leads to
// the symlink, and not on to where that points.
// needs: root
// covers: openat, fchmodat, fchownat, linkat, inotify_add_watch, newfstatat
#include "check.h"
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static void through(const char *format, int fd)
{
    char p[64], deeper[80], text[8];
    struct stat st;
    int in = OK(inotify_init()), o;

    snprintf(p, sizeof(p), format, fd);
    CHECK(stat(p, &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 1);
    CHECK_ERR(open(p, O_RDONLY), ELOOP);
    o = OK(open(p, O_PATH));
    CHECK(fstat(o, &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(inotify_add_watch(in, "f", IN_ATTRIB) != OK(inotify_add_watch(in, p, IN_ATTRIB)));
    CHECK_ERR(chmod(p, 0700), EOPNOTSUPP);
    CHECK_ERR(truncate(p, 0), EINVAL);
    CHECK(chown(p, 3, 4) == 0);
    CHECK(lstat("s", &st) == 0 && st.st_uid == 3 && st.st_gid == 4);
    CHECK(stat("f", &st) == 0 && st.st_uid == 0 && (st.st_mode & 07777) == 0644);
    CHECK(linkat(AT_FDCWD, p, AT_FDCWD, "l", AT_SYMLINK_FOLLOW) == 0);
    CHECK(lstat("l", &st) == 0 && S_ISLNK(st.st_mode) && st.st_nlink == 2);
    CHECK(unlink("l") == 0 && readlink(p, text, sizeof(text)) > 0);
    CHECK_ERR(chdir(p), ENOTDIR);
    snprintf(deeper, sizeof(deeper), "%s/x", p);
    CHECK_ERR(stat(deeper, &st), ENOTDIR);
    CHECK(close(o) == 0 && close(in) == 0);
}

int main(void)
{
    int fd, dir;
    struct stat st;

    CHECK(close(OK(open("f", O_CREAT | O_RDWR, 0644))) == 0);
    CHECK(symlink("f", "s") == 0 && mkdir("d", 0755) == 0 && symlink("../f", "d/t") == 0);
    fd = OK(open("s", O_PATH | O_NOFOLLOW));
    through("/proc/self/fd/%d", fd);
    through("/proc/thread-self/fd/%d", fd);
    // What lies below a directory's is followed as ever.
    dir = OK(open("d", O_PATH));
    char p[64];
    snprintf(p, sizeof(p), "/proc/self/fd/%d/t", dir);
    CHECK(stat(p, &st) == 0 && S_ISREG(st.st_mode));
    CHECK(lstat(p, &st) == 0 && S_ISLNK(st.st_mode));
    return done();
}
