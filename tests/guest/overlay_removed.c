// SPDX-License-Identifier: MIT
// A directory of an overlay that is removed while it is open, or is the working directory: it is
// still there as "." and by its descriptor, above it is what was there, and in it is nothing.
// covers: rmdir, newfstatat, openat, fchmodat, mkdirat, getdents64, fchdir, unlinkat
// needs: root
#include "overlay.h"

#define A 54321 // an id that owns nothing

static void see(const char *above)
{
    char buf[256];
    struct stat st;
    int fd, up;

    CHECK_EQ(stat(".", &st), 0);
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(chmod(".", 0751), 0);
    CHECK_EQ(stat("./", &st), 0);
    CHECK_EQ(st.st_mode, S_IFDIR | 0751);
    fd = OK(open(".", O_RDONLY | O_DIRECTORY));
    CHECK_ERR(syscall(SYS_getdents64, fd, buf, sizeof(buf)), ENOENT);
    CHECK_EQ(access(".", R_OK | W_OK | X_OK), 0);
    CHECK_ERR(open("new", O_RDWR | O_CREAT, 0600), ENOENT);
    CHECK_ERR(mkdir("new", 0700), ENOENT);
    CHECK_ERR(stat("new", &st), ENOENT);
    CHECK_ERR(unlink("./new"), ENOENT);
    CHECK_ERR(rmdir("."), EINVAL);
    CHECK_ERR(getcwd(buf, sizeof(buf)) ? 0 : -1, ENOENT);
    up = OK(openat(fd, "..", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(faccessat(up, above, F_OK, 0), 0);
    CHECK_EQ(access("..", F_OK), 0);
    snprintf(buf, sizeof(buf), ".././%s", above);
    CHECK_EQ(access(buf, F_OK), 0);
    CHECK_ERR(access("../nothing", F_OK), ENOENT);
    CHECK_ERR(access(".../x", F_OK), ENOENT);
    CHECK_EQ(fchdir(fd), 0);
    CHECK_EQ(stat(".", &st), 0);
    CHECK(close(fd) == 0 && close(up) == 0);
}

int main(void)
{
    overlay_layers();
    put_file("l2/low", "low");
    overlay_mount();
    int base = OK(open(".", O_RDONLY | O_DIRECTORY));
    // At the mount's root, and deeper.
    CHECK(mkdir("m/d", 0755) == 0 && mkdir("m/e", 0755) == 0 && mkdir("m/e/d", 0755) == 0);
    put_file("m/e/beside", "beside");
    CHECK(chdir("m/d") == 0 && rmdir("../d") == 0);
    see("low");
    CHECK(fchdir(base) == 0 && chdir("m/e/d") == 0 && rmdir("../d") == 0);
    see("beside");
    pid_t pid = OK(fork());
    if (pid == 0) {
        struct stat st;
        CHECK_EQ(chmod(".", 0700), 0);
        CHECK_EQ(syscall(SYS_setresuid, A, A, A), 0);
        CHECK_ERR(stat(".", &st), EACCES);
        CHECK_ERR(access("..", F_OK), EACCES);
        _exit(0);
    }
    wait_ok(pid);
    CHECK(fchdir(base) == 0 && close(base) == 0);
    overlay_end();
    return done();
}
