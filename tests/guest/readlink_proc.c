// SPDX-License-Identifier: MIT
// The magic links of /proc/self say where a descriptor, the program and the directories are, in
// the reader's own terms, also after renames and removals.
// covers: readlink, readlinkat, getcwd
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static char cwd[4096];

static const char *link_of(const char *path)
{
    static char text[8192];
    ssize_t n = OK(readlink(path, text, sizeof(text) - 1));

    text[n] = 0;
    return text;
}

// What the descriptor's link says, without the current directory in front.
static const char *fd_link(int fd)
{
    char path[40];
    const char *text;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    text = link_of(path);
    if (strncmp(text, cwd, strlen(cwd)) == 0)
        text += strlen(cwd);
    return text;
}

static int like(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

int main(void)
{
    char cut[4] = "", *slash;
    int fd, dir, p[2];

    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    CHECK_STR(link_of("/proc/self/cwd"), cwd);
    CHECK_STR(link_of("/proc/self/root"), "/");
    slash = strrchr(link_of("/proc/self/exe"), '/');
    CHECK_STR(slash, "/readlink_proc");
    CHECK_EQ(atoi(link_of("/proc/self")), getpid());

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("d/f", "data");
    CHECK_EQ(symlink("d", "s"), 0);
    fd = OK(open("s/../d/./f", O_RDONLY));
    dir = OK(open("s", O_PATH));
    CHECK_STR(fd_link(fd), "/d/f");
    CHECK_STR(fd_link(dir), "/d");
    CHECK_STR(fd_link(OK(open(".", O_RDONLY))), "");
    CHECK_STR(fd_link(OK(open("s", O_PATH | O_NOFOLLOW))), "/s");
    CHECK_STR(fd_link(OK(open("/", O_PATH))), "/");
    CHECK_STR(fd_link(OK(open("/dev/null", O_RDONLY))), "/dev/null");
    CHECK_EQ(rename("d", "e"), 0);
    CHECK_STR(fd_link(fd), "/e/f");
    CHECK_EQ(link("e/f", "e/g"), 0);
    CHECK_EQ(unlink("e/f"), 0);
    CHECK_STR(fd_link(fd), "/e/f (deleted)");
    CHECK_EQ(unlink("e/g"), 0);
    CHECK_EQ(rmdir("e"), 0);
    CHECK_STR(fd_link(dir), "/e (deleted)");

    CHECK_EQ(pipe(p), 0);
    CHECK(like(fd_link(p[0]), "pipe:["));
    CHECK(like(fd_link(socket(AF_UNIX, SOCK_STREAM, 0)), "socket:["));
    CHECK_STR(fd_link(epoll_create1(0)), "anon_inode:[eventpoll]");
    CHECK_STR(fd_link(eventfd(0, 0)), "anon_inode:[eventfd]");
    CHECK_EQ(readlink("/proc/self/cwd", cut, 3), strlen(cwd) < 3 ? strlen(cwd) : 3);
    CHECK(strncmp(cut, cwd, 3) == 0);
    CHECK_ERR(readlink("/proc/self/fd/999", cut, 3), ENOENT);
    CHECK_ERR(readlink("/proc/self/status", cut, 3), EINVAL);
    return done();
}
