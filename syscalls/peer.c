// SPDX-License-Identifier: MIT
// Credentials on AF_UNIX sockets (unix(7)). For the host every process of the instance has the same
// ids; what it tells truly is the process. The guest's ids are looked up in that process's record.
#include <asm/socket.h>
#include <linux/capability.h>
#include <linux/wait.h>

#include "fs.h"
#include "host.h"
#include "signal.h"
#include "socket.h"
#include "uaccess.h"

#define OVERFLOW_ID 65534

// ---- In messages ----

static void map_host_ids(struct task *t, struct guest_ucred *u)
{
    u->uid = u->uid == t->instance->host_uid ? 0 : OVERFLOW_ID;
    u->gid = u->gid == t->instance->host_gid ? 0 : OVERFLOW_ID;
}

static bool is_nobody(const struct guest_ucred *u)
{
    return u->uid == (u32)-1 || (!u->pid && !u->uid); // no peer; the kernel itself
}

void ucred_to_guest(struct task *t, struct guest_ucred *u)
{
    if (is_nobody(u))
        return;
    const struct proc_slot *s = u->pid > 0 ? proc_find_last(t->instance, (u32)u->pid) : NULL;
    if (!s) {
        map_host_ids(t, u);
        return;
    }
    u->uid = s->ruid;
    u->gid = s->rgid;
    if (s->stands_for)
        u->pid = (s32)s->stands_for;
}

long ucred_claim(struct task *t, struct guest_ucred *u)
{
    const struct cred *c = &t->cred;
    bool own = u->pid == (s32)t->proc->tgid;
    bool uid = u->uid == c->ruid || u->uid == c->euid || u->uid == c->suid;
    bool gid = u->gid == c->rgid || u->gid == c->egid || u->gid == c->sgid;
    if (u->uid == (u32)-1 || u->gid == (u32)-1)
        return -EINVAL;
    if ((!own && !cred_has_cap(c, CAP_SYS_ADMIN)) || (!uid && !cred_has_cap(c, CAP_SETUID)) ||
        (!gid && !cred_has_cap(c, CAP_SETGID)))
        return -EPERM;
    if (!own || u->uid != c->ruid || u->gid != c->rgid)
        return !own && host_kill(u->pid, 0) == -ESRCH ? -ESRCH : 0;
    u->uid = t->instance->host_uid;
    u->gid = t->instance->host_gid;
    return 1;
}

// In the helper, a copy of this process: registers under its own id with the claimed ones, sends
// with what the host knows it as, and leaves the record behind for the receiver.
static _Noreturn void send_and_exit(struct task *t, int fd, const void *message, int flags,
                                    struct guest_ucred *u)
{
    u32 stands_for = (u32)u->pid;
    t->proc->tgid = (u32)host_getpid();
    t->cred.ruid = u->uid;
    t->cred.rgid = u->gid;
    t->proc->birth = proc_birth(t);
    proc_register_new(t);
    struct proc_slot *s = proc_own(t);
    if (!s)
        host_exit_group(1);
    s->stands_for = stands_for;
    *u = (struct guest_ucred){(s32)t->proc->tgid, t->instance->host_uid, t->instance->host_gid};
    s->result = (s32)HOST3(__NR_sendmsg, fd, message, flags);
    host_exit_group(0);
}

long peer_send_as(struct task *t, int fd, const void *message, int flags, struct guest_ucred *u)
{
    int status = -1;
    long r = signal_block_all(t);
    if (r < 0)
        return r;
    // No exit signal: only a wait that asks for such children sees it.
    long pid = host_clone(0, NULL, 0, 0, 0, NULL);
    if (!pid)
        send_and_exit(t, fd, message, flags, u);
    signal_unblock(t);
    if (pid < 0)
        return -ENOBUFS;
    r = HOST_INTR4(__NR_wait4, pid, &status, __WCLONE, 0);
    if (r < 0) { // a signal: the message is sent, or it is not
        host_kill(pid, 9);
        HOST4(__NR_wait4, pid, &status, __WCLONE, 0);
    }
    const struct proc_slot *s = proc_find(t->instance, (u32)pid);
    long result = s && s->stands_for == (u32)u->pid ? s->result : -ENOBUFS;
    proc_reaped(t, (u32)pid);
    if (status)
        return r < 0 ? r : -ENOBUFS;
    return result;
}

// ---- Of connections ----

void peer_note(struct task *t, int how)
{
    struct proc_slot *s = proc_own(t);
    if (!s)
        return;
    struct proc_peer *p = how == PEER_LISTENING ? &s->listening : &s->connected;
    p->uid = t->cred.euid;
    p->gid = t->cred.egid;
    p->ngroups = t->cred.ngroups;
    memcpy(p->groups, t->cred.groups, sizeof p->groups);
    p->set = 1;
}

static bool has_address(int nr, int fd)
{
    union address a;
    int n = sizeof a;
    return HOST3(nr, fd, &a, &n) >= 0 && n > (int)UNIX_PATH_AT;
}

// What the process at the other end of fd was when the connection began. A nameless socket whose
// peer has a name has connected to a listener. False: it is no process of the instance.
static bool find_peer(struct task *t, int fd, const struct guest_ucred *u, struct proc_peer *p)
{
    const struct proc_slot *s = u->pid > 0 ? proc_find_last(t->instance, (u32)u->pid) : NULL;
    if (!s)
        return false;
    bool client = has_address(__NR_getpeername, fd) && !has_address(__NR_getsockname, fd);
    *p = client ? s->listening : s->connected;
    if (!p->set) {
        *p = (struct proc_peer){1, s->euid, s->egid, s->ngroups, {0}};
        memcpy(p->groups, s->groups, sizeof p->groups);
    }
    return true;
}

static long host_peer(int fd, struct guest_ucred *u)
{
    int n = sizeof *u;
    return HOST5(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, u, &n);
}

long peer_credentials(struct task *t, int fd, uptr value, uptr length)
{
    struct guest_ucred u;
    struct proc_peer p;
    int len;
    long r = host_peer(fd, &u);
    if (r < 0)
        return r;
    if (copy_from_guest(&len, length, sizeof len))
        return -EFAULT;
    if (len < 0)
        return -EINVAL;
    len = MIN(len, (int)sizeof u);
    if (!is_nobody(&u)) {
        if (find_peer(t, fd, &u, &p)) {
            u.uid = p.uid;
            u.gid = p.gid;
        } else {
            map_host_ids(t, &u);
        }
    }
    if (copy_to_guest(value, &u, (size_t)len))
        return -EFAULT;
    return copy_to_guest(length, &len, sizeof len);
}

long peer_groups(struct task *t, int fd, uptr value, uptr length)
{
    struct guest_ucred u;
    struct proc_peer p;
    int len, n = 0;
    // Whether there is a peer at all the host says; its list is the host user's.
    long r = HOST5(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERGROUPS, &u, &n);
    if (r >= 0 || r == -ERANGE)
        r = host_peer(fd, &u);
    if (r < 0)
        return r;
    if (copy_from_guest(&len, length, sizeof len))
        return -EFAULT;
    if (len < 0)
        return -EINVAL;
    if (!find_peer(t, fd, &u, &p))
        p.ngroups = 0;
    if (p.ngroups > PROC_GROUPS)
        return -ENOPROTOOPT; // the record holds no more
    n = (int)(p.ngroups * sizeof(u32));
    r = len < n ? -ERANGE : 0;
    if (!r && copy_to_guest(value, p.groups, (size_t)n))
        return -EFAULT;
    return copy_to_guest(length, &n, sizeof n) ? -EFAULT : r;
}
