// SPDX-License-Identifier: MIT
// Images (disk.h).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "fail.h"
#include "place.h"

// Of ext4's superblock, which stands at byte 1024 (kernel: fs/ext4/ext4.h).
#define SUPERBLOCK 1024
#define S_MAGIC 0x38
#define S_STATE 0x3a
#define S_INCOMPAT 0x60
#define LOCK_TRIES 20
#define LOCK_US 50000
#define MAGIC 0xef53
#define STATE_VALID 1
#define STATE_ERROR 2
#define INCOMPAT_RECOVER 4 // its journal has what is not in its place yet

#define IMAGES 2 // one that the VM stands on, one attached
static int locked[IMAGES];
static int nlocked;

int run_quietly(char **argv)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        execv(argv[0], argv);
        _exit(127);
    }
    return pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ? -1
                                                                            : WEXITSTATUS(status);
}

char *disk_tool(const char *name)
{
    char *tool = place_host_program(name);
    if (!tool)
        fail("no %s on this machine: install it with: apt-get install e2fsprogs", name);
    return tool;
}

static char *make_clean(const char *path)
{
    char *tool = disk_tool("e2fsck");
    int status = run_quietly((char *[]){tool, "-p", (char *)path, NULL});
    free(tool);
    if (status < 0 || status > 2)
        fail("%s is damaged, and e2fsck -p does not mend it (status %d): run e2fsck on it", path,
             status);
    return must_format("%s was not closed cleanly: its journal has been replayed, and the file "
                       "system is clean",
                       path);
}

char *disk_open(const char *path)
{
    unsigned char block[128];
    unsigned short magic, state;
    unsigned incompat;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        fail_errno("cannot open the image %s", path);
    // A keeper that was killed may not quite have ended.
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
        if (i == LOCK_TRIES)
            fail("the image %s is in use by another VM: lxrun --shutdown ends it", path);
        usleep(LOCK_US);
    }
    if (nlocked < IMAGES)
        locked[nlocked++] = fd;
    if (pread(fd, block, sizeof block, SUPERBLOCK) != sizeof block)
        fail("%s is no image of a file system", path);
    memcpy(&magic, block + S_MAGIC, sizeof magic);
    memcpy(&state, block + S_STATE, sizeof state);
    memcpy(&incompat, block + S_INCOMPAT, sizeof incompat);
    if (magic != MAGIC)
        fail("%s is no image of an ext4 file system", path);
    if ((incompat & INCOMPAT_RECOVER) || !(state & STATE_VALID) || (state & STATE_ERROR))
        return make_clean(path);
    return NULL;
}

void disk_close(void)
{
    while (nlocked)
        close(locked[--nlocked]);
}
