// SPDX-License-Identifier: MIT
// Where the VM's files lie.
#ifndef LX_VM_PLACE_H
#define LX_VM_PLACE_H

#include <sys/un.h>

// The directory of the running VMs of this user: sockets, locks, logs.
const char *place_run(void);
// A file of the VM's part of lxrun's cache.
char *place_cache(const char *name);
// The address of the socket `path`.
struct sockaddr_un place_address(const char *path);
// A program that came with lxrun: beside it, or in ../lib/lxrun. NULL: it is not there.
char *place_program(const char *name);
// A program of the host, along PATH and in the directories of the administrator. NULL: none.
char *place_host_program(const char *name);

#endif
