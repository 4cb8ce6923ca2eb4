// SPDX-License-Identifier: MIT
// What the processes of one instance share: a memory file made by lxrun, mapped by every lxcore.
// Both programs include this file.
//
// Nothing here is guarded by a lock that could stay taken: a process can be killed at any
// instruction. Mount entries are written complete before their state is published; a change takes
// the word mount_writer, which holds the writer's tid and is taken over from a dead one.
#ifndef LX_INSTANCE_H
#define LX_INSTANCE_H

#include <linux/utsname.h>

#include "cred.h"
#include "drive.h"
#include "types.h"

#define INSTANCE_MAGIC 0x6c78696e73743031UL
#define MOUNTS_MAX 49
#define PROC_SLOTS 16384
#define PROC_NEAR 16 // of these, beside what every process looks at
#define PROC_GROUPS 32
#define PTS_MAX 1024
#define LX_PATH_MAX 4096
#define WATCHED_DIRS 256

// Reserved descriptors: one block of numbers, the same in every process of the instance until a
// guest asks for one of them (fs/files.c moves the block then).
enum {
    RESERVED_LXCORE,     // the runtime's program file: what execve runs
    RESERVED_INSTANCE,   // this memory
    RESERVED_PROC,       // the host's /proc
    RESERVED_STORE,      // directory of the instance's own: tmpfs mounts, /dev
    RESERVED_CACHE,      // directory of rewritten code
    RESERVED_REWRITE,    // socket: files to be rewritten
    RESERVED_ATTRS,      // file of known attributes
    RESERVED_PIN,        // a few files that a blocking call names (fs/unixsock.c)
    RESERVED_ROOT = 9,   // the directory that chroot has made the root (fs/where.c)
    RESERVED_PROGRAM,    // the program's file, where it had no path (struct proc, holds_program)
    RESERVED_TEMP = 11,  // for path lookups when the guest has used up its table (fs/temps.c)
    RESERVED_DIR = 17,   // directories that are kept open (fs/dirs.c)
    RESERVED_MOUNT = 25, // roots of the mounts, by index in the mount table
    RESERVED_COUNT = RESERVED_MOUNT + MOUNTS_MAX,
};

// Where the block stands (fs/files.c). Fork copies the descriptor table up to the highest number in
// use, in steps of 128, 256, 512 ..., and for one of 64 needs no memory (NR_OPEN_DEFAULT).
#define RESERVED_SMALL 63 // where the block ends: no limit that anybody sets
#define RESERVED_LOW 256  // bash uses 255
#define RESERVED_BELOW 1024
#define RESERVED_PINS (RESERVED_ROOT - RESERVED_PIN)
#define RESERVED_TEMPS (RESERVED_DIR - RESERVED_TEMP)
#define DIRS_KEPT (RESERVED_MOUNT - RESERVED_DIR) // a power of two

enum fs_type {
    FS_NONE,
    FS_VOLFS,
    FS_DRVFS,
    FS_DRIVE, // DrvFs without attributes
    FS_TMPFS,
    FS_DEVFS,
    FS_DEVPTS,
    FS_PROC,
    FS_SYSFS,
    FS_OVERLAY,
    FS_LAYER, // of an overlay: no mount that a path leads to
};

enum { MOUNT_FREE, MOUNT_LIVE, MOUNT_LAYER };
// Of the names with one hash, the changes that have begun and those that have ended.
#define NAME_CHANGES 32
struct name_changes {
    u32 begun, ended;
};
// Those of one hash that had begun by some time (fs/names.c).
struct name_watch {
    u32 index, count;
};

#define NAMESPACES_MAX 32 // of a kind, at a time (fs/namespaces.c); 0 is the first program's

// Indices of the namespaces that somebody is in.
struct namespaces {
    u32 mnt, uts;
};

// What pivot_root did last in a mount namespace: whose root was `from` (a mount's id) has another
// one from then on, when he next looks at it (fs/where.c).
#define PIVOTS_KEPT 8 // a power of two
struct pivots {
    u32 count;
    struct pivot {
        u32 from, to; // the id of mount `mount`
        s32 mount;
    } last[PIVOTS_KEPT];
};

struct mount_entry {
    u32 state;    // MOUNT_LIVE is written last, MOUNT_FREE first
    u32 type;     // enum fs_type
    u32 flags;    // MS_RDONLY... of mount(2), in namespaces that have no own_flags[]
    u32 apart;    // a bit for each namespace that has
    u32 id;       // as /proc/self/mountinfo shows it; never used twice
    s32 parent;   // index of the mount that point lies in; -1 for the root
    s32 base;     // >= 0: the mount's root directory is base_path in that mount;
                  // BASE_STORE: in the store; BASE_INHERITED: opened by lxrun; BASE_HELD: below
                  // the working directory of `holder`
    u32 root_uid; // host owner that is shown as root (docs/files.md, "Owner, mode and type")
    u32 root_gid;
    u32 holder;
    u64 held_dev, held_ino; // of its working directory
    s32 top, work;          // overlay: its first layer, the directory for work (0: none)
    u64 top_dev;            // device of that layer
    s32 below;              // layer: the next one
    u32 has_upper, userxattr;
    u32 viewed;  // id of the overlay that it is a bind mount of, or 0
    u32 locked;  // of the flags: those that the guest cannot take away
    u32 pivoted; // id of the mount that pivot_root moved here, and which stays where it was; 0:
                 // none
    struct drive drive;
    u64 links; // name_bit() of symlinks in the root directory: where one was seen, nothing more
    // Device (as struct attr_known has it) whose files have an attribute only where the host's mode
    // has S_ISVTX; 0: that is not known (fs/meta.c).
    u64 marked_dev;
    // Device whose inodes have their attributes beside them, and the entry of the directory where
    // (fs/attrstore.c); 0: the host keeps them itself.
    u64 attrstore_dev;
    s32 attrstore;
    char point[LX_PATH_MAX];     // guest path from the instance's root, "/" or "/a/b"
    char base_path[LX_PATH_MAX]; // no leading slash
    char source[LX_PATH_MAX];
    char options[256];
    // What is mounted is a device node, FIFO or socket: its name in the directory that is the
    // mount's root here, since owner and mode are told by that. Else "".
    char node[256];
    u32 own_flags[NAMESPACES_MAX];
};
_Static_assert(MOUNTS_MAX <= 64, "a bit of mounts_live for each");

// A name of n > 0 bytes as one bit of 64, in one of NAME_WORDS words: small sets of names that are
// mostly told apart by one look. Every component of every path comes by here, so it looks at three
// bytes only.
#define NAME_WORDS 8
static inline u32 name_hash(const char *name, size_t n)
{
    u32 hash = (u8)name[0] | (u32)(u8)name[n / 2] << 8 | (u32)(u8)name[n - 1] << 16 | (u32)n << 24;
    return hash * 0x9e3779b1u;
}
static inline u64 name_bit(u32 hash)
{
    return 1UL << (hash >> 26);
}
static inline u32 name_word(u32 hash)
{
    return hash >> 16 & (NAME_WORDS - 1);
}
static inline u64 names_with(const u64 names[NAME_WORDS], u32 hash)
{
    return __atomic_load_n(&names[name_word(hash)], __ATOMIC_ACQUIRE) & name_bit(hash);
}

#define BASE_STORE (-1)
#define BASE_INHERITED (-2)
#define BASE_HELD (-3)

// What a guest asks of the supervisor: a tmpfs with limits, which only the host can keep
// (fs/limited.c, cli/limited.c).
struct tmpfs_request {
    u32 owner;  // tid of who asks, 0: nobody
    u32 asked;  // counts the requests
    u32 done;   // the last one that was answered
    u32 holder; // process that holds the tmpfs; 0 in a request: a new one is wanted
    s32 result;
    char options[128];
};

// Whom a socket's peer sees: the identity at connect, socketpair or listen (unix(7)).
struct proc_peer {
    u32 set;
    u32 uid, gid;
    u32 ngroups; // the true number, also when groups holds fewer
    u32 groups[PROC_GROUPS];
};

// One record for each process, found by its id: what other processes may ask of it.
struct proc_slot {
    union {
        struct {
            u32 tgid; // 0: free; PROC_MAKING | tid of the thread that fills it in
            u32 was;  // of a freed one: tgid of the process that left it, 0: none. Else a mark, by
                      // which who frees it tells it from one that was made meanwhile
        };
        u64 head; // both
    };
    u64 birth; // of the process (struct proc)
    u32 ruid, euid, suid, fsuid;
    u32 rgid, egid, sgid, fsgid;
    u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    u64 dev, ino;   // of the program file
    u64 registered; // ns of CLOCK_BOOTTIME when the process was there already (fs/reach.c)
    u32 ngroups;    // the true number, also when groups holds fewer
    u32 groups[PROC_GROUPS];
    struct proc_peer connected, listening;
    u32 stands_for; // not 0: a helper that sends credentials of this process (syscalls/peer.c)
    s32 result;     // what its call returned
    u32 dumpable;   // 0: only who has CAP_SYS_PTRACE may look into it (fs/reach.c)
    s32 reserved;   // first number of its reserved block, and how many there are (struct files)
    u32 reserved_count;
    // Of its first thread, or of the one that was the last to change them; and a bit for each that
    // its threads are, or were, in.
    struct namespaces ns;
    u32 mnt_ns_seen, uts_ns_seen;
    // Guest path of the program, cut when longer.
    char exe[1024 - 152 - 4 * PROC_GROUPS - 2 * sizeof(struct proc_peer)];
};
#define PROC_MAKING 0x80000000u
// Freed records keep this id, so that searches go on past them.
#define PROC_FREED 0xffffffffu
_Static_assert(sizeof(struct proc_slot) == 1024, "records do not straddle pages");

struct pts_owner {
    u32 set, uid, gid, mode;
};

// A name that a socket was bound to, where the host's own record of it does not tell it.
#define UNIX_NAMES 4096
#define UNIX_BOUND 0xffffffffu
struct unix_name {
    u32 state; // 0: free; UNIX_BOUND; else the tid of the thread that is binding
    u32 length;
    char path[108]; // sun_path as given to bind(2), `length` bytes
};

// An object of System V IPC or a message queue, with its owner in the guest's terms
// (include/ipc.h).
struct ipc_record {
    u32 state; // what it is; 0: free
    s32 id;
    u32 uid, gid, cuid, cgid, mode;
};
#define IPC_RECORDS 4096
enum { IPC_FREE, IPC_SHM, IPC_SEM, IPC_MSG, IPC_QUEUE, IPC_BUSY }; // state; BUSY: being written
// Of a record's mode: a queue without a name. Who has it open knows it by its record still. Nobody
// tells when none has any more: so many records are kept.
#define IPC_UNLINKED 0x80000000u
#define QUEUES_UNLINKED 1024
// All of them. They live as long as the objects do, which the host keeps until it is started again:
// in shared memory of the host's, found by a key, that is mapped over the instance's own of this
// kind (task/ipc.c).
struct ipc_table {
    u32 ends;       // the last instance that has used it is about to remove it (cli/ipcend.c)
    u32 queue_lock; // tid of who opens or removes a message queue (syscalls/mqueue.c)
    u32 top;        // no record from here on was ever used
    // 1 + index of the record of a queue that is being removed, and its name; 0: none is. Who does
    // that may be killed before or behind it.
    u32 removing;
    char removing_name[256];
    u32 next_unlinked, unlinked[QUEUES_UNLINKED]; // 1 + index of a record: the last ones
    struct ipc_record records[IPC_RECORDS];
} __attribute__((aligned(4096)));

// A directory that is kept open as RESERVED_DIR + its index (fs/dirs.c).
#define DIR_PATH 144
struct kept_dir {
    u64 hash; // of from and path, 0: none; written last
    u64 from; // the number of the working directory that path begins at, 0: the tree's root
    u64 opened;
    u32 generation;
    u32 users; // calls that use it now
    u32 length;
    u32 no_acl_at;    // dir_attr_changes when it was seen to have no default ACL, 0: never
    u64 records;      // record_changes when it was read << 32 | enum records
    u32 seen;         // counts the writes to what follows, uneven during one
    u32 seen_changes; // dir_attr_changes when it was read, 0: never
    u32 mode, uid, gid;
    u64 ino, dev;
    u64 stamp; // no other that was ever kept has it
    char path[DIR_PATH];
};

// A path of a program and where it leads, a way without links from the root of the instance's tree,
// one text behind the other (fs/ways.c).
#define WAY_TEXT 96
struct known_way {
    u64 sum;   // of all that follows
    u64 found; // ns of CLOCK_MONOTONIC
    u32 dirs;  // dir_generation, mount_generation and link_generation then
    u32 mounts, links, zero;
    char text[WAY_TEXT];
};
#define WAYS 64 // a power of two

// What search permission depends on (fs/dirs.c).
#define SEARCH_GROUPS 16
struct search_identity {
    u64 caps;
    u32 uid, gid;
    u64 ngroups; // above SEARCH_GROUPS: none; 64 bits, so that memcmp() meets no padding
    u32 groups[SEARCH_GROUPS];
};

// That the task was let pass the way to a kept directory.
struct searched {
    u64 stamp;   // struct kept_dir; 0: it was not
    u32 changes; // dir_attr_changes then
};
// The same of the directory that a path begins at.
struct searched_base {
    u64 from;    // struct dir_key
    u64 at;      // ns of CLOCK_MONOTONIC
    u32 changes; // 0: it was not
};
// What one task was let pass.
struct searches {
    struct search_identity who;
    struct searched dir[DIRS_KEPT];
    struct searched_base base[2]; // the tree's root; the last other one
};

// Of struct trace, on its way over an execve.
struct exec_trace {
    u32 options, tracer;
    u32 former; // the thread's id before: another than the first thread has the first one's now
    u8 traced, seized, mode, own_text;
    u8 begins; // with this program: the host does not know yet that it is traced
};

// State on its way over a host execve. `first` is written by lxrun for the first program, which
// lxcore then looks up itself. Whose each is says exec_owners[].
struct exec_state {
    u32 first;
    u32 secure; // AT_SECURE
    u32 personality;
    s32 image_fd, interp_fd;
    u32 reserved_count, files_low; // struct files
    struct cred cred;
    u32 umask;
    s32 cwd_mount;
    s32 root_mount;
    u32 pivots;
    struct namespaces ns;
    s32 filters_fd;         // filter_to_exec()
    u64 root_dev, root_ino; // struct fsctx
    u64 sig_blocked;        // virtual states of SIGSYS, SIGSEGV, SIGBUS
    u64 sig_ignored;
    u64 sig_pending;
    u64 pending_info[3][16]; // siginfo_t, as struct task has them
    u32 dumpable;
    u32 eager_masks; // struct proc
    u32 holds_program;
    struct exec_trace trace;
    u32 mount_id[MOUNTS_MAX]; // ids of the mounts whose roots are open in the reserved block
    u64 dev, ino;             // of the program file
    u64 since, birth;         // struct proc
    u32 births;               // struct task
    u64 cwd_number;
    struct kept_dir dir[DIRS_KEPT];
    u32 dirs_asked[DIRS_KEPT]; // struct task
    struct searches searches;
    // Texts lie one behind the other, so that few pages are touched: where each begins.
    u32 text_used;
    u32 root;   // of chroot, relative to the root mount
    u32 exe;    // guest path of the program
    u32 execfn; // as given to execve
    u32 comm;   // path whose last component ps shows
    u32 cwd;    // first only: --cd
    char text[4 * LX_PATH_MAX];
};
#define EXECS 64 // that can be on their way at a time

// Puts a text there; its place.
static inline u32 exec_put_text(struct exec_state *s, const char *text)
{
    u32 at = s->text_used;
    while ((s->text[s->text_used] = *text++) && s->text_used < sizeof s->text - 1)
        s->text_used++;
    s->text[s->text_used++] = 0;
    return at;
}

// Enough of RLIMIT_FSIZE, in bytes: nothing that lxcore writes is as long.
#define WRITES_ENOUGH (16UL << 20)

// How a guest's system call is caught (docs/engines.md).
enum engine { ENGINE_SUD, ENGINE_REWRITE, ENGINE_SECCOMP, ENGINE_PTRACE };

// What a tracer must know of lxcore; written by the first lxcore, `door` last.
struct trap_map {
    u64 hostcall_start, hostcall_end;
    u64 door;
};

// What the attribute of an inode says, by its number, device and time of change (fs/attrcache.c).
struct attr_known {
    u64 ino, dev;
    u64 ctime; // ns
    u64 owner; // gid << 32 | uid
    u64 mode;  // and type, and whether there is an attribute at all
    u64 sum;   // of all these
};
#define ATTRS_KNOWN 65536
#define ATTRS_SIZE (ATTRS_KNOWN * sizeof(struct attr_known))
_Static_assert(ATTRS_SIZE % LX_PAGE == 0, "it is mapped by itself");

// An attribute that the thread has just written (fs/attrown.c).
struct attr_own {
    u64 ino;
    u64 after, to; // its ctime is between these, ns; to 0: not to be known
    u64 tick;      // the last one before the write
    u64 fd_number; // of the descriptor that it was written by; 0: by a name
    u32 changes;   // meta_change_count() since
    struct name_watch name;
    u32 uid, gid, mode;
};
#define ATTRS_OWN 2

// The last name that the thread has given a file (fs/names.c).
#define OWN_NAME 64
struct own_name {
    u64 dir; // stamp of the kept directory; 0: none
    struct name_watch watch;
    u32 length;
    char name[OWN_NAME];
};

// Calls counted, with --stats. Threads are spread over several, and add atomically.
#define STATS_SHARDS 16
#define STATS_CALLS 512 // more than there are rows in the table
struct stats {
    u64 trapped;            // that came by a signal, not from a rewritten site
    u64 armed;              // threads that were armed (task_need_engine())
    u64 calls[STATS_CALLS]; // by number; the last one: all others
};

// What CPUID said (trap/cpuid.c).
struct cpuid_known {
    u32 leaf, subleaf, cpu;
    u32 a, b, c, d;
    u32 sum; // of all these
};
#define CPUIDS_KNOWN 512
enum { CPUID_ALIKE = 1, CPUID_HYBRID }; // 0: not asked yet

#define META_LOCKS 64
#define META_COUNTS 32
#define REWRITES 2048

struct instance {
    u64 magic;
    u32 page_count;
    u32 engine;   // enum engine, the same for every process
    u32 verbose;  // -v: name refused calls on stderr
    u32 counting; // --stats
    u32 mount_writer;
    u32 mount_generation; // moves with every change of the mount table
    u32 next_mount_id;
    u32 next_store_name;    // names of tmpfs directories in the store
    u32 host_uid, host_gid; // who runs the instance; shown as root where files carry no attribute
    u32 user_uid, user_gid; // the guest's user that lxrun was told, or root
    u32 has_attrstores;     // a mount has attrstore_dev
    u32 has_drives;         // there is, or was, a mount whose `drive` is on
    u32 supervisor;         // pid of lxrun's supervisor
    u32 maker;              // pid in the name of this memory's file, which a nested lxrun's has not
    u64 files_limit;        // RLIMIT_NOFILE of processes whose block is low (fs/files.c); 0: none
    u32 has_cache;          // RESERVED_CACHE and RESERVED_REWRITE are what they say
    struct trap_map trap;   // engine `ptrace`
    u32 abstract_prefix;    // hash of the root, put before abstract socket names
    u64 boot_ns;            // CLOCK_BOOTTIME at the start of the instance
    struct new_utsname uts; // what uname(2) tells
    u32 xsave_size;         // of signal frames, for every process of this machine (task/xstate.c)
    u32 tile_size;
    u64 xsave_permitted;    // components that a process may use behind its execve; 0: not asked yet
    u32 writes_limited;     // RLIMIT_FSIZE is, or was, small for some process
    u32 traces;             // some thread is, or was, traced by a guest
    u32 fresh_returns;      // host_fresh_returns of every process
    u32 host_lacks;         // likewise
    u32 keeps_attrs;        // RESERVED_ATTRS is that file
    u64 memfd_dev;          // device (as marked_dev) of memory files
    u64 queue_dev;          // of message queues; 0: nobody has asked for one yet
    u64 fine_ctime_dev;     // device (as marked_dev) of the guest's root, if there no two states
                            // of an inode that were looked at have the same ctime; 0: they may
    u64 tick_ns;            // of the coarse clocks
    u32 protected_symlinks; // as the host has fs.protected_symlinks at the start
    u32 keeps_dirs;         // the guest's root is a tree of its own: fs/dirs.c may work
    u32 dir_generation;     // counts renames and removals of directories and symlinks
    u32 dir_moves;          // counts those renames of directories alone, when they are done
    u32 dir_attr_changes;   // counts changes of directories' owners and modes; begins with 1
    u32 link_generation;    // counts removals of what may have been a link on a known way
    u64 link_names[NAME_WORDS]; // of links that were followed
    u32 record_changes;         // counts records written (fs/side.c); begins with 1
    u32 dir_changer;            // tid of who is at what dir_generation counts, 0: nobody
    u32 dir_watches;            // counts directories of which inotify tells a guest
    u32 store_flags;            // of the store: fs/sidelink.c
    struct name_changes name_changes[NAME_CHANGES]; // fs/names.c
    u32 name_holder[NAME_CHANGES]; // tid of who lets none of one hash begin (name_hold())
    u64 next_number;               // for working directories, kept ones and descriptors
    u32 mnt_ns_used;               // bits of mount namespaces that have somebody, or had
    u64 mounts_live; // entries of `mounts` that may be live in the first; their state decides
    // Namespaces in which something was mounted on "/" itself, or that have another root: their
    // bits.
    u32 root_covered;
    u64 root_texts[MOUNTS_MAX];  // what the host called the mounts' roots when last asked, a hash
                                 // (fs/where.c); 0: not known
    u64 mount_names[NAME_WORDS]; // of mount points' last components, also of former ones
    u32 overlay_lock; // tid of who puts something in a whiteout's place, or the other way round
    u32 meta_lock[META_LOCKS];    // tids of threads that change an inode's attribute, by its number
    u32 name_lock[META_LOCKS];    // of who makes or removes one that has its owner by name, by that
    u32 gather_lock;              // tid of who gathers records (fs/sidedir.c)
    u32 meta_counts[META_COUNTS]; // counts changes of inodes' attributes, by their numbers
    u32 meta_changes;             // counts all of these
    u32 unix_top;                 // no record of unix_names from here on was ever used
    u32 ipc_used, ipc_apart;      // the table of all instances is, or cannot be had
    u32 far_procs;                // records in `procs`; too many, where a process was killed
    u32 leases_begun, leases_ended; // file_lease(); fewer ended, where a process was killed
    // Programs that run, for ETXTBSY: a byte of a hash of (dev, ino) by record, and a filter of the
    // hashes that were ever there, so that a file that never ran costs one look.
    u64 text_seen[64];
    u8 near_text[PROC_NEAR]; // the others: far_text
    // What is known of files and the cache: a hash of the file's identity, its low bits being one
    // of enum rewrite_known (loader/rewritten.c).
    u64 rewrites[REWRITES];
    struct known_way ways[WAYS];
    u32 exec_owners[EXECS]; // of states on their way: tgid of the process; 0: free
    struct proc_slot near_procs[PROC_NEAR] __attribute__((aligned(sizeof(struct proc_slot))));
    struct exec_state exec_first;
    // What lies before, and the root's mount but for its texts, is what every fork and execve looks
    // at: the kernel maps it by one page fault (64 KiB around it), and it is in the page of page
    // tables that lxcore has.
    struct mount_entry mounts[MOUNTS_MAX];
    u64 mounts_live_in[NAMESPACES_MAX];        // the same of the other namespaces
    struct exec_state execs[EXECS - 1];        // that are on their way beside exec_first
    struct new_utsname uts_in[NAMESPACES_MAX]; // `uts` of the other namespaces
    u32 uts_ns_used;                           // as mnt_ns_used
    struct pivots pivots[NAMESPACES_MAX];
    u32 next_ns;                       // counts namespaces,
    u32 mnt_ns_number[NAMESPACES_MAX]; // and what it was: the number by which /proc/PID/ns shows
                                       // one
    u32 uts_ns_number[NAMESPACES_MAX];
    u32 cpuid_kinds;  // of the processors
    u32 cpuid_faults; // some thread has, or had, CPUID fault (arch_prctl(2))
    struct cpuid_known cpuids[CPUIDS_KNOWN];
    u64 watched_dirs[WATCHED_DIRS]; // hashes of the last ones, by dir_watches
    struct tmpfs_request tmpfs;
    struct unix_name unix_names[UNIX_NAMES];
    struct pts_owner pts[PTS_MAX];
    struct stats stats[STATS_SHARDS];
    u8 far_text[PROC_SLOTS - PROC_NEAR];
    struct proc_slot procs[PROC_SLOTS - PROC_NEAR]
        __attribute__((aligned(sizeof(struct proc_slot))));
    // Last, at pages' beginnings. What all instances on the root share is mapped over this,
    struct ipc_table ipc;
    // and where there is a file of known attributes (keeps_attrs), it is mapped over these.
    struct attr_known attrs[ATTRS_KNOWN] __attribute__((aligned(4096)));
};

// One for each host user: the objects of another are not his to use.
static inline s32 ipc_table_key(const struct instance *in)
{
    u32 of = (in->abstract_prefix ^ 0x6c786970) * 0x9e3779b1u + in->host_uid;
    return (s32)(of * 0x85ebca6bu | 1); // not IPC_PRIVATE
}

_Static_assert(offsetof(struct instance, mounts[0].point) <= 0x10000, "within 64 KiB");

// The record with that index, below PROC_SLOTS, and the other way round.
static inline struct proc_slot *proc_slot_at(struct instance *in, u32 index)
{
    return index < PROC_NEAR ? &in->near_procs[index] : &in->procs[index - PROC_NEAR];
}

static inline u32 proc_slot_index(const struct instance *in, const struct proc_slot *s)
{
    // In bytes: two arrays, of which s lies in one.
    u64 near = (u64)s - (u64)in->near_procs, far = (u64)s - (u64)in->procs;
    return near < sizeof in->near_procs ? (u32)(near / sizeof *s)
                                        : PROC_NEAR + (u32)(far / sizeof *s);
}

// The places of a process's record, in the order in which they are tried: one of those near by,
// which are used again soon, so that their memory is there and in the processor's caches; then any
// other.
#define PROC_PLACES (1 + PROC_SLOTS - PROC_NEAR)
static inline u32 proc_place(u32 tgid, u32 i)
{
    return i ? PROC_NEAR + (tgid + i - 1) % (PROC_SLOTS - PROC_NEAR) : tgid % PROC_NEAR;
}

// The record of a process of the instance, or NULL (lxcore's is proc_find()).
static inline struct proc_slot *proc_slot_of(struct instance *in, u32 tgid)
{
    for (u32 i = 0; i < PROC_PLACES; i++) {
        struct proc_slot *s = proc_slot_at(in, proc_place(tgid, i));
        u32 seen = __atomic_load_n(&s->tgid, __ATOMIC_ACQUIRE);
        if (seen == tgid)
            return s;
        if (!seen)
            return NULL;
    }
    return NULL;
}

// Frees a record that had that head, unless it is another's by now. was: whose it is to be from
// then on, for what outlives a process.
static inline void proc_free(struct instance *in, struct proc_slot *s, u64 head, u32 was)
{
    u64 freed = (u64)was << 32 | PROC_FREED;
    if (__atomic_compare_exchange_n(&s->head, &head, freed, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED) &&
        proc_slot_index(in, s) >= PROC_NEAR)
        __atomic_fetch_sub(&in->far_procs, 1, __ATOMIC_RELEASE);
}

// The byte of its program.
static inline u8 *proc_text_at(struct instance *in, u32 index)
{
    return index < PROC_NEAR ? &in->near_text[index] : &in->far_text[index - PROC_NEAR];
}

static inline struct exec_state *exec_state_at(struct instance *in, u32 index)
{
    return index ? &in->execs[index - 1] : &in->exec_first;
}

// The index of what the process has on its way, EXECS for nothing.
static inline u32 exec_find(const struct instance *in, u32 tgid)
{
    u32 i = 0;
    while (i < EXECS && __atomic_load_n(&in->exec_owners[i], __ATOMIC_ACQUIRE) != tgid)
        i++;
    return i;
}

#endif
