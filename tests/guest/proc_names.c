// SPDX-License-Identifier: MIT
// Names in /proc can be neither made nor removed, by root nor by others, and each attempt has the
// error that Linux has for it; files there are opened by their owner and mode.
// covers: mkdir, rmdir, unlink, unlinkat, mknod, symlink, link, open, rename
// needs: root
#include "check.h"

static char fd_name[40];

#define MAKE(path, err)                                                                            \
    do {                                                                                           \
        CHECK_ERR(mkdir(path, 0755), err);                                                         \
        CHECK_ERR(mknod(path, S_IFREG | 0600, 0), err);                                            \
        CHECK_ERR(mknod(path, S_IFIFO | 0600, 0), err);                                            \
        CHECK_ERR(symlink("to", path), err);                                                       \
        CHECK_ERR(link("file", path), err);                                                        \
        CHECK_ERR(link("/proc/self/status", path), err);                                           \
        CHECK_ERR(open(path, O_CREAT | O_EXCL | O_WRONLY, 0600), err);                             \
    } while (0)

// Unlink fails so, and rmdir.
#define REMOVE(path, file, dir)                                                                    \
    do {                                                                                           \
        CHECK_ERR(unlink(path), file);                                                             \
        CHECK_ERR(rmdir(path), dir);                                                               \
    } while (0)

static void make(void)
{
    static const char *const there[] = {"/proc/self",     "/proc/self/fd",   "/proc/self/status",
                                        "/proc/self/exe", "/proc/self/task", "/proc/self/ns/mnt",
                                        "/proc/sys",      "/proc/meminfo",   "/proc/self/fdinfo/0",
                                        fd_name};
    static const char *const not [] = {
        "/proc/new",         "/proc/self/new", "/proc/self/fd/new",    "/proc/self/task/new",
        "/proc/self/ns/new", "/proc/sys/new",  "/proc/sys/kernel/new", "/proc/net/new"};

    for (unsigned i = 0; i < sizeof(there) / sizeof(*there); i++)
        MAKE(there[i], EEXIST);
    for (unsigned i = 0; i < sizeof(not ) / sizeof(*not ); i++) {
        MAKE(not [i], ENOENT);
        REMOVE(not [i], ENOENT, ENOENT);
        CHECK_ERR(open(not [i], O_CREAT, 0600), ENOENT);
    }
    CHECK_ERR(open("/proc/self/fd", O_CREAT, 0600), EISDIR);
    CHECK_ERR(open("/proc/self", O_CREAT, 0600), EISDIR);
    close(OK(open("/proc/meminfo", O_CREAT, 0600)));
    close(OK(open(fd_name, O_CREAT | O_WRONLY, 0600)));
    // A process's directory is immutable, that of its descriptors its own.
    REMOVE(fd_name, EPERM, ENOTDIR);
    REMOVE("/proc/self/status", EPERM, EPERM);
    REMOVE("/proc/self/exe", EPERM, EPERM);
    REMOVE("/proc/self/fd", EPERM, EPERM);
    CHECK_ERR(unlink("/proc/self/fd/"), EISDIR);
    CHECK_ERR(unlink("/proc/self/status/"), ENOTDIR);
    REMOVE("/proc/sys/kernel/hostname", EACCES, EACCES);

    CHECK_ERR(rename(fd_name, "/proc/self/fd/0"), EPERM);
    CHECK_ERR(rename(fd_name, "/proc/self/fd/new"), ENOENT);
    CHECK_ERR(rename("/proc/self/fd/new", "/proc/self/fd/0"), ENOENT);
    CHECK_ERR(rename("/proc/self/status", "/proc/self/stat"), EPERM);
    CHECK_ERR(rename("/proc/self/status", "/proc/self/new"), ENOENT);
    CHECK_ERR(rename("/proc/self/status", "/proc/self/fd"), EPERM);
    CHECK_ERR(rename("/proc/self/fd", "/proc/self/stat"), EPERM);
    CHECK_ERR(rename("/proc/self/status", "/proc/uptime"), EPERM);
    CHECK_ERR(rename("/proc/self/status", "file"), EXDEV);
    CHECK_EQ(rename("/proc/self/status", "/proc/self/status"), 0);
    CHECK_ERR(rename("/proc/meminfo", "/proc/new"), ENOENT);
    CHECK_ERR(rename("/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname"), EACCES);
    CHECK_ERR(rename("/proc/sys/kernel/hostname", "/proc/sys/kernel/new"), ENOENT);
}

int main(void)
{
    int fd = OK(open("file", O_CREAT | O_RDWR, 0666));

    CHECK_EQ(fchmod(fd, 0666), 0);
    snprintf(fd_name, sizeof(fd_name), "/proc/self/fd/%d", fd);
    make();
    REMOVE("/proc/meminfo", EPERM, ENOTDIR);
    CHECK_ERR(rename("/proc/meminfo", "/proc/uptime"), EPERM);
    REMOVE("/proc/self", EPERM, ENOTDIR);
    REMOVE("/proc/sys", EISDIR, EPERM);
    REMOVE("/proc/self/ns/mnt", EPERM, ENOTDIR);

    become(1000, 1000);
    make();
    REMOVE("/proc/meminfo", EACCES, EACCES);
    CHECK_ERR(rename("/proc/meminfo", "/proc/uptime"), EACCES);
    REMOVE("/proc/self", EACCES, EACCES);
    REMOVE("/proc/sys", EACCES, EACCES);
    REMOVE("/proc/self/ns/mnt", EACCES, EACCES);
    CHECK_ERR(open("/proc/self/fdinfo/0", O_WRONLY), EACCES);
    CHECK_ERR(open("/proc/self/environ", O_WRONLY), EACCES);
    CHECK_ERR(open("/proc/meminfo", O_WRONLY), EACCES);
    CHECK_ERR(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
    done();
}
