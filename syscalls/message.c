// SPDX-License-Identifier: MIT
// sendmsg, recvmsg and their many-message forms. Translated are AF_UNIX addresses, credentials in
// control messages, and descriptors of lxcore's own in them; payload is never touched. The header
// is copied, so that the host gets what was looked at.
#include <asm/socket.h>
#include <linux/time_types.h>

#include "fs.h"
#include "host.h"
#include "socket.h"
#include "syscall_rows.h"
#include "uaccess.h"

#define SOCK_SEQPACKET 5
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define MSG_OOB 1
#define MSG_DONTWAIT 0x40
#define MSG_WAITFORONE 0x10000
#define IOV_MAX 1024
#define CONTROL_SMALL 1024
#define CONTROL_MAX (1 << 18)

// struct msghdr of the kernel's ABI.
struct message {
    uptr name;
    s32 namelen;
    uptr iov;
    u64 iovlen;
    uptr control;
    u64 controllen;
    u32 flags;
};
struct many {
    struct message m;
    u32 len;
};
struct control {
    u64 len;
    s32 level;
    s32 type;
};
_Static_assert(sizeof(struct message) == 56 && sizeof(struct many) == 64, "kernel's msghdr");

// ---- Sending ----

// A sequenced-packet socket of AF_UNIX without a peer says so before it looks at the control buffer
// (Linux: net/unix/af_unix.c, unix_seqpacket_sendmsg()).
static bool is_unconnected_packet(int fd)
{
    union address a;
    int type = 0, n = sizeof type, size = sizeof a;
    return HOST5(__NR_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &n) >= 0 &&
           type == SOCK_SEQPACKET && HOST3(__NR_getpeername, fd, &a, &size) == -ENOTCONN;
}

// Looks through a control buffer that is about to be sent. What is malformed the host refuses.
// *other: credentials in it that are not the sender's own; only a unix socket asks for them.
static long check_control(struct task *t, int fd, char *buf, size_t size,
                          struct guest_ucred **other)
{
    for (size_t at = 0; at + sizeof(struct control) <= size;) {
        struct control *c = (void *)(buf + at);
        if (c->len < sizeof *c || c->len > size - at)
            return 0;
        if (c->level == SOL_SOCKET && c->type == SCM_RIGHTS) {
            const s32 *fds = (const void *)(c + 1);
            for (size_t i = 0; i < (c->len - sizeof *c) / sizeof *fds; i++)
                if (fd_is_reserved(t, fds[i]))
                    return -EBADF;
        } else if (c->level == SOL_SOCKET && c->type == SCM_CREDENTIALS &&
                   c->len == sizeof *c + sizeof(struct guest_ucred)) {
            long r = ucred_claim(t, (void *)(c + 1));
            if (r < 0 && unix_is_socket(fd))
                return is_unconnected_packet(fd) ? -ENOTCONN : r;
            if (r < 0) // nor does anybody get them who has put one there by then
                memset(c + 1, 0xff, sizeof(struct guest_ucred));
            if (!r)
                *other = (void *)(c + 1);
        } else if (c->level == SOL_SOCKET && c->len == sizeof *c + sizeof(s32) &&
                   (c->type == SO_MARK ||
                    (c->type == SO_PRIORITY && !socket_priority_is_free(*(s32 *)(c + 1)))) &&
                   !socket_may_mark(t) && !unix_is_socket(fd)) {
            return -EPERM;
        }
        at += ALIGN_UP(c->len, 8UL);
    }
    return 0;
}

// Sends with a header whose control buffer is fit for the host.
static long send_to(struct task *t, int fd, struct message *m, int flags, struct guest_ucred *other)
{
    union address a;
    struct unix_target to = {-1, -1, 0};
    long r = 0;
    if (m->name && address_copy_in(&a, &m->name, m->namelen))
        m->name = (uptr)&a;
    if (m->name == (uptr)&a && address_is_unix_to(fd, &a, m->namelen))
        r = unix_target_begin(t, fd, &a, &m->namelen, &to);
    if (r >= 0)
        r = other ? peer_send_as(t, fd, m, flags, other) : HOST_INTR3(__NR_sendmsg, fd, m, flags);
    return unix_target_end(t, &to, r);
}

static long send_one(struct task *t, int fd, uptr msg, int flags)
{
    struct message m;
    struct guest_ucred *other = NULL;
    char small[CONTROL_SMALL] __attribute__((aligned(8))), *control = small;
    if (copy_from_guest(&m, msg, sizeof m))
        return HOST_INTR3(__NR_sendmsg, fd, 0, flags); // EFAULT, or what comes before it
    if (m.namelen > (s32)sizeof(union address))
        m.namelen = sizeof(union address); // as the kernel does
    size_t n = m.controllen;
    if (!n || !m.control)
        return send_to(t, fd, &m, flags, NULL);
    if (n > CONTROL_MAX)
        return -ENOBUFS; // over any net.core.optmem_max in use
    if (n > sizeof small)
        control = arena_alloc(n);
    if (!control)
        return -ENOBUFS;
    long r = 0;
    if (copy_from_guest(control, m.control, n)) {
        m.control = 0; // the kernel's copy fails likewise
    } else {
        m.control = (uptr)control;
        r = check_control(t, fd, control, n, &other);
    }
    if (r >= 0)
        r = send_to(t, fd, &m, flags, other);
    if (control != small)
        arena_free(control, n);
    return r;
}

long sys_sendmsg(struct task *t, int fd, uptr msg, int flags)
{
    return send_one(t, fd, msg, flags);
}

long sys_sendmmsg(struct task *t, int fd, uptr msgvec, unsigned int vlen, int flags)
{
    long r = 0;
    unsigned done = 0;
    for (vlen = MIN(vlen, IOV_MAX); done < vlen; done++) {
        uptr at = msgvec + done * sizeof(struct many);
        r = send_one(t, fd, at, flags);
        if (r < 0)
            break;
        u32 sent = (u32)r;
        r = copy_to_guest(at + offsetof(struct many, len), &sent, sizeof sent);
        if (r < 0)
            break;
    }
    if (!vlen) { // the descriptor is looked at all the same
        int type, n = sizeof type;
        r = HOST5(__NR_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &n);
    }
    return done ? (long)done : r;
}

// ---- Receiving ----

// Credentials in received control messages, in the guest's own buffer.
static void translate_control(struct task *t, uptr control, u64 size)
{
    struct control c;
    struct guest_ucred u;
    for (u64 at = 0; at + sizeof c <= size; at += ALIGN_UP(c.len, 8UL)) {
        if (copy_from_guest(&c, control + at, sizeof c) || c.len < sizeof c || c.len > size - at)
            return;
        if (c.level != SOL_SOCKET || c.type != SCM_CREDENTIALS || c.len < sizeof c + sizeof u)
            continue;
        if (copy_from_guest(&u, control + at + sizeof c, sizeof u))
            return;
        ucred_to_guest(t, &u);
        copy_to_guest(control + at + sizeof c, &u, sizeof u);
    }
}

static long receive_one(struct task *t, int fd, uptr msg, int flags)
{
    struct message m, got;
    union address a;
    if (copy_from_guest(&m, msg, sizeof m))
        return HOST_INTR3(__NR_recvmsg, fd, 0, flags);
    got = m;
    if (m.name && m.namelen >= 0) {
        got.name = (uptr)&a;
        got.namelen = sizeof a;
    }
    // Descriptors that have no room are lost.
    if (got.controllen > sizeof(struct control))
        files_leave_low(t);
    long r = HOST_INTR3(__NR_recvmsg, fd, &got, flags);
    if (r < 0)
        return r;
    if (got.controllen)
        translate_control(t, m.control, got.controllen);
    long bad = m.name ? address_copy_out(t, &a, got.namelen, m.name,
                                         msg + offsetof(struct message, namelen))
                      : 0;
    if (bad)
        return bad;
    if (copy_to_guest(msg + offsetof(struct message, flags), &got.flags, sizeof got.flags) ||
        copy_to_guest(msg + offsetof(struct message, controllen), &got.controllen,
                      sizeof got.controllen))
        return -EFAULT;
    return r;
}

long sys_recvmsg(struct task *t, int fd, uptr msg, int flags)
{
    return receive_one(t, fd, msg, flags);
}

static s64 nanoseconds(const struct __kernel_timespec *ts)
{
    return ts->tv_sec > 1L << 32 ? (1L << 32) * 1000000000 : ts->tv_sec * 1000000000 + ts->tv_nsec;
}

static s64 now(void)
{
    struct __kernel_timespec ts = {0};
    HOST2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &ts);
    return nanoseconds(&ts);
}

// recvmmsg(2) on an AF_UNIX socket, as the kernel's loop has it: the timeout is only looked at
// between two messages.
static long receive_many(struct task *t, int fd, uptr msgvec, unsigned vlen, int flags, s64 *left)
{
    long r = 0;
    unsigned done = 0;
    s64 end = left ? now() + *left : 0;
    for (vlen = MIN(vlen, IOV_MAX); done < vlen;) {
        uptr at = msgvec + done * sizeof(struct many);
        struct message m;
        r = receive_one(t, fd, at, flags & ~MSG_WAITFORONE);
        if (r < 0)
            break;
        u32 got = (u32)r;
        r = copy_to_guest(at + offsetof(struct many, len), &got, sizeof got);
        if (r < 0)
            break;
        done++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (left) {
            *left = MAX(end - now(), 0);
            if (!*left)
                break;
        }
        if (copy_from_guest(&m, at, sizeof m) || (m.flags & MSG_OOB))
            break;
    }
    return done ? (long)done : r;
}

long sys_recvmmsg(struct task *t, int fd, uptr msgvec, unsigned int vlen, int flags, uptr timeout)
{
    struct __kernel_timespec ts;
    s64 left;
    if (!unix_is_socket(fd))
        return HOST_INTR5(__NR_recvmmsg, fd, msgvec, vlen, flags, timeout);
    if (!timeout)
        return receive_many(t, fd, msgvec, vlen, flags, NULL);
    if (copy_from_guest(&ts, timeout, sizeof ts))
        return -EFAULT;
    if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= 1000000000)
        return -EINVAL;
    left = nanoseconds(&ts);
    long r = receive_many(t, fd, msgvec, vlen, flags, &left);
    if (r <= 0)
        return r;
    ts.tv_sec = left / 1000000000;
    ts.tv_nsec = left % 1000000000;
    return copy_to_guest(timeout, &ts, sizeof ts) ? -EFAULT : r;
}
