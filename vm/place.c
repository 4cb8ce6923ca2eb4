// SPDX-License-Identifier: MIT
// Where the VM's files lie (place.h).
#define _GNU_SOURCE
#include "place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

const char *place_run(void)
{
    static char *dir;
    const char *run = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    if (dir)
        return dir;
    if (run && *run == '/' && !access(run, W_OK))
        dir = must_format("%s/lxrun", run);
    else
        dir = must_format("/tmp/lxrun-%u", (unsigned)getuid());
    if ((mkdir(dir, 0700) && errno != EEXIST) || lstat(dir, &st))
        fail_errno("cannot make %s", dir);
    // In /tmp somebody else may have been first.
    if (!S_ISDIR(st.st_mode) || st.st_uid != getuid() || (st.st_mode & 077))
        fail("%s is not a directory of this user alone", dir);
    return dir;
}

struct sockaddr_un place_address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        fail("%s is too long for a socket", path);
    strcpy(a.sun_path, path);
    return a;
}

char *place_cache(const char *name)
{
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/')
        return must_format("%s/lxrun/vm/%s", cache, name);
    return must_format("%s/.cache/lxrun/vm/%s", home ? home : "", name);
}

char *place_program(const char *name)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n < 0)
        fail_errno("cannot read /proc/self/exe");
    self[n] = 0;
    *strrchr(self, '/') = 0;
    char *path = must_format("%s/%s", self, name);
    if (!access(path, R_OK))
        return path;
    path = must_format("%s/../lib/lxrun/%s", self, name);
    return access(path, R_OK) ? NULL : path;
}

char *place_host_program(const char *name)
{
    const char *path = getenv("PATH");
    char *all =
        must_format("%s:/usr/sbin:/sbin:/usr/lib/qemu:/usr/libexec", path ? path : "/usr/bin");
    for (char *dir = strtok(all, ":"); dir; dir = strtok(NULL, ":")) {
        char *file = must_format("%s/%s", dir, name);
        if (!access(file, X_OK))
            return file;
        free(file);
    }
    return NULL;
}
