// SPDX-License-Identifier: MIT
// Directories of an overlay that are renamed: the root that chroot has set stays that directory,
// and ".." ends there; and who is below one that another thread renames finds what there is,
// always.
// covers: chroot, rename, chdir, openat, newfstatat, mkdir, rmdir
// needs: root
#include "overlay.h"
#include "race.h"
#include <stdbool.h>

static int top;

static void attack(unsigned round)
{
    (void)round;
    CHECK_EQ(renameat(top, "one", top, "second"), 0);
    CHECK_EQ(renameat(top, "second", top, "one"), 0);
}

static void lookup(unsigned round)
{
    struct stat st;
    CHECK_EQ(access("../../..", F_OK), 0);
    CHECK_EQ(access("../beside", F_OK), 0);
    CHECK_EQ(stat("../../sub/beside", &st), 0);
    CHECK_EQ(fstatat(AT_FDCWD, "../../../low", &st, 0), 0);
    CHECK_ERR(access("../missing", F_OK), ENOENT);
    CHECK_EQ(chmod("../beside", round & 1 ? 0644 : 0600), 0);
    close(OK(open("../beside", O_RDWR)));
    CHECK_EQ(mkdir("../made", 0755), 0);
    CHECK_EQ(rmdir("../made"), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(chdir("end"), 0);
    race_hits++;
}

static void lookup_in_root(unsigned round)
{
    (void)round;
    CHECK_EQ(access("../../end/../beside", F_OK), 0);
    CHECK_EQ(access("..", F_OK), 0);
    CHECK_ERR(access("../../secret", F_OK), ENOENT);
    CHECK_ERR(access("../../../secret", F_OK), ENOENT);
    CHECK_ERR(access("/../secret", F_OK), ENOENT);
    CHECK_EQ(chdir("/end"), 0);
    race_hits++;
}

// The root is there, whatever it is called now.
static void see(const char *here)
{
    CHECK_STR(get_file("/here"), here);
    CHECK_STR(get_file("here"), here);
    CHECK_STR(get_file("../../here"), here);
    CHECK_STR(get_file("/d/../../here"), here);
    CHECK_ERR(access("/../secret", F_OK), ENOENT);
    CHECK_ERR(access("../secret", F_OK), ENOENT);
    CHECK_ERR(access("d/../../secret", F_OK), ENOENT);
    CHECK_EQ(chdir("d"), 0);
    CHECK_STR(get_file("../here"), here);
    CHECK_STR(get_file("../../here"), here);
    CHECK_EQ(chdir("../.."), 0);
}

// own: the directory is the upper layer's alone; others cannot be renamed.
static void roots(const char *root, bool own)
{
    char c;
    int go[2], back[2], status;
    CHECK(pipe(go) == 0 && pipe(back) == 0);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK(chroot(root) == 0 && chdir("/") == 0);
        for (int i = 0; i < 4; i++) {
            see(own ? "own" : "low");
            CHECK(write(back[1], "x", 1) == 1 && read(go[0], &c, 1) == 1);
        }
        CHECK(mkdir("/new", 0755) == 0 && rmdir("new") == 0); // copies it up
        see(own ? "own" : "low");
        _exit(0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(read(back[0], &c, 1), 1);
        if (own && i == 0)
            CHECK_EQ(rename("m/above", "m/other"), 0);
        if (own && i == 1)
            CHECK_EQ(rename("m/other/root", "m/moved"), 0);
        if (own && i == 2)
            CHECK_EQ(mkdir("m/above", 0755) | mkdir("m/above/root", 0755), 0);
        if (!own && i == 0)
            CHECK_ERR(rename("m/lower", "m/other"), EXDEV);
        CHECK_EQ(write(go[1], "x", 1), 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(void)
{
    int status;
    overlay_layers();
    put_file("l2/low", "low");
    CHECK_EQ(
        mkdir("l2/lower", 0755) | mkdir("l2/lower/root", 0755) | mkdir("l2/lower/root/d", 0755), 0);
    put_file("l2/lower/root/here", "low");
    put_file("l2/lower/secret", "");
    overlay_mount();
    put_file("m/secret", "");
    CHECK_EQ(mkdir("m/above", 0755) | mkdir("m/above/root", 0755) | mkdir("m/above/root/d", 0755),
             0);
    put_file("m/above/root/here", "own");
    put_file("m/above/secret", "");
    roots("m/above/root", true);
    roots("m/lower/root", false);

    CHECK_EQ(mkdir("m/one", 0755) | mkdir("m/one/sub", 0755) | mkdir("m/one/sub/end", 0755), 0);
    put_file("m/one/sub/beside", "");
    put_file("m/one/secret", "");
    top = OK(open("m", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(chdir("m/one/sub/end"), 0);
    race_run(attack, lookup);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK(chroot("..") == 0 && chdir("/end") == 0);
        race_run(attack, lookup_in_root);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return done();
}
