// SPDX-License-Identifier: MIT
// clone, in the shapes that Linux gives it. fork copies lxcore with the address space; a CLONE_VM
// child gets a block of its own in it, and copies of the objects that it does not share.
//
// All signals are blocked around the host call: syscall user dispatch is cleared in the child, and
// until task_arm() it could neither catch a call nor take a signal rightly.
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/signal.h>

#include "clone.h"
#include "filter.h"
#include "host.h"
#include "memory.h"
#include "signal.h"
#include "tracee.h"
#include "trap.h"

#define CLONE_NAMESPACES                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET | CLONE_NEWTIME)

// What a CLONE_VM child without the sharing flags gets; one allocation for all.
struct own_objects {
    struct process_objects shared;
    char root[ROOT_ROOM];
    struct proc proc;
    char exe[LX_PATH_MAX];
};

// In a forked child the first write to a page copies it; most is as it should be.
static void set(u32 *word, u32 value)
{
    if (*word != value)
        *word = value;
}

// Makes a copy of a descriptor table's record that of one thread: what others were at is not in it.
static void make_alone(struct files *f)
{
    for (int i = 0; i < DIRS_KEPT; i++) {
        struct kept_dir *d = &f->dir[i];
        // The kernel copies the descriptors a little earlier or later than this was copied.
        if (f->refs > 1 && d->hash)
            d->hash = 0;
        set(&d->users, 0);
    }
    set(&f->refs, 1);
    set(&f->lock.word, 0);
    set(&f->users, 0);
    set(&f->exclusive, 0);
    set(&f->making, 0);
    set(&f->spare_owner, 0);
    set(&f->spare_lock, 0);
    set(&f->spare_used, 0);
    for (int i = 0; i < RESERVED_PINS; i++)
        set(&f->pin[i], 0);
}

static void copy_files(struct files *to, const struct files *from)
{
    memcpy(to, from, sizeof *to);
    make_alone(to);
}

// root: the copy's, ROOT_ROOM bytes.
static void copy_fs(struct fsctx *to, char *root, const struct fsctx *from)
{
    to->umask = from->umask;
    to->cwd_mount = from->cwd_mount;
    to->cwd_number = from->cwd_number;
    to->root_mount = from->root_mount;
    to->mnt_ns = from->mnt_ns;
    to->pivots = from->pivots;
    to->root_dev = from->root_dev;
    to->root_ino = from->root_ino;
    to->root_room = root;
    fs_set_root(to, from->root);
    to->lock.word = 0;
    to->refs = 1;
}

static void copy_proc(struct proc *to, char *exe, const struct proc *from)
{
    *to = *from;
    to->exe = exe;
    str_copy(exe, from->exe, LX_PATH_MAX);
    to->lock.word = to->exec_lock.word = 0;
    to->tgid = 0; // not known yet: the child fills it in
}

static void clear_handlers(struct sighand *h)
{
    for (int i = 0; i < 64; i++)
        if (h->action[i].handler != (uptr)SIG_IGN)
            h->action[i] = (struct ksigaction){0};
}

static void refs_add(u32 *refs)
{
    __atomic_fetch_add(refs, 1, __ATOMIC_RELAXED);
}

// Fills the block of a CLONE_VM child. *own: its objects, if it needs any.
static long fill_child(struct task *t, struct task *c, const struct clone_request *q,
                       struct own_objects **own)
{
    bool needs = !(q->flags & CLONE_THREAD) || !(q->flags & CLONE_FILES) ||
                 !(q->flags & CLONE_FS) || !(q->flags & CLONE_SIGHAND);
    *own = needs ? arena_alloc(sizeof **own) : NULL;
    if (needs && !*own)
        return -ENOMEM;
    c->regs = t->regs;
    c->sigmask = t->sigmask;
    c->real_mask = t->real_mask;
    c->instance = t->instance;
    c->engine = t->engine;
    c->stats = t->stats;
    c->cred = t->cred;
    c->personality = t->personality;
    c->uts_ns = q->flags & CLONE_NEWUTS ? q->ns.uts : t->uts_ns;
    c->inside = 1;
    c->keeps = t->keeps & KEEPS_GS;
    c->guest_gs = t->guest_gs;
    if (tracee_follows(t, q))
        tracee_follow(c, &t->trace);
    c->altstack.flags = SS_DISABLE;
    if (q->flags & CLONE_VFORK) {
        c->altstack = t->altstack;
        c->vfork_child = 1;
    }
    if (q->flags & (CLONE_THREAD | CLONE_SIGHAND)) {
        t->proc->eager_masks |= EAGER_SHARED;
        t->kept = 0; // another thread may take it
    }
    c->proc = t->proc;
    c->files = t->files;
    c->fs = t->fs;
    c->sighand = t->sighand;
    if (q->flags & CLONE_THREAD) {
        t->proc->threads_ever = 1;
    } else {
        c->proc = &(*own)->proc;
        copy_proc(c->proc, (*own)->exe, t->proc);
    }
    if (q->flags & CLONE_FILES) {
        refs_add(&t->files->refs);
    } else {
        c->files = &(*own)->shared.files;
        copy_files(c->files, t->files);
    }
    if (q->flags & CLONE_FS) {
        refs_add(&t->fs->refs);
    } else {
        c->fs = &(*own)->shared.fs;
        copy_fs(c->fs, (*own)->root, t->fs);
        if (q->flags & CLONE_NEWNS)
            c->fs->mnt_ns = q->ns.mnt;
    }
    if (q->flags & CLONE_SIGHAND) {
        refs_add(&t->sighand->refs);
    } else {
        c->sighand = &(*own)->shared.sighand;
        memcpy(c->sighand, t->sighand, sizeof *c->sighand);
        c->sighand->lock.word = 0;
        c->sighand->refs = 1;
        if (q->flags & CLONE_CLEAR_SIGHAND) {
            clear_handlers(c->sighand);
            c->reset_host_actions = 1;
        }
    }
    return 0;
}

// A child is gone, or was never made: what the parent kept for it.
static void drop_child(struct task *t, struct task *c, const struct clone_request *q,
                       struct own_objects *own, u32 tid)
{
    task_release_dead(tid);
    lock_release_dead(filter_lock(), tid);
    task_forget(c);
    filter_release(c);
    if (q->flags & CLONE_FILES)
        __atomic_fetch_sub(&t->files->refs, 1, __ATOMIC_RELAXED);
    if (q->flags & CLONE_FS)
        __atomic_fetch_sub(&t->fs->refs, 1, __ATOMIC_RELAXED);
    if (q->flags & CLONE_SIGHAND)
        __atomic_fetch_sub(&t->sighand->refs, 1, __ATOMIC_RELEASE);
    // A vfork child can be killed while it holds a lock that it shares with us.
    lock_release_dead(&t->files->lock, tid);
    lock_release_dead(&t->fs->lock, tid);
    lock_release_dead(&t->sighand->lock, tid);
    lock_release_dead(memory_images_lock(), tid);
    if (own)
        arena_free(own, sizeof *own);
    task_free(c);
}

static long host_clone_request(const struct clone_request *q, u64 flags, void *stack,
                               struct task *c)
{
    if (!q->clone3)
        return host_clone((long)(flags | q->exit_signal), stack, q->parent_tid, q->child_tid,
                          (long)q->tls, c);
    struct clone_args a = {.flags = flags,
                           .pidfd = q->pidfd,
                           .child_tid = q->child_tid,
                           .parent_tid = q->parent_tid,
                           .exit_signal = q->exit_signal,
                           .tls = q->tls};
    if (stack) {
        // The kernel adds the size back: the top of the runtime stack is what counts.
        a.stack = (u64)stack - 4096;
        a.stack_size = 4096;
    }
    return host_clone3(&a, sizeof a, c);
}

static void *own_alloc(size_t size)
{
    void *p = arena_alloc(size);
    if (!p)
        die("no memory in a new process");
    return p;
}

static void *shared_alloc(size_t size)
{
    long r = host_mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return r < 0 ? NULL : (void *)r;
}

// CLONE_FILES and CLONE_FS without CLONE_VM: two processes share the object, so it moves to memory
// that fork does not copy. Only a caller with threads cannot do that: theirs would be left behind.
static long share_with_fork(struct task *t, const struct clone_request *q)
{
    if ((q->flags & CLONE_FILES) && !t->files->across_processes) {
        struct files *f = t->files->refs == 1 ? shared_alloc(sizeof *f) : NULL;
        if (!f)
            return -ENOMEM;
        memcpy(f, t->files, sizeof *f);
        f->across_processes = 1;
        t->files = f;
    }
    if ((q->flags & CLONE_FS) && !t->fs->across_processes) {
        struct own_fs *f = t->fs->refs == 1 ? shared_alloc(sizeof *f) : NULL;
        if (!f)
            return -ENOMEM;
        copy_fs(&f->fs, f->root, t->fs);
        f->fs.across_processes = 1;
        t->fs = &f->fs;
    }
    if (q->flags & CLONE_FILES)
        refs_add(&t->files->refs);
    if (q->flags & CLONE_FS)
        refs_add(&t->fs->refs);
    return 0;
}

// A forked child does not write to an object that its parent's other processes use.
static void own_after_fork(struct task *t, const struct clone_request *q)
{
    if (!(q->flags & CLONE_FILES)) {
        if (t->files->across_processes)
            t->files = memcpy(own_alloc(sizeof *t->files), t->files, sizeof *t->files);
        make_alone(t->files);
        set(&t->files->across_processes, 0);
    }
    if (!(q->flags & CLONE_FS)) {
        if (t->fs->across_processes) {
            struct own_fs *own = own_alloc(sizeof *own);
            copy_fs(&own->fs, own->root, t->fs);
            t->fs = &own->fs;
        }
        set(&t->fs->refs, 1);
        set(&t->fs->lock.word, 0);
        set(&t->fs->across_processes, 0);
        if (q->flags & CLONE_NEWNS)
            t->fs->mnt_ns = q->ns.mnt;
    }
}

// The forked child: its memory is a copy, its kernel state must be made again.
static void start_forked(struct task *t, const struct clone_request *q)
{
    bool follows = tracee_follows(t, q);
    t->wanted = WANTED_NOT;
    t->keeps &= KEEPS_GS;
    t->vfork_child = 0;
    t->trace.with_exec = 0;
    if (follows)
        tracee_follow(t, &t->trace);
    t->sig_pending = t->noted = 0; // the parent's
    t->kept = 0;
    // From here on a tracer finds the task, and may have noted a stop.
    u32 id = (u32)host_getpid();
    t->tid = t->proc->tgid = id;
    set(&t->sighand->refs, 1);
    set(&t->proc->lock.word, 0);
    set(&t->proc->exec_lock.word, 0);
    set(&t->sighand->lock.word, 0);
    set(&memory_images_lock()->word, 0);
    set(&filter_lock()->word, 0);
    own_after_fork(t, q);
    if (q->flags & CLONE_NEWUTS)
        t->uts_ns = q->ns.uts;
    task_forget_claims();
    task_forget_others();
    if (q->stack)
        t->regs.rsp = q->stack;
    if (q->flags & CLONE_CLEAR_SIGHAND) {
        for (int sig = 1; sig <= 64; sig++) {
            uptr h = t->sighand->action[sig - 1].handler;
            if (h == (uptr)SIG_DFL || h == (uptr)SIG_IGN)
                continue;
            t->sighand->action[sig - 1] = (struct ksigaction){0};
            signal_set_host_action(t, sig);
        }
    }
    t->proc->slot = SLOT_UNKNOWN;
    t->proc->since = 0;
    t->proc->birth = t->next_birth;
    t->unrecorded = 1;
    task_arm_forked(t);
}

// Takes back signal_block_all(), which has nothing to do where the guest blocks all itself.
static void unblock_all(struct task *t)
{
    if (!signal_all_blocked(t))
        signal_unblock(t);
}

long task_clone_check(const struct clone_request *q)
{
    if (((q->flags & CLONE_FS) && (q->flags & (CLONE_NEWNS | CLONE_NEWUSER))) ||
        ((q->flags & CLONE_THREAD) && (q->flags & (CLONE_NEWUSER | CLONE_NEWPID))))
        return -EINVAL;
    if (q->flags & CLONE_NAMESPACES & ~(u64)CLONE_SERVED)
        return -EPERM;
    if ((q->flags & (CLONE_THREAD | CLONE_SIGHAND)) == CLONE_THREAD ||
        ((q->flags & CLONE_SIGHAND) && !(q->flags & CLONE_VM)))
        return -EINVAL;
    return 0;
}

long task_clone(struct task *t, const struct clone_request *q)
{
    bool vm = q->flags & CLONE_VM;
    struct own_objects *own = NULL;
    struct task *c = NULL;
    long r = task_clone_check(q);
    if (r >= 0)
        r = signal_block_all(t);
    if (r < 0)
        return r;
    // A process of its own can be killed alone, so its parent does not keep account of it.
    if (vm && !(q->flags & (CLONE_VFORK | CLONE_THREAD)))
        task_need_engine(t);
    if (vm) {
        c = task_alloc();
        r = c ? fill_child(t, c, q, &own) : -ENOMEM;
        if (r < 0) {
            if (c)
                task_free(c);
            unblock_all(t);
            return r;
        }
        c->regs.rax = 0;
        if (q->stack)
            c->regs.rsp = q->stack;
        // A vfork's parent does not run meanwhile.
        if ((q->flags & CLONE_THREAD) || task_is_watched(t))
            task_announce(t, c);
        filter_inherit(t, c);
    } else if (q->flags & (CLONE_FILES | CLONE_FS)) {
        r = share_with_fork(t, q);
        if (r < 0) {
            unblock_all(t);
            return r;
        }
    }
    // No child gets away from an engine that traces.
    u64 ours =
        CLONE_CLEAR_SIGHAND | CLONE_SERVED | (t->engine == ENGINE_PTRACE ? CLONE_UNTRACED : 0);
    t->next_birth = proc_birth(t);
    if (vm && !(q->flags & CLONE_THREAD))
        c->proc->birth = t->next_birth;
    u64 flags = q->flags & ~ours;
    // A tracer may begin at any time: not between what the child was told above and its start.
    if (vm && !(c->keeps & KEEPS_TRACED) && t->instance->traces && t->engine != ENGINE_PTRACE)
        flags |= CLONE_UNTRACED;
    r = host_clone_request(q, flags, vm ? c->stack : NULL, c);
    if (r == 0) {
        start_forked(t, q);
        signal_unblock(t);
        return 0;
    }
    if (!vm && r > 0)
        proc_register_child(t, (u32)r);
    if (!vm && r > 0 && (q->flags & CLONE_SERVED))
        proc_child_namespaces(t, (u32)r, &q->ns);
    if (vm && (r < 0 || (q->flags & CLONE_VFORK)))
        drop_child(t, c, q, own, (u32)r);
    if (vm)
        task_follow_engine(t);
    unblock_all(t);
    return r;
}

void task_exit(struct task *t, int status)
{
    // The stacks are about to go: not even SIGSYS or SIGSEGV, sent by a tgkill, may come any more.
    // Nothing below touches the guest's memory.
    u64 everything = ~0UL;
    host_sigprocmask(SIG_SETMASK, &everything, NULL);
    if (!t->vfork_child) { // whose parent does it
        task_forget(t);
        filter_release(t);
    }
    __atomic_fetch_sub(&t->files->refs, 1, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&t->fs->refs, 1, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&t->sighand->refs, 1, __ATOMIC_RELEASE);
    if (t->vfork_child || t->is_first)
        for (;;)
            HOST1(__NR_exit, status);
    host_exit_thread((char *)t - TASK_AT, TASK_BLOCK, status, task_claim_spare());
}

long task_unshare_files(struct task *t)
{
    if (t->files->refs == 1)
        return 0;
    struct files *own = arena_alloc(sizeof *own);
    if (!own)
        return -ENOMEM;
    copy_files(own, t->files);
    long r = HOST1(__NR_unshare, CLONE_FILES);
    if (r < 0) {
        arena_free(own, sizeof *own);
        return r;
    }
    __atomic_fetch_sub(&t->files->refs, 1, __ATOMIC_RELAXED);
    t->files = own;
    return 0;
}

long task_unshare_fs(struct task *t)
{
    if (t->fs->refs == 1)
        return 0;
    struct own_fs *own = arena_alloc(sizeof *own);
    if (!own)
        return -ENOMEM;
    copy_fs(&own->fs, own->root, t->fs);
    long r = HOST1(__NR_unshare, CLONE_FS);
    if (r < 0) {
        arena_free(own, sizeof *own);
        return r;
    }
    __atomic_fetch_sub(&t->fs->refs, 1, __ATOMIC_RELAXED);
    t->fs = &own->fs;
    return 0;
}
