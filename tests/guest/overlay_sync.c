// SPDX-License-Identifier: MIT
// fsync and fdatasync of descriptors from before a copy up, and of what is removed; the POSIX locks
// of a file that is synced hold. That it reaches the disk: scripts/check-power-loss.py.
// covers: fsync, fdatasync, mount
// needs: root
#include "overlay.h"
#include <fcntl.h>
#include <sys/wait.h>

static int locked(const char *path)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR);
        _exit(fd < 0 || fcntl(fd, F_GETLK, &l) < 0 ? 2 : l.l_type != F_UNLCK);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void both(int fd)
{
    CHECK_EQ(fsync(fd), 0);
    CHECK_EQ(fdatasync(fd), 0);
}

int main(void)
{
    struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    overlay_layers();
    CHECK_EQ(mkdir("l1/d", 0755), 0);
    close(open("l1/d/f", O_CREAT | O_WRONLY, 0644));
    close(open("l2/g", O_CREAT | O_WRONLY, 0644));
    overlay_mount();
    int root = open("m", O_RDONLY | O_DIRECTORY), d = open("m/d", O_RDONLY | O_DIRECTORY);
    int f = open("m/d/f", O_RDONLY), g = open("m/g", O_RDONLY);
    both(root);
    both(d);
    both(f);
    CHECK_EQ(chmod("m/d/f", 0600), 0);
    CHECK_EQ(mkdirat(d, "new", 0700), 0);
    both(root);
    both(d);
    both(f);
    int up = open("m/d/f", O_RDWR);
    CHECK_EQ(fcntl(up, F_SETLK, &l), 0);
    both(up);
    both(f);
    CHECK_EQ(locked("m/d/f"), 1);
    CHECK_EQ(unlink("m/d/f"), 0);
    CHECK_EQ(unlink("m/g"), 0);
    both(f);
    both(up);
    both(g);
    CHECK_EQ(rmdir("m/d/new") | rmdir("m/d"), 0);
    both(d);
    close(root);
    close(d);
    close(f);
    close(g);
    close(up);
    overlay_end();
    return 0;
}
