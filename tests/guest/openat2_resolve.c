// SPDX-License-Identifier: MIT
// openat2: what each RESOLVE_ flag lets through and how it refuses the rest.
// covers: openat2
#include "check.h"
#include "openat2.h"

static int dir;

static int open2(int dirfd, const char *path, unsigned long flags, unsigned long resolve)
{
    struct open_how how = {.flags = flags, .mode = flags & O_CREAT ? 0600 : 0, .resolve = resolve};

    return openat2_again(dirfd, path, &how);
}

static const char *text_of(const char *path, unsigned long resolve)
{
    int fd = OK(open2(dir, path, O_RDONLY, resolve));
    const char *text = get_fd(fd);

    close(fd);
    return text;
}

int main(void)
{
    char cwd[4096], path[4200], magic[64];

    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(path, sizeof(path), "%s/d/f", cwd);
    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(mkdir("d/sub", 0755), 0);
    put_file("d/f", "inside");
    put_file("outside", "outside");
    CHECK_EQ(symlink("../f", "d/sub/up"), 0);
    CHECK_EQ(symlink("../outside", "d/escape"), 0);
    CHECK_EQ(symlink("/f", "d/absolute"), 0);
    CHECK_EQ(symlink("sub", "d/sublink"), 0);
    dir = OK(open("d", O_PATH | O_DIRECTORY));
    snprintf(magic, sizeof(magic), "/proc/self/fd/%d", dir);

    CHECK_STR(text_of("../outside", 0), "outside");
    CHECK_STR(text_of("escape", 0), "outside");

    // BENEATH: everything below the dirfd, and the walk never leaves it.
    CHECK_STR(text_of("sub/../f", RESOLVE_BENEATH), "inside");
    CHECK_STR(text_of("sub/up", RESOLVE_BENEATH), "inside");
    CHECK_ERR(open2(dir, "../outside", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, "..", O_PATH, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, "../d/f", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, "escape", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, "absolute", O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, path, O_RDONLY, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(open2(dir, magic, O_PATH, RESOLVE_BENEATH), EXDEV);

    // IN_ROOT: the dirfd is / for absolute paths, links and `..`.
    CHECK_STR(text_of("/f", RESOLVE_IN_ROOT), "inside");
    CHECK_STR(text_of("absolute", RESOLVE_IN_ROOT), "inside");
    CHECK_STR(text_of("../../../f", RESOLVE_IN_ROOT), "inside");
    CHECK_STR(text_of("sub/up", RESOLVE_IN_ROOT), "inside");
    CHECK_ERR(open2(dir, "escape", O_RDONLY, RESOLVE_IN_ROOT), ENOENT);
    CHECK_ERR(open2(dir, path, O_RDONLY, RESOLVE_IN_ROOT), ENOENT);

    CHECK_STR(text_of("sub/../f", RESOLVE_NO_SYMLINKS), "inside");
    CHECK_ERR(open2(dir, "sub/up", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERR(open2(dir, "sublink/up", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
    OK(open2(dir, "sublink", O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS));

    CHECK_STR(text_of("sublink/up", RESOLVE_NO_MAGICLINKS), "inside");
    OK(open2(dir, magic, O_PATH, 0));
    CHECK_ERR(open2(dir, magic, O_PATH, RESOLVE_NO_MAGICLINKS), ELOOP);
    OK(open2(dir, magic, O_PATH | O_NOFOLLOW, RESOLVE_NO_MAGICLINKS));

    CHECK_STR(text_of("sub/../f", RESOLVE_NO_XDEV), "inside");
    CHECK_ERR(open2(dir, "/proc/self/status", O_RDONLY, RESOLVE_NO_XDEV), EXDEV);

    // CACHED answers from the dentry cache or says EAGAIN; it can never create.
    CHECK(open2(dir, "f", O_RDONLY, RESOLVE_CACHED) >= 0 || errno == EAGAIN);
    CHECK_ERR(open2(dir, "g", O_RDWR | O_CREAT, RESOLVE_CACHED), EAGAIN);
    CHECK_ERR(access("d/g", F_OK), ENOENT);
    OK(open2(dir, "g", O_RDWR | O_CREAT, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
    CHECK_EQ(access("d/g", F_OK), 0);
    return done();
}
