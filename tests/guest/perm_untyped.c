// SPDX-License-Identifier: MIT
// What has no name and no type (eventfd, epoll, timerfd...) cannot be changed and has no
// attributes, nor have pipes and sockets; what Linux says of that to root and to a user is said
// here.
// covers: fchmod, fchown, utimensat, fgetxattr, fsetxattr, fremovexattr
// needs: root
#include "check.h"
#include <grp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/xattr.h>

static const char *const names[] = {"security.x",
                                    "security.capability",
                                    "system.posix_acl_access",
                                    "system.posix_acl_default",
                                    "system.x",
                                    "trusted.x",
                                    "user.x"};

static void say(const char *what, long r)
{
    printf("%s %s\n", what, r < 0 ? strerror(errno) : "done");
}

// The output is compared.
static void changes(const char *what, int fd)
{
    puts(what);
    say("mode", fchmod(fd, 0600));
    say("owner", fchown(fd, geteuid(), getegid()));
    say("none", fchown(fd, -1, -1));
    say("times", futimens(fd, NULL));
}

static void attributes(const char *what, int fd)
{
    char value[64];

    puts(what);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        puts(names[i]);
        say("get", fgetxattr(fd, names[i], value, sizeof(value)));
        if (strstr(names[i], "capability") || strstr(names[i], "acl"))
            continue; // whose value is looked at, too
        say("set", fsetxattr(fd, names[i], "1", 1, 0));
    }
}

static void all(void)
{
    int p[2];
    sigset_t set;

    sigemptyset(&set);
    int fds[] = {OK(eventfd(0, 0)), OK(epoll_create1(0)), OK(signalfd(-1, &set, 0)),
                 OK(timerfd_create(CLOCK_MONOTONIC, 0)), OK(inotify_init1(0))};
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
        changes("untyped", fds[i]);
        attributes("untyped", fds[i]);
    }
    CHECK_EQ(pipe(p), 0);
    changes("pipe", p[0]);
    attributes("pipe", p[0]);
    int s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    changes("socket", s);
    attributes("socket", s);
    fflush(stdout);
}

int main(void)
{
    all();
    CHECK_EQ(setgroups(0, NULL), 0);
    CHECK_EQ(setresgid(1000, 1000, 1000), 0);
    CHECK_EQ(setresuid(1000, 1000, 1000), 0);
    all();
    return done();
}
