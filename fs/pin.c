// SPDX-License-Identifier: MIT
// Holding what a guest path leads to (include/pin.h).
#include "pin.h"
#include "host.h"

// base itself: a directory, or the root of a mounted file, which only /proc opens again.
static long temp_copy(struct task *t, int fd)
{
    char path[FD_PATH_SIZE];
    fmt(path, sizeof path, FD_PATH, fd);
    return temp_open(t, AT_FDCWD, path, O_PATH, 0);
}

long path_pin(struct task *t, const char *path, int walk, struct statx *st)
{
    struct loc loc;
    struct parent p;
    temps_begin(t); // the root of a mount is not to change its number meanwhile
    long r = path_parent(t, AT_FDCWD, path, walk, &loc, &p);
    if (r < 0) {
        temps_end(t);
        return r;
    }
    long fd = *p.name || p.fd == AT_FDCWD
                  ? temp_open(t, p.fd, *p.name ? p.name : ".",
                              O_PATH | O_NOFOLLOW | (loc.must_be_dir ? O_DIRECTORY : 0), 0)
                  : temp_copy(t, p.fd);
    if (fd >= 0) {
        // What has no attributes of its own is known by its name.
        struct parent self = {.fd = (int)fd, .name = ""};
        r = meta_stat(t, MAX(loc.mount, 0), *p.name ? &p : &self, STATX_BASIC_STATS, st);
        if (r < 0) {
            temp_close(t, (int)fd);
            fd = r;
        }
    }
    parent_done(t, &p);
    temps_end(t);
    return fd;
}
