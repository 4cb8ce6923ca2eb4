// SPDX-License-Identifier: MIT
// A memfd is what its descriptor says, whatever its name: no name leads fstat to another file.
// covers: memfd_create, fstat
#include "check.h"
#include <sys/mman.h>
#include <sys/stat.h>

int main(void)
{
    static const char *const names[] = {"lxrun-proc:../etc/passwd",
                                        "lxrun-proc:self/root/etc/passwd",
                                        "lxrun-proc:1/root/etc/passwd",
                                        "lxrun-proc:self/exe",
                                        "lxrun-proc:",
                                        "lxrun-proc:/etc/passwd",
                                        "lxrun-proc:self/cwd/file"};

    CHECK_EQ(mkdir("file", 0700), 0);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct stat st;
        int fd = memfd_create(names[i], 0);
        CHECK(fd >= 0);
        CHECK_EQ(ftruncate(fd, 12345), 0);
        CHECK_EQ(fstat(fd, &st), 0);
        CHECK_EQ(st.st_size, 12345);
        CHECK_EQ(st.st_mode & S_IFMT, S_IFREG);
        CHECK_EQ(close(fd), 0);
    }
    return done();
}
