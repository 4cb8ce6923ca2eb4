// SPDX-License-Identifier: MIT
// /proc/self/cwd, root and exe as parts of a path lead where they say, follow chdir and rename, and
// work for a child's number as well.
// covers: open, stat, chdir, readlink, fork
#include "check.h"

int main(void)
{
    char path[64], elf[4], text[4];
    struct stat st;
    int fd, p[2];

    CHECK_EQ(mkdir("d", 0755), 0);
    put_file("f", "top");
    put_file("d/f", "below");
    CHECK_STR(get_file("/proc/self/cwd/f"), "top");
    CHECK_STR(get_file("/proc/self/cwd/d/../d/f"), "below");
    CHECK_EQ(chdir("d"), 0);
    CHECK_STR(get_file("/proc/self/cwd/f"), "below");
    CHECK_STR(get_file("/proc/self/cwd/../f"), "top");
    CHECK_EQ(rename("../d", "../e"), 0);
    CHECK_STR(get_file("/proc/self/cwd/../e/f"), "below");

    CHECK_EQ(stat("/proc/self/root/.", &st), 0);
    CHECK_EQ(st.st_ino, stat_of("/").st_ino);
    CHECK_EQ(stat("/proc/self/root/../..", &st), 0);
    CHECK_EQ(st.st_ino, stat_of("/").st_ino);
    CHECK_EQ(stat("/proc/self/root/dev/null", &st), 0);
    CHECK(S_ISCHR(st.st_mode));
    fd = OK(open("/proc/self/exe", O_RDONLY));
    CHECK_EQ(read(fd, elf, 4), 4);
    CHECK(memcmp(elf, "\177ELF", 4) == 0);
    CHECK_ERR(open("/proc/self/exe/x", O_RDONLY), ENOTDIR);

    // The child is elsewhere.
    CHECK_EQ(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(chdir(".."), 0);
        CHECK_EQ(write(p[1], "x", 1), 1);
        pause();
    }
    CHECK_EQ(read(p[0], text, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/cwd/f", pid);
    CHECK_STR(get_file(path), "top");
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_ino, stat_of("/").st_ino);
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, p[1]);
    CHECK_EQ(write(OK(open(path, O_WRONLY)), "y", 1), 1);
    CHECK_EQ(read(p[0], text, 1), 1);
    CHECK_EQ(text[0], 'y');
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    return done();
}
