// SPDX-License-Identifier: MIT
// AF_UNIX addresses, from the guest's to the host's and back. Names: fs/unixname.c; binding and
// connecting: fs/unixsock.c; the calls: include/socket.h.
#ifndef LX_UNIXSOCK_H
#define LX_UNIXSOCK_H

#include <linux/stat.h>
#include <linux/un.h>

#include "task.h"

#define LX_AF_UNIX 1
#define UNIX_PATH_AT offsetof(struct sockaddr_un, sun_path)

// struct sockaddr_storage: what the kernel takes at most.
union address {
    u16 family;
    struct sockaddr_un un;
    char bytes[128];
    u64 align;
};

// ---- Names ----

// The guest's view of an address that the host returned; any family. Returns its new length.
int unix_addr_to_guest(struct task *t, union address *a, int len);
// The host's name of the guest's abstract one (sun_path of `len` bytes with the leading zero), into
// out[108]. Returns its length.
int unix_abstract_to_host(struct task *t, const char *name, int len, char *out);
// A name as 32 digits, which no two have.
void unix_hash_name(const char *name, int len, char out[33]);
// Does this abstract name need a record, to be told back?
bool unix_abstract_is_long(int len);

// Claims a record for a name that is about to be bound; -ENOMEM.
long unix_name_claim(struct task *t, const char *path, size_t len);
void unix_name_drop(struct task *t, long id);
void unix_name_bound(struct task *t, long id);
// Host path that a bind in directory dirfd uses: "/proc/thread-self..../fd/N/NAME", in which the
// record's number is hidden as repeated slashes. Returns its length; may be 108 or more.
int unix_name_encode(struct task *t, long id, int dirfd, const char *name, char *out, size_t n);

// ---- Sockets ----

// Is descriptor fd an AF_UNIX socket?
bool unix_is_socket(int fd);
long unix_bind(struct task *t, int fd, const struct sockaddr_un *a, int len);

// Where a connect or send goes: *a and *len turned into the host's. Between the two a socket file
// is held open, without keeping other threads off the descriptor table: the call may block. A path
// that leads to none is turned into one that leads nowhere: much else may be wrong before that.
struct unix_target {
    s32 fd;    // -1: none
    s32 pin;   // index in the reserved block, -1: fd is an ordinary number
    s32 error; // of the guest's path, for which the host says -ENOENT
};
long unix_target_begin(struct task *t, int fd, union address *a, int *len, struct unix_target *to);
// Gives it back, and returns what the call returned, or that it is to be made again: the kernel
// looks up the name again after it has waited, and the reserved block has moved meanwhile.
long unix_target_end(struct task *t, struct unix_target *to, long result);

#endif
