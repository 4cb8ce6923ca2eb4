// SPDX-License-Identifier: MIT
// What is written to loses its set-id bits, unless the writer has CAP_FSETID: not to be may write
// everything.
// covers: write, open, truncate
// needs: root
#include "check.h"
#include <linux/capability.h>

static void check_written(const char *path, mode_t left)
{
    int fd = OK(open(path, O_WRONLY));
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(mode_of(path), left);
}

int main(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct caps[2];
    const char *names[] = {"a", "b", "c"};

    for (int i = 0; i < 3; i++) {
        put_file(names[i], "text");
        CHECK_EQ(chown(names[i], 1000, 1000), 0);
        CHECK_EQ(chmod(names[i], 06755), 0);
    }
    check_written("a", 06755);
    CHECK_EQ(syscall(SYS_capget, &header, caps), 0);
    caps[0].effective &= ~(1u << CAP_FSETID);
    CHECK_EQ(syscall(SYS_capset, &header, caps), 0);
    check_written("a", 0755);
    CHECK_EQ(truncate("b", 1), 0);
    CHECK_EQ(mode_of("b"), 0755);
    CHECK_EQ(close(OK(open("c", O_RDWR | O_TRUNC))), 0);
    CHECK_EQ(mode_of("c"), 0755);
    return done();
}
