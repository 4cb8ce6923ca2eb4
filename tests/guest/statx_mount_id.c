// SPDX-License-Identifier: MIT
// statx tells the mount that a file lies in by the number that /proc/self/mountinfo has, the same
// by path and by descriptor; and blocks that are true: of a sparse file only those that are there.
// covers: statx, fstat, stat
#include "check.h"

static unsigned long mount_of(int dir, const char *path, int flags)
{
    struct statx st;
    CHECK_EQ(statx(dir, path, flags, STATX_MNT_ID | STATX_BASIC_STATS, &st), 0);
    CHECK(st.stx_mask & STATX_MNT_ID);
    return st.stx_mnt_id;
}

// The number of the newest mount at a point.
static unsigned long listed(const char *point)
{
    char line[4096], at[1024];
    unsigned long id, found = 0;
    FILE *f = fopen("/proc/self/mountinfo", "r");
    CHECK(f != NULL);
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "%lu %*u %*s %*s %1000s", &id, at) == 2 && !strcmp(at, point))
            found = id;
    if (f)
        fclose(f);
    return found;
}

int main(void)
{
    struct stat st;
    char text[65536];
    memset(text, 'x', sizeof(text));
    CHECK_EQ(mount_of(AT_FDCWD, "/proc", 0), listed("/proc"));
    CHECK_EQ(mount_of(AT_FDCWD, "/proc/self/status", 0), listed("/proc"));
    unsigned long here = mount_of(AT_FDCWD, ".", 0);
    CHECK(here != listed("/proc"));
    int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
    CHECK_EQ(mount_of(fd, "", AT_EMPTY_PATH), here);
    CHECK_EQ(mount_of(AT_FDCWD, "f", 0), here);
    int proc = OK(open("/proc/self", O_PATH));
    CHECK_EQ(mount_of(proc, "", AT_EMPTY_PATH), listed("/proc"));

    CHECK_EQ(write(fd, text, sizeof(text)), (long)sizeof(text));
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(st.st_blocks * 512 >= 65536 && st.st_blocks * 512 <= 65536 + 32768);
    CHECK_EQ(ftruncate(fd, 100 << 20), 0);
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(stat("f", &st), 0);
    CHECK_EQ(st.st_size, 100 << 20);
    CHECK(st.st_blocks * 512 <= 65536 + 32768);
    return done();
}
