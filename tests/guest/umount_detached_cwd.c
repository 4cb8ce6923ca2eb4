// SPDX-License-Identifier: MIT
// The working directory lies in a mount that is taken away lazily: it has no path any more, but is
// still one.
// covers: umount2, getcwd, mount
// needs: root
#include "overlay.h"
#include <sys/syscall.h>

static void in_detached(void)
{
    char path[4096];

    CHECK_EQ(chdir("m/d"), 0);
    CHECK_EQ(umount2("../../m", MNT_DETACH), 0);
    CHECK(syscall(SYS_getcwd, path, sizeof(path)) > 0);
    CHECK_STR(path, "(unreachable)/d");
    put_file("in", "x");
    CHECK_EQ(access("../d/in", F_OK), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK(syscall(SYS_getcwd, path, sizeof(path)) > 0);
    CHECK_STR(path, "(unreachable)/");
    CHECK(getcwd(path, sizeof(path)) == NULL || path[0] == '/');
}

int main(void)
{
    char base[4096];

    overlay_layers();
    CHECK(getcwd(base, sizeof(base)) != NULL);
    CHECK_EQ(mkdir("l2/d", 0755), 0);
    overlay_mount();
    in_detached();
    CHECK_EQ(chdir(base), 0);
    CHECK_EQ(access("m/d", F_OK), -1);
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("m/d", 0755), 0);
    in_detached();
    CHECK_EQ(chdir(base), 0);
    return done();
}
