// SPDX-License-Identifier: MIT
// The kernel's modules, which scripts/vm-kernel.py has put into the first file system. A VM needs
// few of them, and an emulated processor takes its time for each: the others are loaded when the
// kernel asks for them, by this same program in place of modprobe.
//
// By then the first file system is out of sight, behind the root. The helper reaches the program as
// the first process's executable, and the modules by a descriptor that the first process keeps.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define DIRECTORY 100 // the descriptor
#define DIRECTORY_PATH "/proc/1/fd/100"

static int load(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : 1; // it has been loaded
    int failed = syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST;
    if (failed)
        fprintf(stderr, "lxrun: module %s: %s\n", name, strerror(errno));
    close(fd);
    unlinkat(directory, name, 0); // what it held is memory
    return failed;
}

static FILE *open_list(int directory, const char *name)
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? NULL : fdopen(fd, "r");
}

void modules_start(void)
{
    char name[128];
    int directory = open("/modules", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return; // the kernel has all that it needs
    dup3(directory, DIRECTORY, O_CLOEXEC);
    close(directory);
    FILE *list = open_list(DIRECTORY, "list");
    while (list && fgets(name, sizeof name, list)) { // in the order of their dependencies
        name[strcspn(name, "\n")] = 0;
        load(DIRECTORY, name);
    }
    if (list)
        fclose(list);
    int fd = open("/proc/sys/kernel/modprobe", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "/proc/1/exe", 11) < 0)
        fprintf(stderr, "lxrun: no modules later: %s\n", strerror(errno));
    close(fd);
}

int modules_wanted(const char *name)
{
    char line[512];
    int failed = 1, directory = open(DIRECTORY_PATH, O_PATH | O_DIRECTORY | O_CLOEXEC);
    FILE *list = open_list(directory, "later"); // each line: a name, and what to load for it
    while (list && fgets(line, sizeof line, list)) {
        char *rest = line, *word = strsep(&rest, " \n");
        if (strcmp(word, name) != 0)
            continue;
        for (failed = 0; !failed && (word = strsep(&rest, " \n"));)
            failed = *word && load(directory, word);
        break;
    }
    return failed;
}
