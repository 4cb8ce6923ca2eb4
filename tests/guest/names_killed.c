// SPDX-License-Identifier: MIT
// Processes are killed while they exchange and remove names. What others do with files of these
// names afterwards goes on as before, also what asks for a name that stays what it is: set-id files
// of a user that are opened for writing or cut, ACLs, and what a descriptor changes in an overlay.
// covers: open, truncate, fchmod, fchown, fsetxattr, renameat2, unlink
// needs: root
#include "overlay.h"
#include <sys/syscall.h>
#include <time.h>

#define ACCESS "system.posix_acl_access"

enum { KILLS = 60 };

static const unsigned char acl[] = {
    2, 0, 0,   0,   1,   0,   7,  0, 255, 255, 255, 255, 2,   0,   7,  0, 9, 0, 0,   0,   4,   0,
    5, 0, 255, 255, 255, 255, 16, 0, 7,   0,   255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255,
};

static void kill_in(void (*change)(void))
{
    for (int i = 0; i < KILLS; i++) {
        struct timespec some = {.tv_nsec = 300000 + i * 20000L};
        int status;
        pid_t pid = OK(fork());

        while (!pid)
            change();
        nanosleep(&some, NULL);
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, SIGKILL);
    }
}

static void exchange(void)
{
    syscall(SYS_renameat2, AT_FDCWD, "other/f", AT_FDCWD, "other/g", 2 /* RENAME_EXCHANGE */);
}

static void remove_again(void)
{
    int fd = open("other/f", O_CREAT | O_RDWR, 0600);

    close(fd);
    unlink("other/f");
}

static void as_user(void)
{
    become(1000, 1000);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "g" : "f";
        int fd;

        CHECK_EQ(chmod(name, 06755), 0);
        fd = OK(open(name, O_RDWR));
        CHECK_EQ(mode_of(name), 06755);
        CHECK_EQ(write(fd, "x", 1), 1);
        CHECK_EQ(mode_of(name), 0755);
        CHECK_EQ(close(fd), 0);
        CHECK_EQ(chmod(name, 04711), 0);
        CHECK_EQ(truncate(name, 0), 0);
        CHECK_EQ(mode_of(name), 0711);
        CHECK_EQ(setxattr(name, ACCESS, acl, sizeof(acl), 0), 0);
    }
    _exit(0);
}

// By descriptors of what lies in a lower layer.
static void in_overlay(void)
{
    char value[100];

    overlay_layers();
    put_file("l2/f", "");
    put_file("l2/g", "");
    overlay_mount();
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "m/g" : "m/f";
        int fd = OK(open(name, O_RDONLY));

        CHECK_EQ(fchmod(fd, 0640), 0);
        CHECK_EQ(fchown(fd, 1000, 1001), 0);
        CHECK_EQ(fsetxattr(fd, ACCESS, acl, sizeof(acl), 0), 0);
        CHECK_EQ(getxattr(name, ACCESS, value, sizeof(value)), sizeof(acl));
        CHECK_EQ(stat_of(name).st_uid, 1000);
        CHECK_EQ(close(fd), 0);
    }
    overlay_end();
}

int main(void)
{
    CHECK_EQ(chmod(".", 0755) | mkdir("other", 0777), 0);
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "g" : "f";

        put_file(name, "");
        CHECK_EQ(chown(name, 1000, 1000), 0);
        put_file(i ? "other/g" : "other/f", "");
    }
    kill_in(exchange);
    kill_in(remove_again);
    pid_t user = OK(fork());
    if (!user)
        as_user();
    wait_ok(user);
    in_overlay();
    return done();
}
