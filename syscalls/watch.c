// SPDX-License-Identifier: MIT
// inotify_add_watch(2): the path is the guest's, the watch the host's. The other inotify calls
// pass.
#include <linux/inotify.h>

#include "host.h"
#include "pin.h"
#include "syscall_rows.h"
#include "uaccess.h"

static long add_pinned(struct task *t, int fd, const char *path, u32 mask)
{
    char host[FD_PATH_SIZE];
    struct statx st;
    long pin = path_pin(t, path, mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW, &st);
    if (pin < 0)
        return pin;
    long r = may_access(&t->cred, &st, MAY_READ);
    if (r >= 0) {
        // The link in /proc must be followed; it leads to the object that is held.
        fmt(host, sizeof host, FD_PATH, (int)pin);
        r = HOST3(__NR_inotify_add_watch, fd, host, mask & ~(u32)IN_DONT_FOLLOW);
        if (r >= 0 && (st.stx_mode & S_IFMT) == S_IFDIR)
            dirs_watch(t, (int)pin);
    }
    temp_close(t, (int)pin);
    return r;
}

long sys_inotify_add_watch(struct task *t, int fd, uptr path, unsigned int mask)
{
    char text[LX_PATH_MAX];
    long r = copy_str_from_guest(text, path, sizeof text);
    if (r >= 0) {
        r = add_pinned(t, fd, text, mask);
        if (r >= 0)
            return r;
    }
    // The kernel looks at mask and descriptor before the path: with no path it tells those errors.
    long first = HOST3(__NR_inotify_add_watch, fd, "", mask);
    return first == -ENOENT ? r : first;
}
