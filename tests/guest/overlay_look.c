// SPDX-License-Identifier: MIT
// An overlay mount, looked at: what the layers show, whiteouts and opaque directories in them,
// merged listings, "..", names of places; without an upper layer nothing can be changed.
// covers: mount, open, openat, stat, getdents64, readlink, getcwd, chdir, access, statfs, execve
// needs: root
#include "overlay.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static void listing(void)
{
    struct dirent *e;
    DIR *d = opendir("m/many");
    int n = 0, fd;
    char name[64];

    CHECK(d != NULL);
    while ((e = readdir(d)))
        n++;
    CHECK_EQ(n, 2 + 2000);
    rewinddir(d);
    for (n = 0; (e = readdir(d)); n++)
        ;
    CHECK_EQ(n, 2 + 2000);
    CHECK_EQ(closedir(d), 0);
    // Two at a time, each with a place of its own.
    DIR *a = opendir("m/dir"), *b = opendir("m/dir");
    CHECK(a && b);
    readdir(a);
    CHECK_STR(names_of(b), "in1 in2 inup");
    rewinddir(a);
    CHECK_STR(names_of(a), "in1 in2 inup");
    CHECK_EQ(closedir(a) | closedir(b), 0);
    fd = OK(open("m/dir", O_RDONLY | O_DIRECTORY));
    snprintf(name, sizeof(name), "in2");
    CHECK_EQ(faccessat(fd, name, F_OK, 0), 0);
    CHECK_EQ(faccessat(fd, "../f1", F_OK, 0), 0);
    char long_name[257], below[264];
    memset(long_name, 'n', 256);
    long_name[256] = 0;
    snprintf(below, sizeof below, "none/%s", long_name);
    CHECK_ERR(faccessat(fd, long_name, F_OK, 0), ENAMETOOLONG);
    CHECK_ERR(openat(fd, long_name, O_CREAT | O_RDWR, 0600), ENAMETOOLONG);
    CHECK_ERR(faccessat(fd, below, F_OK, 0), ENOENT);
    CHECK_ERR(faccessat(fd, "none", F_OK, 0), ENOENT);
    d = fdopendir(dup(fd));
    CHECK_STR(names_of(d), "in1 in2 inup");
    closedir(d);
    close(fd);
}

int main(int argc, char **argv)
{
    struct statfs fs;
    char cwd[4096], name[64];
    int fd;

    if (argc > 1) {
        puts("run from a layer");
        return 0;
    }
    overlay_layers();
    put_file("l1/f1", "one");
    put_file("l2/f2", "two");
    put_file("l1/both", "over");
    put_file("l2/both", "under");
    put_file("l2/gone", "hidden");
    CHECK_EQ(mknod("l1/gone", S_IFCHR, makedev(0, 0)), 0);
    CHECK_EQ(mkdir("l1/dir", 0750) | mkdir("l2/dir", 0755) | mkdir("up/dir", 0711), 0);
    put_file("l1/dir/in1", "1");
    put_file("l2/dir/in2", "2");
    put_file("up/dir/inup", "u");
    CHECK_EQ(mkdir("l1/opaque", 0755) | mkdir("l2/opaque", 0755), 0);
    put_file("l1/opaque/seen", "");
    put_file("l2/opaque/unseen", "");
    CHECK_EQ(setxattr("l1/opaque", "trusted.overlay.opaque", "y", 1, 0), 0);
    CHECK_EQ(mkdir("l2/opaque/sub", 0755), 0);
    CHECK_EQ(mkdir("l2/covered", 0755), 0);
    put_file("l2/covered/x", "");
    put_file("l1/covered", "a file now");
    CHECK_EQ(mkdir("l1/now", 0755), 0);
    put_file("l1/now/y", "");
    put_file("l2/now", "");
    CHECK_EQ(symlink("dir/in2", "l2/link") | symlink("/nowhere", "l1/dangling"), 0);
    CHECK_EQ(symlink("dir", "l2/dirlink") | symlink("../f2", "l1/dir/up2"), 0);
    CHECK_EQ(unlink("l1/dir/up2"), 0);
    CHECK_EQ(mkdir("l2/a", 0755) | mkdir("l2/a/b", 0755) | mkdir("l2/a/b/c", 0755), 0);
    CHECK_EQ(mkdir("l1/a", 0755) | mkdir("l1/a/b", 0755), 0);
    put_file("l2/a/b/c/deep", "deep");
    put_file("l1/a/b/near", "near");
    CHECK_EQ(chown("l2/f2", 5, 6) | chmod("l2/f2", 0640), 0);
    CHECK_EQ(mkdir("l1/many", 0755) | mkdir("l2/many", 0755) | mkdir("up/many", 0755), 0);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "%s/many/a rather long name, number %d",
                 i % 3 == 0   ? "l1"
                 : i % 3 == 1 ? "l2"
                              : "up",
                 i);
        put_file(name, "");
        if (i % 30 == 0) {
            memcpy(name, "l2", 2);
            put_file(name, "");
        }
    }
    overlay_mount();

    CHECK_STR(get_file("m/f1"), "one");
    CHECK_STR(get_file("m/f2"), "two");
    CHECK_STR(get_file("m/both"), "over");
    CHECK_ERR(open("m/gone", O_RDONLY), ENOENT);
    CHECK_ERR(lstat("m/gone", &(struct stat){0}), ENOENT);
    CHECK_ERR(access("m/gone/x", F_OK), ENOENT);
    CHECK_ERR(access("m/f1/x", F_OK), ENOTDIR);
    CHECK_EQ(mode_of("m/dir"), 0711);
    CHECK_EQ(stat_of("m/dir").st_nlink, 1);
    CHECK_STR(names_in("m/dir"), "in1 in2 inup");
    CHECK_STR(names_in("m/opaque"), "seen");
    CHECK_ERR(access("m/opaque/unseen", F_OK), ENOENT);
    CHECK_ERR(access("m/opaque/sub", F_OK), ENOENT);
    CHECK_STR(get_file("m/covered"), "a file now");
    CHECK_ERR(access("m/covered/x", F_OK), ENOTDIR);
    CHECK_STR(names_in("m/now"), "y");
    CHECK_STR(get_file("m/link"), "2");
    CHECK_STR(get_file("m/dirlink/in1"), "1");
    CHECK_ERR(open("m/dangling", O_RDONLY), ENOENT);
    CHECK_STR(get_file("m/a/b/c/deep"), "deep");
    CHECK_STR(get_file("m/a/b/c/../near"), "near");
    CHECK_STR(names_in("m/a/b"), "c near");
    CHECK_STR(names_in("m"), "a both covered dangling dir dirlink f1 f2 link many now opaque");
    CHECK_EQ(stat_of("m/f2").st_uid, 5);
    CHECK_EQ(mode_of("m/f2"), 0640);
    listing();
    // One file system, of its own.
    CHECK(stat_of("m/f1").st_dev == stat_of("m/f2").st_dev || stat_of("m").st_dev != 0);
    CHECK_EQ(stat_of("m").st_dev, stat_of("m/dir").st_dev);
    CHECK_EQ(stat_of("m/a/b/c").st_dev, stat_of("m").st_dev);
    CHECK(stat_of("m").st_dev != stat_of(".").st_dev);
    CHECK_EQ(statfs("m/a/b", &fs), 0);
    CHECK_EQ(fs.f_type, 0x794c7630);

    CHECK_EQ(chdir("m/a/b/c"), 0);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    CHECK_STR(strstr(cwd, "/base/"), "/base/m/a/b/c");
    CHECK_STR(get_file("deep"), "deep");
    CHECK_STR(get_file("../near"), "near");
    CHECK_STR(get_file("../../../../l1/f1"), "one");
    CHECK_EQ(chdir("../../../.."), 0);
    fd = OK(open("m/a/b/c/deep", O_RDONLY));
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t n = OK(readlink(name, cwd, sizeof(cwd) - 1));
    cwd[n] = 0;
    CHECK_STR(strstr(cwd, "/base/"), "/base/m/a/b/c/deep");
    close(fd);

    // A program in a layer.
    snprintf(name, sizeof(name), "../%s", strrchr(argv[0], '/') + 1);
    fd = OK(open(name, O_RDONLY));
    int out = OK(open("l2/program", O_WRONLY | O_CREAT, 0755));
    static char block[1 << 16];
    while ((n = OK(read(fd, block, sizeof(block)))) > 0)
        CHECK_EQ(write(out, block, n), n);
    close(fd);
    close(out);
    CHECK_ERR(umount("m/dir"), EINVAL);
    CHECK_EQ(umount("m"), 0);

    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2"), 0);
    CHECK_STR(names_in("m/dir"), "in1 in2");
    CHECK_EQ(mode_of("m/dir"), 0750);
    CHECK_ERR(open("m/f1", O_RDWR), EROFS);
    CHECK_ERR(open("m/new", O_RDWR | O_CREAT, 0600), EROFS);
    CHECK_ERR(mkdir("m/new", 0700), EROFS);
    CHECK_ERR(unlink("m/f1"), EROFS);
    CHECK_ERR(rename("m/f1", "m/f3"), EROFS);
    CHECK_ERR(chmod("m/f1", 0600), EROFS);
    CHECK_ERR(truncate("m/f1", 0), EROFS);
    pid_t child = fork();
    if (child == 0) {
        execl("m/program", "program", "again", NULL);
        _exit(9);
    }
    wait_ok(child);
    overlay_end();
    return done();
}
