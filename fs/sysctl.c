// SPDX-License-Identifier: MIT
// Settings of the host's kernel that lxcore must follow itself, because the host applies them to
// the host user only.
#include "fs.h"
#include "host.h"

long sysctl_number(struct task *t, const char *name, long otherwise)
{
    char text[16];
    long fd = host_openat(reserved_fd(t, RESERVED_PROC), name, O_RDONLY | O_CLOEXEC, 0);
    long n = fd < 0 ? fd : host_read((int)fd, text, sizeof text);
    if (fd >= 0)
        host_close((int)fd);
    return n > 1 ? str_number(text, (size_t)n - 1) : otherwise;
}
