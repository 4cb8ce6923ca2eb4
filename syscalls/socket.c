// SPDX-License-Identifier: MIT
// Socket calls but for the message family (message.c). Only AF_UNIX addresses and credentials are
// translated; everything else goes to the host, with the guest's own pointers where there is no
// address, and payload always. Addresses are copied first, so that what was looked at is what the
// host gets.
#include <asm/socket.h>
#include <linux/capability.h>

#include "fs.h"
#include "host.h"
#include "socket.h"
#include "syscall_rows.h"
#include "uaccess.h"

#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#define NETLINK_AUDIT 9
#define SOCK_TYPE_MASK 0xf
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOL_IP 0
#define SOL_IPV6 41
#define IP_TRANSPARENT 19
#define IPV6_HOPOPTS 54
#define IPV6_RTHDRDSTOPTS 55
#define IPV6_DSTOPTS 59
#define IPV6_TRANSPARENT 75
#ifndef SO_RCVMARK
#define SO_RCVMARK 75
#endif

bool address_copy_in(union address *a, uptr *addr, int len)
{
    if (len < (int)sizeof a->family || len > (int)sizeof *a)
        return false; // too short to tell a family, or EINVAL
    if (!copy_from_guest(a, *addr, (size_t)len))
        return true;
    *addr = BAD_ADDRESS;
    return false;
}

long address_copy_out(struct task *t, union address *a, int len, uptr addr, uptr addrlen)
{
    int room;
    len = unix_addr_to_guest(t, a, len);
    if (copy_from_guest(&room, addrlen, sizeof room))
        return -EFAULT;
    int n = MIN(room, len);
    if (room >= 0 && copy_to_guest(addrlen, &len, sizeof len))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    return copy_to_guest(addr, a, (size_t)n);
}

// Is a an address of socket fd that must be translated?
static bool address_is_unix(int fd, const union address *a, int len)
{
    return len > (int)UNIX_PATH_AT && a->family == LX_AF_UNIX && unix_is_socket(fd);
}

bool address_is_unix_to(int fd, const union address *a, int len)
{
    int type = 0, n = sizeof type;
    return address_is_unix(fd, a, len) &&
           HOST5(__NR_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &n) >= 0 && type == SOCK_DGRAM;
}

// ---- Making and naming ----

long sys_socket(struct task *t, int domain, int type, int protocol)
{
    // The host decides by its own capabilities; the guest's can be fewer.
    bool raw = (type & SOCK_TYPE_MASK) == SOCK_RAW && (domain == AF_INET || domain == AF_INET6);
    if ((raw || domain == AF_PACKET) && !cred_has_cap(&t->cred, CAP_NET_RAW))
        return -EPERM;
    // The audit system is the host's. Programs that would log to it (sshd, sudo, login) take EPERM
    // as a reason to refuse, but do without it on a kernel that lacks it.
    if (domain == AF_NETLINK && protocol == NETLINK_AUDIT)
        return -EPROTONOSUPPORT;
    return HOST3(__NR_socket, domain, type, protocol);
}

// May fd not be bound to that port? Family 0 is AF_INET there. What the host refuses is left to it
// (Linux: net/ipv4/af_inet.c, inet_bind_sk(); net/ipv6/af_inet6.c).
static bool port_is_kept(struct task *t, int fd, const union address *a, int len)
{
    int domain, n = sizeof domain;
    if ((a->family != AF_INET && a->family != AF_INET6 && a->family != 0) || len < 16 ||
        cred_has_cap(&t->cred, CAP_NET_BIND_SERVICE))
        return false;
    int port = (u8)a->bytes[2] << 8 | (u8)a->bytes[3];
    if (!port || port >= 1024 ||
        port >= sysctl_number(t, "sys/net/ipv4/ip_unprivileged_port_start", 1024) ||
        HOST5(__NR_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0)
        return false;
    return domain == AF_INET ? a->family != AF_INET6
                             : domain == AF_INET6 && a->family == AF_INET6 && len >= 24;
}

long sys_bind(struct task *t, int fd, uptr addr, int addrlen)
{
    union address a;
    if (!address_copy_in(&a, &addr, addrlen))
        return HOST3(__NR_bind, fd, addr, addrlen);
    if (a.family == LX_AF_UNIX && unix_is_socket(fd))
        return unix_bind(t, fd, &a.un, addrlen);
    if (port_is_kept(t, fd, &a, addrlen))
        return -EACCES;
    return HOST3(__NR_bind, fd, &a, addrlen);
}

long sys_connect(struct task *t, int fd, uptr addr, int addrlen)
{
    union address a;
    struct unix_target to;
    if (!address_copy_in(&a, &addr, addrlen))
        return HOST_INTR3(__NR_connect, fd, addr, addrlen);
    if (!address_is_unix(fd, &a, addrlen))
        return HOST_INTR3(__NR_connect, fd, &a, addrlen);
    long r = unix_target_begin(t, fd, &a, &addrlen, &to);
    if (r >= 0)
        peer_note(t, PEER_CONNECTED);
    if (r >= 0)
        r = HOST_INTR3(__NR_connect, fd, &a, addrlen);
    return unix_target_end(t, &to, r);
}

long sys_listen(struct task *t, int fd, int backlog)
{
    if (unix_is_socket(fd))
        peer_note(t, PEER_LISTENING);
    return HOST2(__NR_listen, fd, backlog);
}

long sys_socketpair(struct task *t, int domain, int type, int protocol, uptr sv)
{
    if (domain == LX_AF_UNIX)
        peer_note(t, PEER_CONNECTED);
    return HOST4(__NR_socketpair, domain, type, protocol, sv);
}

static long accept_common(struct task *t, int fd, uptr addr, uptr addrlen, int flags)
{
    union address a;
    int len = sizeof a;
    if (!addr)
        return HOST_INTR4(__NR_accept4, fd, 0, 0, flags);
    long r = HOST_INTR4(__NR_accept4, fd, &a, &len, flags);
    if (r < 0)
        return r;
    long bad = address_copy_out(t, &a, len, addr, addrlen);
    if (!bad)
        return r;
    host_close((int)r); // the kernel drops the connection too
    return bad;
}

long sys_accept(struct task *t, int fd, uptr addr, uptr addrlen)
{
    return accept_common(t, fd, addr, addrlen, 0);
}

long sys_accept4(struct task *t, int fd, uptr addr, uptr addrlen, int flags)
{
    return accept_common(t, fd, addr, addrlen, flags);
}

static long name_common(struct task *t, int nr, int fd, uptr addr, uptr addrlen)
{
    union address a;
    int len = sizeof a;
    long r = HOST3(nr, fd, &a, &len);
    return r < 0 ? r : address_copy_out(t, &a, len, addr, addrlen);
}

long sys_getsockname(struct task *t, int fd, uptr addr, uptr addrlen)
{
    return name_common(t, __NR_getsockname, fd, addr, addrlen);
}

long sys_getpeername(struct task *t, int fd, uptr addr, uptr addrlen)
{
    return name_common(t, __NR_getpeername, fd, addr, addrlen);
}

// ---- Sending and receiving ----

long sys_sendto(struct task *t, int fd, uptr buf, size_t len, int flags, uptr addr, int addrlen)
{
    union address a;
    struct unix_target to;
    if (!addr || !address_copy_in(&a, &addr, addrlen))
        return HOST_INTR6(__NR_sendto, fd, buf, len, flags, addr, addrlen);
    if (!address_is_unix_to(fd, &a, addrlen))
        return HOST_INTR6(__NR_sendto, fd, buf, len, flags, &a, addrlen);
    long r = unix_target_begin(t, fd, &a, &addrlen, &to);
    if (r >= 0)
        r = HOST_INTR6(__NR_sendto, fd, buf, len, flags, &a, addrlen);
    return unix_target_end(t, &to, r);
}

long sys_recvfrom(struct task *t, int fd, uptr buf, size_t len, int flags, uptr addr, uptr addrlen)
{
    union address a;
    int n = sizeof a;
    if (!addr)
        return HOST_INTR6(__NR_recvfrom, fd, buf, len, flags, 0, 0);
    long r = HOST_INTR6(__NR_recvfrom, fd, buf, len, flags, &a, &n);
    if (r < 0)
        return r;
    long bad = address_copy_out(t, &a, n, addr, addrlen);
    return bad ? bad : r;
}

// ---- Options ----

long sys_getsockopt(struct task *t, int fd, int level, int optname, uptr optval, uptr optlen)
{
    if (level == SOL_SOCKET && optname == SO_PEERCRED)
        return peer_credentials(t, fd, optval, optlen);
    if (level == SOL_SOCKET && optname == SO_PEERGROUPS)
        return peer_groups(t, fd, optval, optlen);
    return HOST5(__NR_getsockopt, fd, level, optname, optval, optlen);
}

bool socket_may_mark(const struct task *t)
{
    return cred_has_cap(&t->cred, CAP_NET_RAW) || cred_has_cap(&t->cred, CAP_NET_ADMIN);
}

bool socket_priority_is_free(s32 priority)
{
    return priority >= 0 && priority <= 6;
}

// Does the host ask for CAP_NET_RAW, or CAP_NET_ADMIN instead, before it sets this? (Linux:
// net/core/sock.c, net/ipv4/ip_sockglue.c, net/ipv6/ipv6_sockglue.c)
static bool is_guarded(int fd, int level, int name, s32 value)
{
    int bound = 0, n = sizeof bound;
    if (level == SOL_SOCKET) {
        if (name == SO_BINDTODEVICE || name == SO_BINDTOIFINDEX)
            return HOST5(__NR_getsockopt, fd, level, SO_BINDTOIFINDEX, &bound, &n) >= 0 && bound;
        return name == SO_MARK || name == SO_RCVMARK ||
               (name == SO_PRIORITY && !socket_priority_is_free(value));
    }
    if (level == SOL_IP)
        return name == IP_TRANSPARENT && value;
    return level == SOL_IPV6 && ((name == IPV6_TRANSPARENT && value) || name == IPV6_HOPOPTS ||
                                 name == IPV6_RTHDRDSTOPTS || name == IPV6_DSTOPTS);
}

// Options that are guarded at some values get their value from here, lest it be another by then.
static bool depends_on_value(int level, int name)
{
    return (level == SOL_SOCKET && name == SO_PRIORITY) ||
           (level == SOL_IP && name == IP_TRANSPARENT) ||
           (level == SOL_IPV6 && name == IPV6_TRANSPARENT);
}

long sys_setsockopt(struct task *t, int fd, int level, int optname, uptr optval, int optlen)
{
    s32 value = 0, is;
    int n = sizeof is;
    // The host decides by its own capabilities; the guest's can be fewer. A level that has none,
    // and what is wrong anyhow, is the host's business.
    if ((level != SOL_SOCKET && level != SOL_IP && level != SOL_IPV6) || socket_may_mark(t) ||
        optlen <= 0 || copy_from_guest(&value, optval, (size_t)MIN(optlen, n)))
        return HOST5(__NR_setsockopt, fd, level, optname, optval, optlen);
    if (is_guarded(fd, level, optname, value) && (optlen >= n || level == SOL_IP)) {
        // Is there such a socket? Each has a type, and only the right family an option of its own.
        int asked = level == SOL_SOCKET ? SO_TYPE : optname;
        long r = HOST5(__NR_getsockopt, fd, level, asked, &is, &n);
        return r < 0 ? r : -EPERM;
    }
    if (depends_on_value(level, optname))
        return HOST5(__NR_setsockopt, fd, level, optname, &value, MIN(optlen, n));
    return HOST5(__NR_setsockopt, fd, level, optname, optval, optlen);
}
