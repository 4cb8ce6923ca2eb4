// SPDX-License-Identifier: MIT
// The type of each entry in a listing is the one that stat tells, in both layouts of the call, also
// for device nodes that were moved or linked here.
// covers: getdents, getdents64, mknod, rename, link
// needs: root
#include "check.h"
#include <dirent.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

struct old {
    unsigned long ino, off;
    unsigned short reclen;
    char name[];
};

static int count(const char *dir, long nr)
{
    char buf[4096] __attribute__((aligned(8))), path[300];
    int fd = OK(open(dir, O_RDONLY)), entries = 0;
    long n;

    while ((n = OK(syscall(nr, fd, buf, sizeof(buf)))) > 0) {
        for (long at = 0; at < n; entries++) {
            struct old *o = (void *)(buf + at);
            struct dirent64 *d = (void *)o;
            const char *name = nr == SYS_getdents ? o->name : d->d_name;
            int type = nr == SYS_getdents ? buf[at + o->reclen - 1] : d->d_type;

            snprintf(path, sizeof(path), "%s/%s", dir, name);
            if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
                CHECK_EQ(type, IFTODT(stat_of(path).st_mode));
            at += o->reclen;
        }
    }
    close(fd);
    return entries;
}

int main(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "a/sock"};

    CHECK_EQ(mkdir("a", 0755) | mkdir("b", 0755) | mkdir("c", 0755) | mkdir("a/d", 0755), 0);
    put_file("a/f", "");
    CHECK_EQ(symlink("f", "a/l") | mkfifo("a/p", 0600), 0);
    CHECK_EQ(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, sizeof(addr)), 0);
    CHECK_EQ(count("a", SYS_getdents64), 7);
    CHECK_EQ(mknod("a/null", S_IFCHR | 0666, makedev(1, 3)), 0);
    CHECK_EQ(mknod("a/disk", S_IFBLK | 0660, makedev(8, 1)), 0);
    CHECK_EQ(count("a", SYS_getdents64), 9);
    CHECK_EQ(count("a", SYS_getdents), 9);
    CHECK_EQ(symlink("f", "b/l") | symlink("f", "c/l"), 0);
    CHECK_EQ(rename("a/null", "b/null"), 0);
    CHECK_EQ(link("a/disk", "c/disk"), 0);
    CHECK_EQ(count("a", SYS_getdents64), 8);
    CHECK_EQ(count("b", SYS_getdents64), 4);
    CHECK_EQ(count("c", SYS_getdents), 4);
    CHECK(count("/dev", SYS_getdents64) > 8);
    return done();
}
