// SPDX-License-Identifier: MIT
// setxattrat, getxattrat, listxattrat, removexattrat (Linux 6.13) by number: dirfds and AT_
// flags.
// covers: setxattrat, getxattrat, listxattrat, removexattrat
#include "check.h"
#include <stdint.h>
#include <sys/xattr.h>

enum { SETXATTRAT = 463, GETXATTRAT, LISTXATTRAT, REMOVEXATTRAT };

struct args {
    uint64_t value;
    uint32_t size, flags;
};

static long set(int dir, const char *path, int at, const char *name, const char *value, int flags)
{
    struct args a = {(uintptr_t)value, strlen(value), flags};

    return syscall(SETXATTRAT, dir, path, at, name, &a, sizeof(a));
}

static long get(int dir, const char *path, int at, const char *name, char *value, size_t size)
{
    struct args a = {(uintptr_t)value, size, 0};

    return syscall(GETXATTRAT, dir, path, at, name, &a, sizeof(a));
}

int main(void)
{
    struct args a = {0};
    char text[64] = "";
    int dir, fd;

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "");
    CHECK_EQ(symlink("f", "d/s"), 0);
    dir = OK(open("d", O_RDONLY));
    fd = OK(open("d/f", O_RDONLY));
    if (set(dir, "f", 0, "user.a", "value", XATTR_CREATE) != 0) {
        CHECK_EQ(errno, ENOSYS);
        printf("no setxattrat\n");
        return done();
    }
    CHECK_EQ(get(dir, "f", 0, "user.a", NULL, 0), 5);
    CHECK_EQ(get(dir, "s", 0, "user.a", text, sizeof(text)), 5);
    CHECK_STR(text, "value");
    CHECK_EQ(get(AT_FDCWD, "d/f", 0, "user.a", text, 5), 5);
    CHECK_EQ(get(fd, "", AT_EMPTY_PATH, "user.a", text, 5), 5);
    CHECK_ERR(get(dir, "f", 0, "user.a", text, 4), ERANGE);
    CHECK_ERR(get(dir, "s", AT_SYMLINK_NOFOLLOW, "user.a", text, 5), ENODATA);
    CHECK_ERR(set(dir, "f", 0, "user.a", "x", XATTR_CREATE), EEXIST);
    CHECK_ERR(set(dir, "s", AT_SYMLINK_NOFOLLOW, "user.a", "x", 0), EPERM);
    CHECK_EQ(set(fd, "", AT_EMPTY_PATH, "user.b", "", 0), 0);

    CHECK_EQ(syscall(LISTXATTRAT, dir, "f", 0, NULL, 0), 14);
    CHECK_EQ(syscall(LISTXATTRAT, fd, "", AT_EMPTY_PATH, text, sizeof(text)), 14);
    CHECK_ERR(syscall(LISTXATTRAT, dir, "f", 0, text, 13), ERANGE);
    CHECK_EQ(syscall(LISTXATTRAT, dir, "s", AT_SYMLINK_NOFOLLOW, text, 64), 0);
    CHECK_EQ(syscall(REMOVEXATTRAT, dir, "f", 0, "user.a"), 0);
    CHECK_ERR(syscall(REMOVEXATTRAT, dir, "s", 0, "user.a"), ENODATA);
    CHECK_EQ(syscall(REMOVEXATTRAT, fd, "", AT_EMPTY_PATH, "user.b"), 0);
    CHECK_EQ(flistxattr(fd, text, sizeof(text)), 0);

    CHECK_ERR(set(99, "f", 0, "user.a", "x", 0), EBADF);
    CHECK_ERR(set(dir, "f", 1 << 20, "user.a", "x", 0), EINVAL);
    CHECK_ERR(syscall(SETXATTRAT, dir, "f", 0, "user.a", &a, 8), EINVAL);
    CHECK_ERR(syscall(SETXATTRAT, dir, "f", 0, "user.a", &a, 1 << 20), E2BIG);
    a.flags = 77;
    CHECK_ERR(syscall(SETXATTRAT, dir, "f", 0, "user.a", &a, sizeof(a)), EINVAL);
    CHECK_ERR(syscall(GETXATTRAT, dir, "f", 0, "user.a", &a, sizeof(a)), EINVAL);
    return done();
}
