// SPDX-License-Identifier: MIT
// Process 1 is there: listed in /proc, with what everybody may read of any process; an orphan's
// parent is a process that is in /proc; an ordinary user can neither signal it nor look into it.
// covers: getppid, kill
#include "check.h"
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

// The first field behind the name, and behind the state: the parent.
static int stat_parent(const char *pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, text, sizeof text - 1));
    close(fd);
    text[n] = 0;
    CHECK(text[n - 1] == '\n' && strrchr(text, ')'));
    return atoi(strrchr(text, ')') + 4);
}

static bool listed(const char *name)
{
    DIR *d = opendir("/proc");
    bool found = false;
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        found = found || !strcmp(e->d_name, name);
    closedir(d);
    return found;
}

static void put(const char *path, char *text, size_t size)
{
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, text, size - 1));
    close(fd);
    text[n] = 0;
}

static void user(void)
{
    CHECK(setgid(4711) == 0 && setuid(4711) == 0);
    CHECK_ERR(kill(1, 0), EPERM);
    CHECK_ERR(kill(1, 65), EINVAL);
    CHECK_ERR(open("/proc/1/environ", O_RDONLY), EACCES);
    CHECK_ERR(open("/proc/1/fd/0", O_RDONLY), EACCES);
    CHECK_ERR(open("/proc/1/comm", O_WRONLY), EACCES);
    CHECK(access("/proc/1/stat", R_OK) == 0);
    char link[64];
    CHECK_ERR(readlink("/proc/1/exe", link, sizeof link), EACCES);
}

int main(void)
{
    char text[4096], name[16], path[64];
    struct stat st;
    int p[2], status;

    CHECK(listed("1") && stat("/proc/1", &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0);
    put("/proc/1/stat", text, sizeof text);
    CHECK(!strncmp(text, "1 (", 3));
    CHECK_EQ(stat_parent("1"), 0);
    put("/proc/1/status", text, sizeof text);
    CHECK(!strncmp(text, "Name:\t", 6) && strstr(text, "\nPid:\t1\n") &&
          strstr(text, "\nTgid:\t1\n") && strstr(text, "\nPPid:\t0\n") &&
          strstr(text, "\nUid:\t0\t0\t0\t0\n"));
    put("/proc/1/limits", text, sizeof text);
    CHECK(strstr(text, "Max open files"));
    put("/proc/1/comm", text, sizeof text);
    CHECK(strlen(text) > 1);
    put("/proc/1/cmdline", text, sizeof text);
    CHECK(chdir("/proc/1") == 0 && access("stat", R_OK) == 0 && chdir("..") == 0 &&
          access("1/stat", R_OK) == 0);
    CHECK(kill(1, 0) == 0);

    CHECK(pipe(p) == 0);
    if (!OK(fork())) {
        pid_t parent = getpid();
        if (OK(fork()))
            _exit(0);
        while (getppid() == parent)
            usleep(1000);
        snprintf(name, sizeof name, "%d", getppid());
        CHECK(listed(name));
        CHECK_EQ(stat_parent("self"), getppid());
        put("/proc/self/status", text, sizeof text);
        snprintf(path, sizeof path, "\nPPid:\t%d\n", getppid());
        CHECK(strstr(text, path));
        snprintf(path, sizeof path, "/proc/%s/stat", name);
        put(path, text, sizeof text);
        CHECK_EQ(atoi(text), getppid());
        CHECK(write(p[1], done() ? "n" : "y", 1) == 1);
        _exit(0);
    }
    CHECK(read(p[0], text, 1) == 1 && text[0] == 'y' && wait(&status) > 0 && status == 0);

    if (!OK(fork())) {
        user();
        _exit(done());
    }
    CHECK(wait(&status) > 0 && status == 0);
    return done();
}
