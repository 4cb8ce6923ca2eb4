// SPDX-License-Identifier: MIT
// /proc/self/fd lists exactly the guest's descriptors, none of the layer's; fdinfo has position,
// flags and what epoll and inotify add.
// covers: getdents64, open, read, close_range
// trap: not old: O_NOFOLLOW shows in fdinfo there (fs/openwalk.c)
#include "check.h"
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// The descriptors in the listing as a string "0 1 2 ", without that of the listing itself.
static const char *list(const char *path)
{
    static char text[512];
    char seen[2048] = {0};
    DIR *dir = opendir(path);
    struct dirent *e;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        CHECK(atoi(e->d_name) < 2048);
        seen[atoi(e->d_name)]++;
    }
    CHECK_EQ(seen[dirfd(dir)], 1);
    seen[dirfd(dir)] = 0;
    closedir(dir);
    text[0] = 0;
    for (int i = 0; i < 2048; i++)
        if (seen[i])
            sprintf(text + strlen(text), "%d ", i);
    return text;
}

static const char *info(int fd)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    return get_file(path);
}

int main(void)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 7};
    char path[64], want[64];
    int fd, ep;

    closefrom(3);
    CHECK_STR(list("/proc/self/fd"), "0 1 2 ");
    CHECK_EQ(open("/dev/null", O_RDONLY), 3);
    CHECK_EQ(dup2(3, 700), 700);
    CHECK_EQ(dup2(3, 1023), 1023);
    CHECK_STR(list("/proc/self/fd"), "0 1 2 3 700 1023 ");
    CHECK_STR(list("/dev/fd"), "0 1 2 3 700 1023 ");
    CHECK_STR(list("/proc/self/fdinfo"), "0 1 2 3 700 1023 ");
    snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", getpid(), gettid());
    CHECK_STR(list(path), "0 1 2 3 700 1023 ");
    CHECK_EQ(close_range(3, ~0u, 0), 0);
    CHECK_STR(list("/proc/self/fd"), "0 1 2 ");

    put_file("f", "0123456789");
    fd = OK(open("f", O_RDWR | O_APPEND | O_CLOEXEC));
    CHECK_EQ(lseek(fd, 7, SEEK_SET), 7);
    CHECK(strncmp(info(fd), "pos:\t7\nflags:\t", 14) == 0);
    CHECK_EQ(strtol(strstr(info(fd), "flags:\t") + 7, NULL, 8) & ~0100000,
             O_RDWR | O_APPEND | O_CLOEXEC);
    CHECK(strstr(info(fd), "mnt_id:\t") != NULL);
    ep = OK(epoll_create1(0));
    fd = OK(eventfd(9, 0));
    CHECK_EQ(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), 0);
    CHECK(strstr(info(fd), "eventfd-count:") != NULL);
    snprintf(want, sizeof(want), "tfd: %8d events: %8x", fd, EPOLLIN | EPOLLERR | EPOLLHUP);
    CHECK(strstr(info(ep), want) != NULL);
    CHECK_ERR(open("/proc/self/fdinfo/999", O_RDONLY), ENOENT);
    return done();
}
