// SPDX-License-Identifier: MIT
// /proc/self/fd for a user who is not root, also in a process that must not be dumped: what it
// opens can be reached by name, and changed where it is his. Files of /proc are by descriptor what
// they are by name.
// needs: root
// covers: open, fstat, stat, chmod, chdir, fchdir, setresuid, prctl
// trap: not nested: the outer lxrun shows who may inspect a process, by its own rules
#include "check.h"
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void same_by_descriptor(const char *name)
{
    struct stat by_name, by_fd;
    int fd = open(name, O_RDONLY);

    CHECK(fd >= 0);
    CHECK_EQ(stat(name, &by_name), 0);
    CHECK_EQ(fstat(fd, &by_fd), 0);
    CHECK_EQ(by_fd.st_dev, by_name.st_dev);
    CHECK_EQ(by_fd.st_ino, by_name.st_ino);
    CHECK_EQ(by_fd.st_mode, by_name.st_mode);
    CHECK_EQ(by_fd.st_uid, by_name.st_uid);
    CHECK_EQ(by_fd.st_nlink, by_name.st_nlink);
    CHECK_EQ(by_fd.st_size, by_name.st_size);
    CHECK_EQ(close(fd), 0);
}

static void reach_by_name(void)
{
    char name[40], byte = 0;
    struct stat st;
    int p[2];

    CHECK_EQ(pipe(p), 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", p[0]);
    CHECK_EQ(stat(name, &st), 0);
    CHECK(S_ISFIFO(st.st_mode));
    int again = open(name, O_RDONLY | O_NONBLOCK);
    CHECK(again >= 0);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(read(again, &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    CHECK_EQ(close(again), 0);
    CHECK_EQ(close(p[0]), 0);
    CHECK_EQ(close(p[1]), 0);
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    int fd = open("fifo", O_PATH | O_NOFOLLOW);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    CHECK_EQ(chmod(name, 0640), 0);
    CHECK_EQ(stat("fifo", &st), 0);
    CHECK_EQ(st.st_mode, S_IFIFO | 0640);
    CHECK_EQ(close(fd), 0);
    CHECK_EQ(unlink("fifo"), 0);
    int here = open(".", O_RDONLY), there = open("/proc/self/fd", O_RDONLY);
    CHECK_EQ(chdir("/proc/self/fd"), 0);
    CHECK_EQ(stat("0", &st), 0);
    CHECK_EQ(fchdir(here), 0);
    CHECK_EQ(fchdir(there), 0);
    CHECK_EQ(fchdir(here), 0);
    CHECK_EQ(close(here), 0);
    CHECK_EQ(close(there), 0);
    snprintf(name, sizeof name, "/proc/%d/fd/0", getppid());
    CHECK_ERR(open(name, O_RDONLY), EACCES); // root's
}

int main(void)
{
    same_by_descriptor("/proc/version");
    same_by_descriptor("/proc/self/status");
    same_by_descriptor("/proc/self/maps");
    same_by_descriptor("/proc/mounts");
    CHECK_EQ(mkdir("own", 0700), 0);
    CHECK_EQ(chown("own", 1000, 1000), 0);
    CHECK_EQ(chdir("own"), 0);
    pid_t user = fork();
    if (user == 0) {
        CHECK_EQ(setresgid(1000, 1000, 1000), 0);
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        CHECK_EQ(prctl(PR_GET_DUMPABLE), 0);
        reach_by_name();
        CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
        reach_by_name();
        same_by_descriptor("/proc/self/status");
        _exit(done());
    }
    int status = -1;
    CHECK_EQ(waitpid(user, &status, 0), user);
    CHECK_EQ(status, 0);
    return done();
}
