// SPDX-License-Identifier: MIT
// An access ACL on a FIFO, a socket or a device node permits what it says at open, connect and
// access; a default ACL gives one to what is made; symlinks have none.
// covers: setxattr, getxattr, lsetxattr, removexattr, open, connect, access, mknod, bind, chmod
// needs: root
#include "check.h"
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

static const char *const special[] = {"p", "s", "n"};

// user::6 user:1000:perm group::0 mask::mask other::0
static long set_acl(const char *path, const char *name, unsigned perm, unsigned mask)
{
    struct {
        unsigned version;
        struct {
            unsigned short tag, perm;
            unsigned id;
        } e[5];
    } a = {2,
           {{1, 6, -1u},
            {2, (unsigned short)perm, 1000},
            {4, 0, -1u},
            {16, (unsigned short)mask, -1u},
            {32, 0, -1u}}};
    return lsetxattr(path, name, &a, sizeof(a), 0);
}

static int server = -1;

static int reach(const char *path, int flags)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st = stat_of(path);
    int fd;

    if (!S_ISSOCK(st.st_mode)) {
        fd = open(path, flags | O_NONBLOCK);
        return fd < 0 ? errno : close(fd);
    }
    fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    strcpy(a.sun_path, path);
    return connect(fd, (void *)&a, sizeof(a)) ? errno : close(fd);
}

// What user uid may do.
static void show(const char *path, uid_t uid)
{
    pid_t pid;

    fflush(stdout);
    pid = OK(fork());
    if (pid == 0) {
        become(uid, uid);
        printf("%s %o %u: %c%c read %d write %d both %d\n", path, mode_of(path), uid,
               access(path, R_OK) ? '-' : 'r', access(path, W_OK) ? '-' : 'w',
               reach(path, O_RDONLY), reach(path, O_WRONLY), reach(path, O_RDWR));
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
}

static void show_all(const char *dir)
{
    char path[64], value[256], list[64];

    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", dir, special[i]);
        ssize_t n = getxattr(path, ACCESS, value, sizeof(value));
        printf("%s: %zd bytes, list %zd\n", path, n, listxattr(path, list, sizeof(list)));
        show(path, 1000);
        show(path, 1001);
    }
}

static void bind_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    server = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    strcpy(a.sun_path, path);
    CHECK_EQ(bind(server, (void *)&a, sizeof(a)) | listen(server, 64), 0);
}

int main(void)
{
    char value[256];

    umask(0);
    CHECK_EQ(chmod(".", 0755), 0);
    CHECK_EQ(mkfifo("p", 0600) | mknod("n", S_IFCHR | 0600, makedev(1, 3)), 0);
    CHECK(OK(open("p", O_RDWR)) >= 0); // a peer for who opens one end
    bind_to("s");
    CHECK_EQ(chmod("s", 0600), 0);
    show_all("");
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(set_acl(special[i], ACCESS, 6, 7), 0);
        CHECK_ERR(set_acl(special[i], DEFAULT, 6, 7), EACCES);
    }
    show_all("");
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(chmod(special[i], 0640), 0); // the mask
    show_all("");
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(set_acl(special[i], ACCESS, 2, 2) | chown(special[i], 1001, 0), 0);
    show_all("");
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(removexattr(special[i], ACCESS), 0);
    show_all("");

    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(set_acl("d", DEFAULT, 6, 6), 0);
    CHECK_EQ(mkfifo("d/p", 0666) | mknod("d/n", S_IFCHR | 0660, makedev(1, 3)), 0);
    CHECK(OK(open("d/p", O_RDWR)) >= 0);
    bind_to("d/s");
    show_all("d/");
    CHECK_EQ(symlink("p", "d/l"), 0);
    CHECK_ERR(set_acl("d/l", ACCESS, 6, 6), EOPNOTSUPP);
    CHECK_ERR(lgetxattr("d/l", ACCESS, value, sizeof(value)), EOPNOTSUPP);
    CHECK_EQ(llistxattr("d/l", value, sizeof(value)), 0);
    CHECK_EQ(getxattr("d/l", ACCESS, value, sizeof(value)), 44);
    return done();
}
