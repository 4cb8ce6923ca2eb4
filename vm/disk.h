// SPDX-License-Identifier: MIT
// Images: files that hold an ext4 file system.
#ifndef LX_VM_DISK_H
#define LX_VM_DISK_H

// Locks an image, until disk_close() or the end of this process, and makes its file system clean,
// if a VM was killed on it. What is to be said about that, or NULL. Fails where it cannot be used.
char *disk_open(const char *path);
// Lets go of all images: before anybody is told that the VM has ended, and may start another.
void disk_close(void);
// Runs a program with nothing to read and what it says going nowhere. Its exit status, or -1.
int run_quietly(char **argv);
// The tool of e2fsprogs; fails without.
char *disk_tool(const char *name);

#endif
