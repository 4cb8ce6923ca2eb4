// SPDX-License-Identifier: MIT
// chown of a symlink and utimensat of it, at the same time: the times that were set stay.
// needs: root
// covers: fchownat, utimensat
#include "check.h"
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

int main(void)
{
    struct stat st;

    CHECK_EQ(symlink("none", "link"), 0);
    pid_t other = OK(fork());
    for (unsigned i = 0; !other; i++)
        if (fchownat(AT_FDCWD, "link", i % 7, 1, AT_SYMLINK_NOFOLLOW))
            _exit(1);
    for (int i = 1; i < 3000; i++) {
        struct timespec times[2] = {{0, UTIME_OMIT}, {i, 0}};
        CHECK_EQ(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_EQ(lstat("link", &st), 0);
        CHECK_EQ(st.st_mtime, i);
    }
    CHECK_EQ(kill(other, SIGKILL), 0);
    CHECK_EQ(waitpid(other, NULL, 0), other);
    return done();
}
