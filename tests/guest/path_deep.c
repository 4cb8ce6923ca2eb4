// SPDX-License-Identifier: MIT
// A tree deeper than PATH_MAX: every call works with names relative to a directory in it, `..` and
// links included, for root and for an ordinary user; it can be taken down again.
// covers: openat, openat2, mkdirat, chdir, fchdir, newfstatat, renameat, unlinkat, symlinkat
// trap: not nested: the host sees a longer path than the guest, and the outer lxrun tells it
#include "check.h"
#include "openat2.h"

#define LEVELS 40

static char name[201];

static int open2(int dir, const char *path, unsigned long resolve)
{
    struct open_how how = {.flags = O_RDONLY, .resolve = resolve};

    return openat2_again(dir, path, &how);
}

static int down(int dir)
{
    for (int i = 0; i < LEVELS; i++) {
        int next;

        CHECK_EQ(mkdirat(dir, name, 0755), 0);
        next = OK(openat(dir, name, O_RDONLY | O_DIRECTORY));
        close(dir);
        dir = next;
    }
    return dir;
}

static void use(int dir)
{
    char path[256];
    struct stat st, up;
    int above = OK(openat(dir, "..", O_PATH)), f;

    snprintf(path, sizeof(path), "%s/file", name);
    f = OK(openat(dir, "file", O_RDWR | O_CREAT, 0600));
    CHECK_EQ(write(f, "deep", 4), 4);
    CHECK_EQ(fstatat(above, path, &st, 0), 0);
    CHECK_EQ(st.st_size, 4);
    CHECK_EQ(fstatat(dir, "../../.", &st, 0), 0);
    CHECK_EQ(fstatat(above, "..", &up, 0), 0);
    CHECK_EQ(st.st_ino, up.st_ino);
    CHECK_EQ(symlinkat("file", dir, "link") | symlinkat("../up", dir, "uplink"), 0);
    CHECK_STR(get_fd(OK(openat(dir, "link", O_RDONLY))), "deep");
    CHECK_EQ(renameat(dir, "file", dir, "../up"), 0);
    CHECK_STR(get_fd(OK(openat(dir, "uplink", O_RDONLY))), "deep");
    CHECK_STR(get_fd(OK(open2(dir, "./uplink", 0))), "deep");
    CHECK_ERR(open2(dir, "uplink", RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, "uplink", RESOLVE_IN_ROOT), ENOENT);
    CHECK_ERR(openat(dir, "link", O_RDONLY), ENOENT);
    CHECK_ERR(openat(dir, "../up/..", O_RDONLY), ENOTDIR);
    CHECK_EQ(fchdir(dir), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK_STR(get_file("up"), "deep");
    CHECK_EQ(chmod("./up", 0644), 0);
    CHECK_EQ(mode_of("up"), 0644);
    CHECK_EQ(mkdir("../../new", 0700), 0);
    CHECK_EQ(rmdir("../../new"), 0);
    CHECK_EQ(fchdir(dir), 0);
    CHECK_EQ(unlink("../up") | unlink("link") | unlink("uplink"), 0);
}

static void take_down(void)
{
    for (int i = 0; i < LEVELS; i++) {
        CHECK_EQ(chdir(".."), 0);
        CHECK_EQ(rmdir(name), 0);
    }
}

static void all(void)
{
    int top = OK(open(".", O_RDONLY | O_DIRECTORY));
    struct stat st = stat_of(".");

    use(down(top));
    take_down();
    CHECK_EQ(stat_of(".").st_ino, st.st_ino);
}

int main(void)
{
    memset(name, 'd', 200);
    umask(022);
    all();
    CHECK_EQ(mkdir("user", 0777), 0);
    CHECK_EQ(chmod("user", 0777), 0);
    CHECK_EQ(chdir("user"), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (getuid() == 0)
            become(1000, 1000);
        all();
        _exit(0);
    }
    wait_ok(pid);
    return done();
}
