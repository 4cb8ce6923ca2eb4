// SPDX-License-Identifier: MIT
// /proc/self/exe and /proc/self/cwd as the path of a program are each process's own: programs that
// start themselves again beside each other, by turns and at once, are started each by itself.
// covers: execve, readlink, chdir
#include "check.h"
#include <sys/sendfile.h>

static void copy_to(const char *path)
{
    int from = OK(open("/proc/self/exe", O_RDONLY)), to = OK(open(path, O_CREAT | O_WRONLY, 0755));
    off_t size = lseek(from, 0, SEEK_END), at = 0;
    while (at < size)
        OK(sendfile(to, from, &at, size - at));
    CHECK_EQ(close(from) | close(to), 0);
}

static pid_t start(const char *name, const char *how)
{
    pid_t pid = OK(fork());
    if (pid == 0) {
        char path[40];
        snprintf(path, sizeof path, "./%s/%s", name, name);
        execl(path, name, how, NULL);
        _exit(1);
    }
    return pid;
}

int main(int argc, char **argv)
{
    char shown[4096];
    ssize_t n = readlink("/proc/self/exe", shown, sizeof shown - 1);

    CHECK(n > 0);
    shown[n] = 0;
    if (argc == 2) { // of which the path's last name is argv[0]
        CHECK_STR(strrchr(shown, '/') + 1, argv[0]);
        if (!strcmp(argv[1], "end"))
            return 0;
        if (!strcmp(argv[1], "self")) {
            execl("/proc/self/exe", argv[0], "cwd", NULL);
            _exit(1);
        }
        CHECK_EQ(chdir(argv[0]), 0);
        CHECK_EQ(symlink(argv[0], "program") && errno != EEXIST, 0);
        execl("/proc/self/cwd/program", argv[0], "end", NULL);
        _exit(1);
    }
    CHECK_EQ(mkdir("a", 0755) | mkdir("b", 0755), 0);
    copy_to("a/a");
    copy_to("b/b");
    for (int i = 0; i < 20; i++) {
        pid_t a = start("a", "self");
        if (i % 2)
            wait_ok(a);
        pid_t b = start("b", "self");
        if (i % 2 == 0)
            wait_ok(a);
        wait_ok(b);
    }
    return done();
}
