// SPDX-License-Identifier: MIT
// Each descriptor number below 1024 is the guest's to use: dup2 onto it, read, stat and close
// work.
// covers: dup2, read, fstat, close, dup3, fcntl
// trap: not nested: two layers take descriptors from the program
#include "check.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit lim;
    struct stat st, it;
    char c;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &lim), 0);
    lim.rlim_cur = 1024;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &lim), 0);
    closefrom(3);
    put_file("f", "abc");
    CHECK_EQ(open("f", O_RDONLY), 3);
    CHECK_EQ(fstat(3, &st), 0);

    // One at a time: the number is closed before and after.
    for (int n = 4; n < 1024; n++) {
        CHECK_ERR(close(n), EBADF);
        CHECK_EQ(dup2(3, n), n);
        CHECK_EQ(pread(n, &c, 1, n % 3), 1);
        CHECK_EQ(c, "abc"[n % 3]);
        CHECK_EQ(fstat(n, &it), 0);
        CHECK_EQ(it.st_ino, st.st_ino);
        CHECK_EQ(close(n), 0);
        CHECK_ERR(read(n, &c, 1), EBADF);
    }
    CHECK_ERR(dup2(3, 1024), EBADF);

    // All at once, while path calls go on.
    for (int n = 1023; n > 3; n--) {
        CHECK_EQ(fcntl(3, F_DUPFD, n), n);
        CHECK_EQ(access("f", F_OK), 0);
    }
    CHECK_ERR(dup(3), EMFILE);
    CHECK_ERR(open("f", O_RDONLY), EMFILE);
    CHECK_EQ(stat("f", &it), 0);
    CHECK_EQ(chmod("f", 0600), 0);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(rename("f", "d/g"), 0);
    for (int n = 4; n < 1024; n++)
        CHECK_EQ(dup3(3, n, O_CLOEXEC), n);
    for (int n = 4; n < 1024; n++)
        CHECK_EQ(close(n), 0);
    CHECK_EQ(open("d/g", O_RDONLY), 4);
    return done();
}
