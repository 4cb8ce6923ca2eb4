// SPDX-License-Identifier: MIT
// What lxrun prepares for the first process of an instance (include/instance.h says what the
// processes share).
#ifndef LX_CLI_LAUNCH_H
#define LX_CLI_LAUNCH_H

#include "instance.h"
#include "options.h"
#include "store.h"
#include "users.h"

struct launch {
    const struct options *options;
    struct instance *memory;
    int memory_fd;
    int lxcore_fd;
    bool nested;              // this lxrun is a guest of another
    int proc_fd;              // the host's /proc
    int mount_fd[MOUNTS_MAX]; // by index in the mount table
    int mounts;
    int cache_fd;    // of rewritten code; -1: none
    int rewrite_fd;  // the guest's end of the socket for files to be rewritten
    int requests_fd; // the other end
    struct store store, shm;
    struct user user;
    char **env;       // of the program
    int attrs_fd;     // if memory->keeps_attrs
    int attrstore_fd; // attrstores.h; -1: none
    struct exec_state first;
};

// Makes the instance's memory, store and mount table, and finds the user (instance.c).
void instance_make(struct launch *l, const struct options *o);
// Adds a mount whose root directory is open as fd (which the launch owns from now on).
struct mount_entry *add_mount(struct launch *l, int fd, u32 type, u32 flags, const char *point,
                              const char *source, const char *options);
// Makes the mount point in the tree and writes its symlink-free guest path to out. What cannot be
// made (a read-only tree) is no error: the mount is there by its name all the same.
void make_point(struct launch *l, const char *guest, bool directory, char *out);
// What the host shows: -b, and the drives of the guest's /etc/fstab (drives.c).
void drives_add(struct launch *l);
// The program's environment (environment.c).
char **environment_make(const struct options *o, const struct user *user);
// In the process that becomes the program: puts the descriptors on their reserved numbers and
// executes lxcore (launch.c).
_Noreturn void launch_exec(struct launch *l);

#endif
