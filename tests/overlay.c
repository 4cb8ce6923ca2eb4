// SPDX-License-Identifier: MIT
// overlay COMMAND...: runs it in an overlay over the current directory, which is its lower layer;
// in a guest (tests/run.py, "overlay").
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char dir[4096], options[5000];
    if (argc < 2 || !getcwd(dir, sizeof dir) || (mkdir("/upper", 0755) && errno != EEXIST) ||
        (mkdir("/work", 0755) && errno != EEXIST))
        return 125;
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=/upper,workdir=/work", dir);
    if (mount("overlay", dir, "overlay", 0, options) || chdir(dir)) {
        fprintf(stderr, "overlay: %s\n", strerror(errno));
        return 125;
    }
    execv(argv[1], argv + 1);
    fprintf(stderr, "overlay: %s: %s\n", argv[1], strerror(errno));
    return 126;
}
