// SPDX-License-Identifier: MIT
// Which processes a guest may reach, and what its identity allows on them. The host would let it
// reach every process of the host user; Linux would check the guest's identity, which the host
// does not know.
#ifndef LX_REACH_H
#define LX_REACH_H

#include "task.h"

// No process or thread has this number (Linux: PID_MAX_LIMIT). The host is asked about it instead
// of one that is not the guest's to know: what else is wrong comes first, as on Linux.
#define NO_PROCESS 0x7fffffff

// Is tgid a process of the instance (or the caller's own child that has not said so yet)?
bool reach_process(struct task *t, u32 tgid);
// The process that thread tid of the instance belongs to; 0 when there is none.
u32 reach_thread(struct task *t, u32 tid);
// The host's number of thread tid, for calls that only ask how it runs; 0 when there is none.
// Process 1 is lxrun's supervisor, which belongs to the guest's root.
u32 reach_to_ask(struct task *t, u32 tid);
// Why reach_thread() has none: process 1 is there, but nobody's to change or look into.
long reach_none(u32 tid);
// Is process group pgid one that only the instance's processes can be in? Told by its leader.
bool reach_group(struct task *t, u32 pgid);
// The process behind a pidfd, 1 for lxrun's supervisor, or -errno; -ESRCH when it is gone or not of
// the instance.
long reach_pidfd(struct task *t, int pidfd);
// The same for pidfd_send_signal(2), which takes an open directory /proc/PID as well
// (kernel/signal.c: pidfd_to_pid()).
long reach_signal_fd(struct task *t, int fd);
// May the caller signal process 1? It takes no signal, as an init that has no handlers. 0, -EPERM,
// or -EINVAL where sig is none.
long reach_signal_init(struct task *t, int sig);
// May the caller signal, or look into, a process that reach_process() knows, or 1? 0 or -EPERM.
long reach_may_signal(struct task *t, u32 tgid, int sig);
long reach_may_inspect(struct task *t, u32 tgid);
// How a thread is to be waited for that has something: it comes back by itself, or when its tracer
// lets it, or not before it is continued, or never.
enum rest { REST_NONE, REST_TRACED, REST_STOPPED, REST_ENDED };
enum rest reach_rest(struct task *t, u32 tid);
// Returns when process tgid has no execve on its way, for who is to see either image whole; at once
// where it is stopped or has ended, and after a second in any case. Nothing may be locked.
void reach_settled(struct task *t, u32 tgid);
// The caller's real ids are all of the target's, as prlimit(2) asks. 0 or -EPERM.
long reach_same_ids(struct task *t, u32 tgid, int cap);
// Does any process of the instance run the file (dev as major << 32 | minor)? For ETXTBSY.
bool reach_runs_file(struct task *t, u64 dev, u64 ino);
// Calls fn for each process of the instance: tgid, with record *s, which may be given up meanwhile,
// and another's.
void reach_each(struct task *t,
                void (*fn)(struct task *t, u32 tgid, const struct proc_slot *s, void *arg),
                void *arg);

#endif
