// SPDX-License-Identifier: MIT
// user.* attributes by path, link path and descriptor: set, get, list, remove, size probes,
// errors.
// covers: setxattr, lsetxattr, fsetxattr, getxattr, lgetxattr, fgetxattr, listxattr, llistxattr
// covers: flistxattr, removexattr, lremovexattr, fremovexattr
#include "check.h"
#include <sys/xattr.h>

// Is the name in the list?
static int listed(const char *list, ssize_t size, const char *name)
{
    int n = 0;

    for (const char *s = list; s < list + size; s += strlen(s) + 1)
        n += strcmp(s, name) == 0;
    return n;
}

int main(void)
{
    char text[256], name[300] = "user.", *big = calloc(1, 70000);
    int fd;

    put_file("f", "");
    CHECK_EQ(symlink("f", "s"), 0);
    fd = OK(open("f", O_RDONLY));
    CHECK_EQ(setxattr("s", "user.a", "value", 5, 0), 0);
    CHECK_EQ(getxattr("f", "user.a", text, sizeof(text)), 5);
    CHECK(memcmp(text, "value", 5) == 0);
    CHECK_EQ(lgetxattr("f", "user.a", NULL, 0), 5);
    CHECK_EQ(fgetxattr(fd, "user.a", text, 5), 5);
    CHECK_ERR(getxattr("f", "user.a", text, 4), ERANGE);
    CHECK_ERR(getxattr("f", "user.b", text, sizeof(text)), ENODATA);
    CHECK_ERR(getxattr("f", "user.b", NULL, 0), ENODATA);

    // Binary and empty values; create and replace.
    CHECK_EQ(fsetxattr(fd, "user.bin", "\0\377\0", 3, XATTR_CREATE), 0);
    CHECK_EQ(getxattr("f", "user.bin", text, sizeof(text)), 3);
    CHECK(memcmp(text, "\0\377\0", 3) == 0);
    CHECK_ERR(setxattr("f", "user.bin", "x", 1, XATTR_CREATE), EEXIST);
    CHECK_ERR(setxattr("f", "user.none", "x", 1, XATTR_REPLACE), ENODATA);
    CHECK_EQ(lsetxattr("f", "user.bin", "", 0, XATTR_REPLACE), 0);
    CHECK_EQ(getxattr("f", "user.bin", text, sizeof(text)), 0);

    CHECK_EQ(listxattr("f", NULL, 0), 16);
    CHECK_EQ(listxattr("s", text, sizeof(text)), 16);
    CHECK(listed(text, 16, "user.a") && listed(text, 16, "user.bin"));
    CHECK_EQ(flistxattr(fd, text, 16), 16);
    CHECK_ERR(llistxattr("f", text, 15), ERANGE);
    CHECK_EQ(llistxattr("s", text, sizeof(text)), 0);

    CHECK_EQ(link("f", "g"), 0);
    CHECK_EQ(getxattr("g", "user.a", text, sizeof(text)), 5);
    CHECK_EQ(removexattr("g", "user.a"), 0);
    CHECK_ERR(removexattr("f", "user.a"), ENODATA);
    CHECK_EQ(fremovexattr(fd, "user.bin"), 0);
    CHECK_ERR(lremovexattr("f", "user.bin"), ENODATA);
    CHECK_EQ(listxattr("f", text, sizeof(text)), 0);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(setxattr("d", "user.dir", "1", 1, 0), 0);

    // Only files and directories carry them.
    CHECK_EQ(mkfifo("p", 0600), 0);
    CHECK_ERR(setxattr("p", "user.a", "x", 1, 0), EPERM);
    CHECK_ERR(lsetxattr("s", "user.a", "x", 1, 0), EPERM);
    CHECK_ERR(lgetxattr("s", "user.a", text, sizeof(text)), ENODATA);

    memset(name + 5, 'n', 251);
    CHECK_ERR(setxattr("f", name, "x", 1, 0), ERANGE);
    name[255] = 0;
    CHECK_EQ(setxattr("f", name, "x", 1, 0), 0);
    CHECK_ERR(setxattr("f", "", "x", 1, 0), ERANGE);
    CHECK_ERR(setxattr("f", "user.", "x", 1, 0), EINVAL);
    CHECK_ERR(setxattr("f", "nonsense.a", "x", 1, 0), EOPNOTSUPP);
    CHECK_ERR(setxattr("f", "user.a", big, 65537, 0), E2BIG);
    CHECK_ERR(setxattr("f", "user.a", "x", 1, 77), EINVAL);
    CHECK_ERR(setxattr("missing", "user.a", "x", 1, 0), ENOENT);
    CHECK_ERR(fsetxattr(99, "user.a", "x", 1, 0), EBADF);
    CHECK_ERR(fgetxattr(OK(open("f", O_PATH)), "user.a", text, 1), EBADF);
    CHECK_ERR(syscall(SYS_setxattr, "f", "user.a", bad_ptr, 4, 0), EFAULT);
    // The value is read before anybody looks for the file or knows the name.
    CHECK_ERR(syscall(SYS_setxattr, "missing", "user.a", bad_ptr, 4, 0), EFAULT);
    CHECK_ERR(syscall(SYS_setxattr, "f", "nobodys", bad_ptr, 4, 0), EFAULT);
    CHECK_ERR(syscall(SYS_fsetxattr, 99, "user.a", bad_ptr, 4, 0), EFAULT);
    CHECK_ERR(syscall(SYS_fsetxattr, 99, "user.a", bad_ptr, 0, 0), EBADF);
    CHECK_ERR(syscall(SYS_setxattr, "missing", "user.a", bad_ptr, 4, 8), EINVAL);
    return done();
}
