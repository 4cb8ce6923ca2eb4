// SPDX-License-Identifier: MIT
// inotify_add_watch(2): the path is the guest's, the watch the host's. The other inotify calls
// pass, and so does read(2), but for descriptors that watch in a drive which maps names
// (include/drivename.h): there events have the host's.
#include "watch.h"

#include <linux/inotify.h>

#include "drivename.h"
#include "host.h"
#include "pin.h"
#include "syscall_rows.h"
#include "uaccess.h"

static bool is_mapped(struct task *t, int fd)
{
    struct loc loc;
    return t->instance->has_drives && loc_of_fd(t, fd, &loc) >= 0 &&
           mount_at(t, loc.mount)->drive.names;
}

static long add_pinned(struct task *t, int fd, const char *path, u32 mask)
{
    char host[FD_PATH_SIZE];
    struct statx st;
    long pin = path_pin(t, path, mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW | WALK_OBJECT, &st);
    if (pin < 0)
        return pin;
    long r = may_access(&t->cred, &st, MAY_READ);
    if (r >= 0) {
        // The link in /proc must be followed; it leads to the object that is held. IN_UNMOUNT,
        // which every watch has, is instead, lest no bit be left.
        fmt(host, sizeof host, FD_PATH, (int)pin);
        if (mask & IN_DONT_FOLLOW)
            mask = (mask & ~(u32)IN_DONT_FOLLOW) | IN_UNMOUNT;
        r = HOST3(__NR_inotify_add_watch, fd, host, mask);
        if (r >= 0 && (st.stx_mode & S_IFMT) == S_IFDIR) {
            dirs_watch(t, (int)pin);
            if (is_mapped(t, (int)pin))
                fd_set_mapped_watch(t, fd);
        }
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

#define NAME_SIZE 256

// The name of one event, of n bytes with those that fill it up: it gets no longer.
static bool map_name(uptr name, size_t n)
{
    char text[NAME_SIZE + 1];
    if (n > NAME_SIZE || copy_from_guest(text, name, n))
        return false;
    text[n] = 0;
    size_t len = strlen(text), now = drivename_to_guest(text);
    memset(text + now, 0, n - now);
    return now == len || !copy_to_guest(name, text, n);
}

long watch_read(int fd, uptr buf, size_t count)
{
    struct inotify_event e;
    long n = HOST_INTR3(__NR_read, fd, buf, count);
    // What another thread writes there meanwhile leads nowhere but to the end.
    for (long at = 0; at + (long)sizeof e <= n; at += (long)sizeof e + e.len) {
        if (copy_from_guest(&e, buf + (uptr)at, sizeof e) || e.len > n - at - (long)sizeof e ||
            (e.len && !map_name(buf + (uptr)at + sizeof e, e.len)))
            break;
    }
    return n;
}
