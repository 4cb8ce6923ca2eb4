// SPDX-License-Identifier: MIT
// execveat: by directory descriptor, by the file's own descriptor (AT_EMPTY_PATH, also a memfd and
// a deleted file), AT_SYMLINK_NOFOLLOW, scripts by descriptor, and the errors.
// covers: execveat, memfd_create
#include "exec.h"
#include <sys/mman.h>
#include <sys/utsname.h>

static int try_at(int fd, const char *path, int flags)
{
    char *args[] = {"zero", "one", NULL};

    return try_exec_at(fd, path, args, flags);
}

// Since Linux 6.14 ps shows the file's name, not the number, of a program run by descriptor.
static int names_file(void)
{
    struct utsname u;
    int major, minor;

    CHECK_EQ(uname(&u), 0);
    CHECK_EQ(sscanf(u.release, "%d.%d", &major, &minor), 2);
    return major > 6 || (major == 6 && minor >= 14);
}

int main(int argc, char **argv)
{
    struct stat st;
    int dir, fd, mem, in;
    off_t at = 0;

    if (getenv("SHOW")) { // names of descriptors differ: only what was given
        char comm[16];

        CHECK_EQ(prctl(PR_GET_NAME, comm), 0);
        printf("%s:", names_file() ? comm : "");
        for (int i = 0; i < argc; i++)
            printf(" [%s]", strncmp(argv[i], "/dev/fd/", 8) ? argv[i] : "/dev/fd/N");
        puts("");
        fflush(stdout);
        _exit(40);
    }
    (void)show_and_exit;
    CHECK(mkdir("dir", 0755) == 0);
    copy_self("dir/prog", 0755);
    CHECK(symlink("prog", "dir/link") == 0);
    put_script("dir/script", "#!dir/prog arg\n", 0755);
    dir = OK(open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    fd = OK(open("dir/prog", O_RDONLY | O_CLOEXEC));

    CHECK_EQ(try_at(AT_FDCWD, "dir/prog", 0), 0);
    CHECK_EQ(try_at(dir, "prog", 0), 0);
    CHECK_EQ(try_at(dir, "link", 0), 0);
    CHECK_EQ(try_at(dir, "../dir/prog", 0), 0);
    CHECK_EQ(try_at(dir, "link", AT_SYMLINK_NOFOLLOW), ELOOP);
    CHECK_EQ(try_at(dir, "prog", AT_SYMLINK_NOFOLLOW), 0);
    CHECK_EQ(try_at(fd, "", AT_EMPTY_PATH), 0);
    CHECK_EQ(try_at(OK(open("dir/prog", O_PATH | O_CLOEXEC)), "", AT_EMPTY_PATH), 0);
    CHECK_EQ(try_at(fd, "", 0), ENOENT);
    CHECK_EQ(try_at(fd, "x", 0), ENOTDIR);
    CHECK_EQ(try_at(dir, "", AT_EMPTY_PATH), EACCES);
    CHECK_EQ(try_at(dir, "absent", 0), ENOENT);
    CHECK_EQ(try_at(-1, "prog", 0), EBADF);
    CHECK_EQ(try_at(-1, "", AT_EMPTY_PATH), EBADF);
    CHECK_EQ(try_at(dir, "prog", 0x8000000), EINVAL);

    // A script by descriptor is named /dev/fd/N; so it must stay open.
    CHECK_EQ(try_at(dir, "script", 0), ENOENT); // the descriptor closes on exec
    CHECK_EQ(try_at(AT_FDCWD, "dir/script", 0), 0);
    in = OK(open("dir/script", O_RDONLY));
    CHECK_EQ(try_at(in, "", AT_EMPTY_PATH), 0);
    CHECK(fcntl(in, F_SETFD, FD_CLOEXEC) == 0);
    CHECK_EQ(try_at(in, "", AT_EMPTY_PATH), ENOENT);
    put_script("dir/bad", "#! \n", 0755);
    in = OK(open("dir/bad", O_RDONLY | O_CLOEXEC));
    CHECK_EQ(try_at(in, "", AT_EMPTY_PATH), ENOEXEC); // comes first

    mem = OK(memfd_create("program", MFD_CLOEXEC));
    CHECK(fstat(fd, &st) == 0);
    while (at < st.st_size)
        CHECK(sendfile(mem, fd, &at, st.st_size - at) > 0);
    CHECK_EQ(try_at(mem, "", AT_EMPTY_PATH), 0); // though it is open for writing
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", mem);
    in = OK(open(path, O_RDONLY | O_CLOEXEC));
    close(mem);
    CHECK_EQ(try_at(in, "", AT_EMPTY_PATH), 0);
    CHECK(unlink("dir/prog") == 0);
    CHECK_EQ(try_at(fd, "", AT_EMPTY_PATH), 0);
    return done();
}
