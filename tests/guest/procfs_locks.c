// SPDX-License-Identifier: MIT
// /proc/locks shows the locks of the guest's processes by their numbers, who waits for one, and
// those of open files, which have no process.
// covers: flock, fcntl
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long ino;

// How many lines about the file are of this kind, of this process, and of one that waits or holds.
static int lines(const char *kind, int pid, int waits)
{
    char line[256], what[32];
    int count = 0;
    FILE *f = fopen("/proc/locks", "re");
    while (f && fgets(line, sizeof line, f)) {
        char *p = strchr(line, ':') + 1, *arrow = strstr(p, "->");
        int owner;
        unsigned long number;
        if (arrow)
            p = arrow + 2;
        if (sscanf(p, "%31s %*s %*s %d %*x:%*x:%lu", what, &owner, &number) == 3 && number == ino)
            count += !strcmp(what, kind) && owner == pid && waits == !!arrow;
    }
    if (f)
        fclose(f);
    return count;
}

int main(void)
{
    struct flock l = {.l_type = F_WRLCK, .l_start = 10, .l_len = 5};
    struct flock open_file = {.l_type = F_WRLCK, .l_start = 20, .l_len = 5};
    struct stat st;
    int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600), waiting = 0;
    fstat(fd, &st);
    ino = st.st_ino;
    printf("at first %d\n", lines("FLOCK", getpid(), 0));
    flock(fd, LOCK_EX);
    fcntl(fd, F_SETLK, &l);
    fcntl(fd, F_OFD_SETLK, &open_file);
    printf("held %d %d %d\n", lines("FLOCK", getpid(), 0), lines("POSIX", getpid(), 0),
           lines("OFDLCK", -1, 0));
    int child = fork();
    if (!child) {
        int other = open("file", O_RDWR | O_CLOEXEC);
        flock(other, LOCK_EX);
        return lines("FLOCK", getpid(), 0) == 1 ? 3 : 4;
    }
    for (int i = 0; i < 1000 && !waiting; i++) {
        usleep(10000);
        waiting = lines("FLOCK", child, 1);
    }
    printf("waiting %d\n", waiting);
    flock(fd, LOCK_UN);
    int status = 0;
    waitpid(child, &status, 0);
    printf("taken %d\n", WEXITSTATUS(status));
    close(fd);
    printf("at last %d %d %d\n", lines("FLOCK", getpid(), 0), lines("POSIX", getpid(), 0),
           lines("OFDLCK", -1, 0));
    return 0;
}
