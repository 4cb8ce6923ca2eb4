// SPDX-License-Identifier: MIT
// What the files of socket calls share: syscalls/socket.c, syscalls/message.c, syscalls/peer.c.
#ifndef LX_SOCKET_H
#define LX_SOCKET_H

#include "unixsock.h"

// Copies the guest's address. False: it cannot be; *addr is then one that makes the host say so.
bool address_copy_in(union address *a, uptr *addr, int len);
// Gives an address that the host returned to the guest, as the kernel's move_addr_to_user().
long address_copy_out(struct task *t, union address *a, int len, uptr addr, uptr addrlen);
// Is a an address to send to by socket fd that must be translated? Only a datagram socket looks it
// up.
bool address_is_unix_to(int fd, const union address *a, int len);

// May the guest mark what it sends, and give it any priority (CAP_NET_RAW or CAP_NET_ADMIN)?
bool socket_may_mark(const struct task *t);
// A priority that anybody may use (kernel: sk_set_prio_allowed()).
bool socket_priority_is_free(s32 priority);

// ---- Who the peer is (syscalls/peer.c) ----

// struct ucred.
struct guest_ucred {
    s32 pid;
    u32 uid, gid;
};
// Credentials of a received message, from the host's ids to the guest's.
void ucred_to_guest(struct task *t, struct guest_ucred *u);
// May the guest claim these (kernel: scm_check_creds())? 1: they are the sender's own, and turned
// into the host's; 0: only peer_send_as() can send them; else -errno.
long ucred_claim(struct task *t, struct guest_ucred *u);
// sendmsg(2) with a host header whose control buffer holds *u: another's credentials.
long peer_send_as(struct task *t, int fd, const void *message, int flags, struct guest_ucred *u);

// Remembers the task's identity for those who ask its peers.
enum { PEER_CONNECTED, PEER_LISTENING };
void peer_note(struct task *t, int how);
// getsockopt(2) SO_PEERCRED, SO_PEERGROUPS.
long peer_credentials(struct task *t, int fd, uptr value, uptr length);
long peer_groups(struct task *t, int fd, uptr value, uptr length);

#endif
