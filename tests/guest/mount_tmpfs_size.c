// SPDX-License-Identifier: MIT
// Limits of a tmpfs: ENOSPC beyond its size and its number of inodes, for every way to fill it;
// statfs tells them, a remount changes them, and they hold for all who see the mount.
// covers: mount, statfs, write, fallocate, ftruncate, umount2
// needs: root
// trap: not nested,container: no host keeps the limit for an lxrun that is a guest; such a filter refuses the namespace that keeps the limit
#include "mountns.h"
#include <sys/mman.h>
#include <sys/statfs.h>

static char block[65536];

static ssize_t fill(const char *path)
{
    int fd = OK(open(path, O_WRONLY | O_CREAT, 0600));
    ssize_t n, sum = 0;

    while (sum < 4 << 20 && (n = write(fd, block, sizeof(block))) > 0)
        sum += n;
    CHECK_EQ(n, -1);
    CHECK_EQ(errno, ENOSPC);
    CHECK_EQ(close(fd), 0);
    return sum;
}

static long long size_of(const char *path)
{
    struct statfs fs;

    CHECK_EQ(statfs(path, &fs), 0);
    return (long long)fs.f_blocks * fs.f_bsize;
}

static void in_other_process(int start)
{
    char c;

    CHECK_EQ(read(start, &c, 1), 1);
    CHECK_EQ(size_of("m"), 256 << 10);
    CHECK(fill("m/by_child") <= 256 << 10);
    CHECK_EQ(unlink("m/by_child"), 0);
    _exit(0);
}

// Each option once, as it was said last; others stay. (Linux has its own order and units.)
static void shown_once(void)
{
    static const char *const has[] = {"size=128k", "uid=3", "gid=4", "nr_inodes=99"};
    FILE *f;
    char line[512];
    int found = 0;

    CHECK_EQ(mount("once", "m", "tmpfs", 0, "size=64k,uid=3,gid=4,nr_inodes=99"), 0);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT, "size=64k,uid=3,size=128k"), 0);
    f = OK(fopen("/proc/mounts", "r"));
    while (fgets(line, sizeof(line), f))
        if (!strncmp(line, "once ", 5)) {
            for (int i = 0; i < 4; i++)
                CHECK(strstr(line, has[i]) != NULL);
            CHECK(strstr(strstr(line, "size=") + 1, "size=") == NULL);
            found++;
        }
    fclose(f);
    CHECK_EQ(found, 1);
    CHECK_EQ(umount("m"), 0);
}

static void inodes(void)
{
    struct statfs fs;
    char name[32];
    int n = 0;

    CHECK_EQ(mount("none", "m", "tmpfs", 0, "nr_inodes=64"), 0);
    CHECK_EQ(statfs("m", &fs), 0);
    CHECK_EQ(fs.f_files, 64);
    for (;; n++) {
        snprintf(name, sizeof(name), "m/%d", n);
        if (mkdir(name, 0755) != 0)
            break;
    }
    CHECK_EQ(errno, ENOSPC);
    CHECK_EQ(n, 63); // the root counts, and nothing else
    CHECK_EQ(mode_of("m"), 01777);
    CHECK_EQ(umount("m"), 0);
}

int main(void)
{
    int fd, start[2];
    char *p;
    pid_t child;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755) | mkdir("view", 0755) | pipe(start), 0);
    child = fork();
    if (child == 0)
        in_other_process(start[0]);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, "size=256k,mode=0751,uid=3,gid=4"), 0);
    CHECK_EQ(mode_of("m"), 0751);
    CHECK_EQ(stat_of("m").st_uid, 3);
    CHECK_EQ(stat_of("m").st_gid, 4);
    CHECK_EQ(size_of("m"), 256 << 10);
    CHECK_EQ(write(start[1], "", 1), 1);
    wait_ok(child);
    CHECK(fill("m/f") <= 256 << 10);
    CHECK_EQ(unlink("m/f"), 0);
    put_file("m/g", "room again");
    CHECK_EQ(chown("m/g", 1, 2) | chmod("m/g", 04755), 0);
    CHECK_EQ(stat_of("m/g").st_gid, 2);
    CHECK_EQ(mode_of("m/g"), 04755);

    fd = OK(open("m/h", O_RDWR | O_CREAT, 0600));
    CHECK_ERR(fallocate(fd, 0, 0, 1 << 20), ENOSPC);
    CHECK_EQ(ftruncate(fd, 128 << 10), 0);
    p = mmap(NULL, 128 << 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    memset(p, 1, 128 << 10);
    CHECK_EQ(munmap(p, 128 << 10) | close(fd), 0);

    CHECK_EQ(mkdir("m/d", 0755), 0);
    CHECK_EQ(mount("m/d", "view", NULL, MS_BIND, NULL), 0);
    CHECK(fill("view/f") <= 128 << 10);
    CHECK_EQ(umount("view"), 0);
    CHECK_EQ(mount(NULL, "m", NULL, MS_REMOUNT, "size=1m"), 0);
    CHECK_EQ(size_of("m"), 1 << 20);
    CHECK(fill("m/d/f") > 256 << 10);
    CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT, "size=16k"), EINVAL);
    CHECK_ERR(mount(NULL, "m", NULL, MS_REMOUNT, "size=many"), EINVAL);
    CHECK_EQ(size_of("m"), 1 << 20);
    CHECK_STR(get_file("m/g"), "room again");
    fd = OK(open("m/g", O_RDONLY));
    CHECK_ERR(umount("m"), EBUSY);
    CHECK_EQ(umount2("m", MNT_DETACH), 0);
    CHECK_STR(get_fd(fd), "room again");
    CHECK_EQ(close(fd), 0);
    CHECK_ERR(access("m/g", F_OK), ENOENT);
    inodes();
    shown_once();
    for (int i = 0; i < 10; i++)
        CHECK_EQ(mount("none", "m", "tmpfs", 0, "size=64k") | umount("m"), 0);
    return done();
}
