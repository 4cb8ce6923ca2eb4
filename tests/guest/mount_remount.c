// SPDX-License-Identifier: MIT
// What a remount changes, and of what: the file system, for all mounts that show it, or this mount
// alone; how times of access are written is shown as asked for, and stays where nothing is said;
// umount of one's own root makes it read-only; the root of an overlay is told to be one.
// covers: mount, umount2, statfs, statx, chroot
// needs: root
#define _GNU_SOURCE
#include "mountns.h"
#include <linux/stat.h>
#include <sys/statfs.h>

// The options of the mount on `point`, and those of its file system, "rw" or "ro" at the least.
static const char *shown(const char *point)
{
    static char text[300];
    char line[4096], path[1024], options[200], *super;
    FILE *f = fopen("/proc/self/mountinfo", "r");
    text[0] = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*d %*d %*s %*s %1023s %199s", path, options) != 2)
            continue;
        char *last = strrchr(path, '/');
        super = strrchr(line, ' ') + 1;
        super[strcspn(super, ",\n")] = 0;
        if (last && !strcmp(last + 1, point))
            snprintf(text, sizeof text, "%s %s", options, super);
    }
    fclose(f);
    return text;
}

#define ATIME (0x400 | 0x800 | 0x1000) // ST_NOATIME, ST_NODIRATIME, ST_RELATIME

static long flags_of(const char *path)
{
    struct statfs s;
    CHECK_EQ(statfs(path, &s), 0);
    return s.f_flags & (ATIME | MS_RDONLY);
}

static void file_system(void)
{
    CHECK_EQ(mount("one", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("a/d", 0755), 0);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount("a/d", "c", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    CHECK_STR(shown("a"), "ro,relatime ro");
    CHECK_STR(shown("b"), "rw,relatime ro");
    CHECK_STR(shown("c"), "rw,relatime ro");
    CHECK_EQ(flags_of("c"), 0x1000 | MS_RDONLY);
    CHECK_ERR(mkdir("b/x", 0755), EROFS);
    CHECK_ERR(mkdir("c/x", 0755), EROFS);
    CHECK_ERR(mkdir("a/x", 0755), EROFS);
    // What is bound now is so too, and cannot be made writable alone.
    CHECK_EQ(mount("b", "e", NULL, MS_BIND, NULL), 0);
    CHECK_EQ(mount(NULL, "e", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
    CHECK_ERR(mkdir("e/x", 0755), EROFS);
    CHECK_EQ(mount(NULL, "b", NULL, MS_REMOUNT, NULL), 0);
    CHECK_EQ(mkdir("e/x", 0755), 0);
    CHECK_EQ(mkdir("c/x", 0755), 0);
    CHECK_EQ(mkdir("b/y", 0755), 0);
    CHECK_STR(shown("a"), "ro,relatime rw");
    CHECK_ERR(mkdir("a/z", 0755), EROFS); // this mount alone
    CHECK_EQ(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
    CHECK_EQ(mkdir("a/z", 0755), 0);
    CHECK_EQ(mount(NULL, "c", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
    CHECK_STR(shown("c"), "ro,relatime rw");
    CHECK_ERR(mkdir("c/z", 0755), EROFS);
    CHECK_EQ(mkdir("b/z/z", 0755), 0);
    CHECK_EQ(umount("e") | umount("c") | umount("b") | umount("a"), 0);
}

static void access_times(void)
{
    static const struct {
        unsigned long flags;
        const char *shown;
        long told;
    } want[] = {{0, "rw,relatime rw", 0x1000},
                {MS_RELATIME, "rw,relatime rw", 0x1000},
                {MS_NOATIME, "rw,noatime rw", 0x400},
                {MS_NODIRATIME, "rw,nodiratime,relatime rw", 0x1800},
                {MS_NOATIME | MS_NODIRATIME, "rw,noatime,nodiratime rw", 0xc00},
                {MS_STRICTATIME, "rw rw", 0},
                {MS_STRICTATIME | MS_NOATIME, "rw rw", 0},
                {MS_NOATIME | MS_RELATIME, "rw,noatime rw", 0x400}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        CHECK_EQ(mount("one", "a", "tmpfs", want[i].flags, NULL), 0);
        CHECK_STR(shown("a"), want[i].shown);
        CHECK_EQ(flags_of("a"), want[i].told);
        CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
        CHECK_STR(shown("b"), want[i].shown);
        CHECK_EQ(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND, NULL), 0);
        CHECK_STR(shown("b"), want[i].shown);
        CHECK_EQ(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL), 0);
        CHECK_STR(shown("b"), "rw,noatime rw");
        CHECK_EQ(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RELATIME, NULL), 0);
        CHECK_STR(shown("b"), "rw,relatime rw");
        CHECK_STR(shown("a"), want[i].shown);
        CHECK_EQ(umount("b") | umount("a"), 0);
    }
}

static int is_root(int dirfd, const char *path, int flags)
{
    struct statx st = {0};
    CHECK_EQ(statx(dirfd, path, flags, STATX_BASIC_STATS, &st), 0);
    CHECK(st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT);
    return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static void overlay_root(void)
{
    CHECK_EQ(mount("one", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("a/l", 0755) | mkdir("a/u", 0755) | mkdir("a/w", 0755), 0);
    CHECK_EQ(mkdir("a/l/d", 0755) | mkdir("a/u/e", 0755), 0);
    CHECK_EQ(mount("o", "b", "overlay", 0, "lowerdir=a/l,upperdir=a/u,workdir=a/w"), 0);
    int fd = OK(open("b", O_RDONLY));
    CHECK_EQ(is_root(AT_FDCWD, "b", 0), 1);
    CHECK_EQ(is_root(fd, "", AT_EMPTY_PATH), 1);
    CHECK_EQ(is_root(fd, ".", 0), 1);
    CHECK_EQ(is_root(AT_FDCWD, "b/d", 0), 0);
    CHECK_EQ(is_root(AT_FDCWD, "b/e", 0), 0);
    CHECK_EQ(is_root(AT_FDCWD, "a/u", 0), 0);
    close(fd);
    CHECK_EQ(umount("b") | umount("a"), 0);
}

static void own_root(void)
{
    CHECK_EQ(mount("one", "a", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mount("a", "b", NULL, MS_BIND, NULL), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK_EQ(chroot("a"), 0);
        CHECK_EQ(chdir("/"), 0);
        CHECK_EQ(mkdir("/x", 0755), 0);
        CHECK_EQ(umount("/"), 0);
        CHECK_ERR(mkdir("/y", 0755), EROFS);
        CHECK_EQ(umount("/"), 0);
        CHECK_ERR(umount2("/", MNT_EXPIRE), EINVAL);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_ERR(mkdir("b/y", 0755), EROFS);
    CHECK_STR(shown("b"), "rw,relatime ro");
    CHECK_EQ(umount("b") | umount("a"), 0);
}

int main(void)
{
    own_mounts();
    CHECK_EQ(mkdir("a", 0755) | mkdir("b", 0755) | mkdir("c", 0755) | mkdir("e", 0755), 0);
    file_system();
    access_times();
    overlay_root();
    own_root();
    return done();
}
