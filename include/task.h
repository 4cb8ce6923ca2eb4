// SPDX-License-Identifier: MIT
// A guest thread and what it shares with others.
//
// struct task belongs to one thread and lies at the start of its block (layout.h). What Linux
// shares by CLONE_* flags are objects of their own: files (CLONE_FILES), fs (CLONE_FS), sighand
// (CLONE_SIGHAND), proc (CLONE_THREAD). fork copies them with the address space; a CLONE_VM child
// without the flag gets its own copy. There is no mutable state outside these and the instance.
#ifndef LX_TASK_H
#define LX_TASK_H

#include <stdbool.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "cred.h"
#include "instance.h"
#include "layout.h"
#include "lib.h"
#include "types.h"

#define SIGSET_BIT(sig) (1UL << ((sig)-1))
// Signals that lxcore must always be able to take: never in a real mask, their guest state is
// virtual (docs/signals.md, rule 2).
#define SIG_ALWAYS (SIGSET_BIT(SIGSYS) | SIGSET_BIT(SIGSEGV) | SIGSET_BIT(SIGBUS))
#define SIG_UNBLOCKABLE (SIGSET_BIT(SIGKILL) | SIGSET_BIT(SIGSTOP))
// Those that take others out of the queues, or are looked for in masks.
#define SIG_JOB                                                                                    \
    (SIGSET_BIT(SIGCONT) | SIGSET_BIT(SIGTSTP) | SIGSET_BIT(SIGTTIN) | SIGSET_BIT(SIGTTOU))

// What SIG_DFL ignores (include/linux/signal.h of the kernel).
#define SIG_DEFAULT_IGNORES                                                                        \
    (SIGSET_BIT(SIGCONT) | SIGSET_BIT(SIGCHLD) | SIGSET_BIT(SIGWINCH) | SIGSET_BIT(SIGURG))

// What SIG_DFL dumps core for, of those that are not SIG_ALWAYS (signal(7)).
#define SIG_DUMPS_CORE                                                                             \
    (SIGSET_BIT(SIGQUIT) | SIGSET_BIT(SIGILL) | SIGSET_BIT(SIGTRAP) | SIGSET_BIT(SIGABRT) |        \
     SIGSET_BIT(SIGFPE) | SIGSET_BIT(SIGXCPU) | SIGSET_BIT(SIGXFSZ))

// The guest's registers, in the order of the kernel's pt_regs. Assembly knows the offsets.
struct regs {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    u64 rax, rcx, rdx, rsi, rdi, orig_rax, rip, eflags, rsp;
};

// struct sigaction of the kernel's ABI.
struct ksigaction {
    uptr handler;
    u64 flags;
    uptr restorer;
    u64 mask;
};

struct sighand {
    struct lock lock;
    u32 refs;
    u64 caught;                   // signals for which the host has lxcore's handler
    struct ksigaction action[64]; // [sig - 1]; read without the lock, written under it
};

#define FD_KINDS 1024
#define FD_ANONYMOUS 63
#define FD_MAPPED_WATCH 62 // inotify's, in a drive whose names are mapped (syscalls/watch.c)
#define FD_RECORDS 64      // times enum records
_Static_assert(MOUNTS_MAX + 1 < FD_MAPPED_WATCH, "they share a byte");

// Where the listing of an overlay directory is, behind its own layer's part (fs/overlaydir.c).
struct listing_place {
    s32 fd;
    s32 part;     // its layer; 0: none yet
    s64 own, pos; // of the descriptor; in the part
};
#define LISTINGS 16

// What a descriptor of the guest's stands for (fs/files.c).
struct fd_number {
    u64 number; // 0: none
    s32 fd;
};
#define FD_NUMBERED 4

struct files {
    struct lock lock; // taken by calls that put a descriptor on a chosen number
    u32 refs;
    u32 across_processes;     // lies in shared memory (clone with CLONE_FILES, without CLONE_VM)
    u32 users;                // path operations in flight that may hold temporary descriptors
    u32 exclusive;            // somebody waits for users to become 0, or works alone
    u32 making;               // calls in flight whose descriptor in an overlay is not noted yet
    s32 reserved;             // first number of the reserved block
    u32 reserved_count;       // numbers that are taken of it (fs/files.c)
    u32 low;                  // the block is where it began, and the host's limit right behind it
    u32 has_mapped_watch;     // some descriptor has ever been FD_MAPPED_WATCH
    u32 has_made_file;        // some descriptor has ever been of a made file (fs/proc_open.c)
    u32 pin[RESERVED_PINS];   // tid of the thread that uses RESERVED_PIN + i, 0: free
    u32 spare_owner;          // tid of the thread that has the numbers of RESERVED_TEMP, 0: none
    u32 spare_lock;           // tid of the thread that has made one of them free, or gives it back
    u32 spare_used;           // those that hold a temporary, one bit each
    u32 mount_id[MOUNTS_MAX]; // id of the mount whose root is open in the block, 0: none
    u64 root_ino[MOUNTS_MAX]; // inode number of that root, 0: not asked for yet
    struct kept_dir dir[DIRS_KEPT];
    u32 watches_seen; // dir_watches of the instance when none of `dir` was a watched one
    struct fd_number numbered[FD_NUMBERED];
    u32 numbered_next; // is replaced next
    struct listing_place listing[LISTINGS];
    u32 records_at; // record_changes when the FD_RECORDS of `kind` were true
    // Of descriptors: mount index + 1, FD_ANONYMOUS or FD_MAPPED_WATCH without a path, 0 when it is
    // not known; and for a directory what is known of records in it (enum records).
    u8 kind[FD_KINDS];
    // Of the first 64, noted while nobody shares them: those not opened by O_PATH, and among these
    // what the host has as files and directories.
    u64 fds_open, fds_file;
};

struct fsctx {
    struct lock lock;
    u32 refs;
    u32 across_processes; // as in struct files
    u32 umask;
    s32 cwd_mount; // mount index of the host working directory; -1: ask
    s32 root_mount;
    u32 mnt_ns;     // mount namespace (fs/namespaces.c)
    u64 cwd_number; // of the working directory, never used for another; 0: none now
    // chroot, relative to the root mount's directory: either "" for all of it, or in one half of
    // root_room, which is touched only then; the other is the next one's, for a thread may be
    // reading this.
    const char *root;
    char *root_room; // ROOT_ROOM bytes
    // That directory stays the root when it is renamed; then its path is asked for again
    // (fs/where.c).
    u64 root_dev, root_ino;
    u64 root_asked; // when it was asked for last, ns
    u32 root_moves; // the instance's dir_moves before that
    u32 pivots;     // of the mount namespace that were followed
};

#define ROOT_ROOM (2 * LX_PATH_MAX)

static inline void fs_set_root(struct fsctx *fs, const char *root)
{
    char *room = fs->root_room + (fs->root == fs->root_room ? LX_PATH_MAX : 0);
    if (root[0])
        str_copy(room, root, LX_PATH_MAX);
    fs->root = root[0] ? room : "";
}

// A struct fsctx that is not the first thread's, with the room for its root: one allocation.
struct own_fs {
    struct fsctx fs;
    char root[ROOT_ROOM];
};

// Why a process's signal masks cannot be lazy (trap/sigmask.c).
enum {
    EAGER_SHARED = 1,   // another thread, or a process with the same handlers
    EAGER_TIMER = 2,    // a timer, whose signal says more when it is taken late
    EAGER_SIGNALFD = 4, // a second way to take signals
};

#define SLOT_UNKNOWN 0xffffffffu

struct proc {
    struct lock lock;
    struct lock exec_lock; // one execve at a time: the new image finds its state by tgid
    u32 tgid;
    u32 slot;       // index of its record in the instance, or SLOT_UNKNOWN: ask proc_own()
    u32 fsgsbase;   // the processor has wrgsbase and the kernel allows it
    u32 xsave_size; // bytes of a guest frame's vector area
    u32 tile_size;  // the same for a thread that uses AMX tiles; 0: not permitted
    u64 xsave_mask;
    u32 threads_ever;  // more than one thread has lived here
    u32 eager_masks;   // EAGER_*
    u32 dumpable;      // proc_set_dumpable()
    u32 holds_program; // RESERVED_PROGRAM is its file, which had no path when it was executed
    u64 dev, ino;      // of the program file
    u64 since;         // ns of CLOCK_BOOTTIME when the process was there already; 0: not known yet
    u64 birth;         // of a forked process: a number that its parent gave it (proc_birth())
    char *exe;         // guest path of the program, LX_PATH_MAX bytes
};

// How far a request to arm has come (task_need_engine()).
enum wanted {
    WANTED_NOT,
    WANTED,         // the thread does it when it next leaves or enters by the door
    WANTED_KICKING, // it was in guest code, and a signal is on its way
    WANTED_KICKED   // the signal has been taken
};

struct seccomp_filter;

// In t->noted, where signals are numbers: no signal, but no call is to be begun, since the thread
// is to stop at the door's exit.
#define NOTED_STOP 65

// How its tracer has let a thread go on.
enum trace_mode { TRACE_CONT, TRACE_SYSCALL, TRACE_EMULATE, TRACE_STEP };

// A stop that lxcore makes itself.
enum trace_stop {
    TRACE_RUNS,
    TRACE_ENTRY, // of a system call
    TRACE_LEAVE, // behind one
    TRACE_SIGNAL,
    TRACE_EVENT,
    TRACE_READY, // for the tracer's lxcore alone: the registers can be loaded, and stepped
};

// What a traced thread is to do at the door's exit, with KEEPS_STOP.
enum trace_at_exit {
    AT_EXIT_NOTHING,
    AT_EXIT_NEW,       // it has just begun
    AT_EXIT_EXEC,      // its program has
    AT_EXIT_STEPPED,   // SIGTRAP: one step was made
    AT_EXIT_READY,     // TRACE_READY
    AT_EXIT_SIGSTOP,   // PENDS_SIGSTOP
    AT_EXIT_INTERRUPT, // PENDS_INTERRUPT
};

// What has come in lxcore, and is to be seen at the door's exit, beside the above.
#define PENDS_SIGSTOP 1
#define PENDS_INTERRUPT 2 // PTRACE_INTERRUPT
#define PENDS_MASK 4      // the tracer's `mask` is to be the thread's

// ptrace(2), of a thread with KEEPS_TRACED: what its tracer has set, and is told. The tracer reads
// and writes it while the thread is stopped (task/tracer.c).
struct trace {
    u32 options; // PTRACE_O_*
    u32 tracer;  // its process
    u8 mode;     // enum trace_mode
    u8 stop;     // enum trace_stop
    u8 at_exit;  // enum trace_at_exit, none of the last two
    u8 pends;    // PENDS_*
    u8 seized;
    u8 pass;         // signal that the thread sends itself for the host's action: it was reported
    u8 reported;     // t->noted was
    u8 fresh;        // its first stop is to be one that lxcore makes
    u8 asked;        // in a stop: to take its own text back, and stop again
    u8 again;        // stop that another came before: it is to be made again
    u8 own_text;     // it has taken that back, since its program began
    u8 in_call;      // the dispatcher knows that the call may be stopped at its end
    u8 unsettled;    // in regs.rax the call's restart may stand; also when its tracer has gone
    u8 with_exec;    // it asked to be traced, by `tracer`, which begins with its next program
    u8 sig;          // that the thread goes on with
    u16 status;      // of the stop, a wait status without its low byte
    u16 restart;     // how the kernel would have the call restarted: ERESTART...; 0: none
    s32 stop_code;   // of the SIGSTOP that is to be told at the door's exit, and who sent it; 0:
                     // the kernel (SI_USER is 0)
    siginfo_t *info; // of TRACE_SIGNAL
    u64 message;     // PTRACE_GETEVENTMSG
    u64 mask;        // of PENDS_MASK
    u64 stop_value;  // si_value
    s32 stop_pid;
    u32 stop_uid;
};

struct stack {
    uptr sp;
    u32 flags;
    u64 size;
};

// What the guest asked for by PR_SET_SYSCALL_USER_DISPATCH: calls from outside the range raise
// SIGSYS (syscalls/userdispatch.c).
struct user_dispatch {
    uptr from;
    u64 size;
    uptr selector; // guest address of the byte that switches it; 0: always on
};

struct task {
    struct task *self;
    void *stack;     // top of its runtime stack
    u16 noted;       // a signal number taken while in lxcore, 0: none
    u8 keeps;        // KEEPS_* (include/layout.h)
    u8 seccomp_mode; // SECCOMP_MODE_*; also set by others (task/filter.c)
    u32 wanted;      // enum wanted: another thread asks this one to arm
    uptr vdso_sp;    // not 0: inside the host's vDSO (host/vdsocall.S)
    struct regs regs;
    u32 inside; // in lxcore: came by the door, and passes its exit before guest code runs
    u32 tid;
    u64 guest_gs;       // the guest's GS base, with KEEPS_GS
    u64 noted_mask;     // guest mask at the moment of `noted`
    u64 sigmask;        // the guest's mask
    u64 real_mask;      // the host's: sigmask without SIG_ALWAYS, or less while that is lazy
    u64 sig_pending;    // virtual pending set of SIG_ALWAYS
    struct trace trace; // with KEEPS_TRACED
    // Guest mask of a sigsuspend, ppoll... that a signal has ended: handlers run under it, while
    // frames save t->sigmask.
    u64 wait_mask;
    u32 has_wait_mask;
    u32 step; // EFLAGS.TF to put back (trap/engine.c)
    siginfo_t pending_info[3];
    siginfo_t noted_info;
    siginfo_t kept_info; // of signal `kept`, for when it comes again (trap/sigmask.c)
    u32 kept;
    u32 dying; // signal that the thread has sent itself, for the handler to send (signal_to_self())
    struct stack altstack; // the guest's
    u32 uts_ns;            // its UTS namespace (fs/namespaces.c)
    u32 personality;       // the host's, too
    u32 vfork_child;       // its parent frees its block
    u32 unrecorded;        // forked, and has not looked whether its parent has made its record
    u32 deep_levels; // a guess: how far the path above is too long (fs/walkup.c, top_of_deep())
    u32 is_first;    // its block is part of lxcore's image, and stays
    u32 births;      // counts the births given to children (struct proc)
    u64 next_birth;  // birth of the child that is being forked
    u32 reset_host_actions; // new: the host's handlers are to follow sighand (CLONE_CLEAR_SIGHAND)
    struct proc *proc;
    struct files *files;
    struct fsctx *fs;
    struct sighand *sighand;
    struct instance *instance;
    u32 engine;          // of the instance, whose page a forked child need not look at
    u32 armed;           // the kernel dispatches its calls (trap/sud.c)
    struct stats *stats; // NULL: calls are not counted
    u32 temps;           // depth of temps_begin()
    u32 temps_open;      // of temp_open(), on numbers that are not reserved
    u32 owns_spares;     // it is files->spare_owner (fs/temps.c)
    u32 temps_counted;   // the outermost one counted itself in files->users
    u32 keeps_out;       // files_exclusive_begin() had others to keep out
    u32 saw_low_left;    // a call was made again, for files->low was off
    u16 low_over;        // this call has made room for a temporary above a low block
    u16 takes_lowest;    // it is to make a descriptor itself, of the lowest number: no such room
    // Hashes of the directories last asked for and not found open (fs/dirs.c).
    u32 dirs_next; // of these, and of kept ones, is replaced next
    u32 dirs_asked[DIRS_KEPT];
    struct user_dispatch dispatch;  // with KEEPS_SUD
    struct seccomp_filter *seccomp; // the newest of its filters, with SECCOMP_MODE_FILTER
    struct searches searches;
    struct attr_own attrs_own[ATTRS_OWN];
    struct own_name own_name;
    struct cred cred;
};

// What threads share, in one piece: of a new image, or of a CLONE_VM child without the flags. fs is
// the last one, because most of it is not touched.
struct process_objects {
    struct sighand sighand;
    struct files files;
    char short_exe[128]; // proc->exe of a new image, if it fits
    struct fsctx fs;
};

// What lies at TASK_AT of a block. proc is that of a new image: a forked child writes to both.
struct task_room {
    struct task task;
    struct proc proc;
};
// The first thread's block. What every process writes to lies together, from its stack to the small
// variables of lxcore (loader/lxcore.ld).
extern char first_block[TASK_BLOCK];
extern struct process_objects first_objects;

static inline struct task *current(void)
{
    struct task *t;
    __asm__("mov %%gs:0, %0" : "=r"(t));
    return t;
}

// Allocates the block of a new thread; NULL when memory is out. The caller fills the task.
struct task *task_alloc(void);
// The same in a block of zeroes.
struct task *task_init(char *block);
void task_free(struct task *t);
// For a thread that ends: where it shall put its block's address with its last instruction, for a
// later task_alloc(); NULL: it is to be unmapped.
uptr *task_claim_spare(void);
// In a forked child, where the threads that have claimed such places are not.
void task_forget_claims(void);
// Memory for lxcore's own use in its arena, zeroed; NULL when out.
void *arena_alloc(size_t size);
void arena_free(void *p, size_t size);

// Makes %gs, the alternate signal stack and the trap engine right for the calling thread.
void task_arm(struct task *t);
// The same in a forked child, which has its parent's alternate signal stack already.
void task_arm_forked(struct task *t);

// ---- Who runs in this address space, and under the engine? (task/engine.c) ----

// Rewritten code needs no engine underneath, and each host call is cheaper without: a process whose
// code is all clean (include/rewrite.h) is not armed. From now on it is: code that is not clean may
// come. When this returns, no thread of the address space runs guest code without it.
void task_need_engine(struct task *t);
// The same after a wait for a process in the caller's memory, which may have called that.
void task_follow_engine(struct task *t);
// Another thread has asked for it: at the door, and in the handler of the signal that it sent.
void task_arm_wanted(struct task *t);
void task_arm_kicked(struct task *t);
bool task_is_kick(const struct task *t, const siginfo_t *info);
// What such a signal says. With something noted it takes t from guest code to the door, too.
siginfo_t task_kick_info(struct task *t);
// Is anything noted, kept or wanted, or has the thread filters?
static inline bool task_attention(const struct task *t)
{
    u64 all;
    __builtin_memcpy(&all, &t->noted, sizeof all);
    return all;
}
// May others run meanwhile what the caller maps, without the engine?
bool task_is_watched(const struct task *t);
// Calls visit(o, arg) for each other thread o of the caller's process. None of them ends meanwhile.
void task_each_other(struct task *t, void (*visit)(struct task *o, void *arg), void *arg);
// c is about to run in the caller's address space, beside it; before clone.
void task_announce(struct task *t, struct task *c);
// t does not run any more, and its block is about to go.
void task_forget(struct task *t);
// In a forked child, which is alone; by the parent of a CLONE_VM child that is dead.
void task_forget_others(void);
void task_release_dead(u32 tid);

// First code of a CLONE_VM child, on its runtime stack; returns into the door.
void task_child_start(struct task *t);

// Fills t->proc's xsave_mask, xsave_size and tile_size: the vector state that a guest signal frame
// holds (task/xstate.c). has_asked: the process may have been permitted more since its execve.
void xstate_init(struct task *t, bool has_asked);
// The components of a frame for the calling thread's present state, and the size of the area.
u64 xstate_live(const struct proc *p, size_t *size);
// The same for any state that a thread of the process may come to have.
u64 xstate_permitted(const struct proc *p, size_t *size);

// Puts the caller's identity into its process's record, for others to see.
void proc_publish_cred(struct task *t);
// Says whether the process may be looked into by others with its identity (0 or 1,
// PR_SET_DUMPABLE), for them to see.
void proc_set_dumpable(struct task *t, u32 dumpable);
// Claims a record in the instance for this process, at its start.
void proc_register(struct task *t);
// The same for a new process, whose birth is set.
void proc_register_new(struct task *t);
// Makes the record of a forked child, unless it has done so itself. Before the parent goes on.
void proc_register_child(struct task *t, u32 tgid);
// The record tells the namespaces of the process, or of a child; of a process with several, those
// of the thread that went to one last.
void proc_publish_namespaces(struct task *t, const struct namespaces *ns);
void proc_child_namespaces(struct task *t, u32 tgid, const struct namespaces *ns);
// A forked child is about to do what others may notice: makes sure that it has a record.
void proc_need_record(struct task *t);
// The record of the caller's process. NULL: it has none, for the table is full.
struct proc_slot *proc_own(struct task *t);
// The caller has waited for process tgid, which is gone by now: so is its record.
void proc_reaped(struct task *t, u32 tgid);
// Process tgid, of which record s with that head is, seems to be gone: if the host says so, too,
// the record is given up.
void proc_gone(struct task *t, struct proc_slot *s, u64 head);
// The birth of a child that is about to be forked: no other in the instance has the same.
static inline u64 proc_birth(struct task *t)
{
    return (u64)t->tid << 32 | ++t->births;
}
// From now on the file (dev as major << 32 | minor) is one that was ever run.
void proc_text_runs(struct instance *in, u64 dev, u64 ino);
// Has any process of the instance ever run the file (dev as major << 32 | minor)? *hash: what
// instance->text has for the records of those that do.
bool proc_text_seen(const struct instance *in, u64 dev, u64 ino, u8 *hash);
// The record of a process of this instance, or NULL. The process may be gone at any time.
struct proc_slot *proc_find(struct instance *in, u32 tgid);
// The same, or what a process that is gone has left.
struct proc_slot *proc_find_last(struct instance *in, u32 tgid);

// The task in whose block the caller's stack lies: that which calls run on, or the alternate one of
// a handler. %gs would not tell: a guest can change it without a system call (wrgsbase).
static inline struct task *task_of_stack(void)
{
    return (struct task *)(((uptr)__builtin_frame_address(0) & ~(uptr)(TASK_BLOCK - 1)) + TASK_AT);
}

#endif
