// SPDX-License-Identifier: MIT
// Descriptors: which are lxcore's own and where they stand, what the guest's are open on, temporary
// ones, and waiting for another thread that has one. docs/files.md, "Descriptors of lxcore's own".
#ifndef LX_FILES_H
#define LX_FILES_H

#include "instance.h"
#include "task.h"
#include "types.h"

// ---- Descriptors (fs/files.c) ----

static inline bool fd_is_reserved(const struct task *t, int fd)
{
    return (u32)fd - (u32)t->files->reserved < t->files->reserved_count;
}
// The same of a process of the instance.
bool fd_is_reserved_of(struct task *t, u32 tgid, int fd);
// How many descriptors of process tgid's are lxcore's: reserved, and of the caller's own process
// those that it has open for the moment.
u32 fd_count_hidden(struct task *t, u32 tgid);
static inline int reserved_fd(const struct task *t, int which)
{
    return t->files->reserved + which;
}
// Between these no other thread of the descriptor table holds temporary descriptors: for calls that
// put a descriptor on a chosen number or close ranges.
void files_exclusive_begin(struct task *t);
void files_exclusive_end(struct task *t);
// Moves the reserved block if the guest wants number fd for itself. Exclusive. 0, -EMFILE, or
// -EBADF for a number that is not below the guest's limit.
long files_make_room(struct task *t, int fd);
// Takes the numbers of the block up to that of mount m. False: they are in use.
bool files_reserve_mount(struct task *t, int m);
// The host's RLIMIT_NOFILE of process tgid becomes what the guest set; and setting the caller's.
struct rlimit64;
void files_limit_to_guest(struct task *t, u32 tgid, struct rlimit64 *l);
long files_set_limit(struct task *t, const struct rlimit64 *new);
// Are `count` descriptors more than that limit? If not, the host has so many, too.
bool files_beyond_limit(struct task *t, u64 count);
// The block leaves its low places: the host's limit becomes the guest's. For calls that go beyond
// the host's without an error, and before another process shares the descriptors.
void files_leave_low(struct task *t);
// It goes to the next low place, or leaves the last one.
void files_go_up(struct task *t);
// Where a temporary has no number: are there more numbers now, until the end of the call? Then it
// goes up (low_over).
bool files_low_room(struct task *t);
// After EMFILE, or what else a low limit gives: is the call to be made again, because the limit was
// the host's alone?
bool files_call_again(struct task *t);
// Remembers / forgets the mount of a descriptor; -1: not known, or none (a pipe, a socket).
void fd_set_mount(struct task *t, int fd, int mount);
int fd_mount(struct task *t, int fd);
// By its path it shows to be another than `was`: remembered, unless somebody was faster.
void fd_learn_mount(struct task *t, int fd, int was, int mount);
// Around a call that makes a descriptor in an overlay, until its mount is remembered: by its path
// alone it is one of the layer's. Nothing while the table has one user.
bool fd_making(struct task *t, int mount);
void fd_made(struct task *t, bool making);
// What the descriptor is open on, by a number that stands for nothing else in the instance; 0: none
// can be given, for another thread can put something else in its place.
u64 fd_number(struct task *t, int fd);
// Is the descriptor of that number still the same? False: there is no telling.
bool fd_number_stands(const struct task *t, u64 number);
static inline u64 instance_number(struct instance *in)
{
    return __atomic_add_fetch(&in->next_number, 1, __ATOMIC_RELAXED);
}
// Notes of a descriptor of the guest's that it was not opened by O_PATH; and, if that is known,
// that the host has a file or a directory there. They hold until the number is closed or another's;
// of high numbers, and while threads share them, nothing is noted.
void fd_note_open(struct task *t, int fd);
void fd_note_file(struct task *t, int fd);
bool fd_is_open(const struct task *t, int fd);
bool fd_is_file(const struct task *t, int fd);
// Known to have no path: a pipe, a socket, a memory file.
void fd_set_anonymous(struct task *t, int fd);
bool fd_is_anonymous(struct task *t, int fd);
// An inotify descriptor that tells of names as a drive maps them: so it is read by watch_read().
void fd_set_mapped_watch(struct task *t, int fd);
bool fd_is_mapped_watch(struct task *t, int fd);
// Descriptor `to` is a new one of what `from` is.
void fd_copied(struct task *t, int from, int to);

// ---- Temporary descriptors (fs/temps.c) ----

// Temporary descriptors of lxcore: opened and closed between these, so that another thread's dup2
// or close_range cannot put something else in their place. May nest; must not be held over a call
// that blocks on another guest thread (the open of a FIFO).
void temps_begin_shared(struct task *t);
void temps_end_shared(struct task *t);
static inline void temps_begin(struct task *t)
{
    if (!t->temps++ && t->files->refs != 1)
        temps_begin_shared(t);
}
static inline void temps_end(struct task *t)
{
    if (!--t->temps && (t->owns_spares || t->temps_counted))
        temps_end_shared(t);
}
// Opens one as openat2(2) with O_CLOEXEC, between temps_begin() and temps_end() of its own; also
// where the guest has no number left. Not for an open that may block. TEMP_QUEUE for dirfd: path is
// the name of a message queue, for mq_open(2).
#define TEMP_QUEUE (-2)
long temp_open(struct task *t, int dirfd, const char *path, u64 flags, u64 resolve);
void temp_close(struct task *t, int fd);
// The same temporary on a higher number, so that a descriptor that is made while it is held gets
// the lowest. -EMFILE: there is none.
long temp_raise(struct task *t, int fd);
// The same; where there is none, it gets a number of the reserved block.
long temp_lift(struct task *t, int fd);
// A number of the reserved block without a use is taken by a copy of another, or the kernel would
// give it to the guest.
long reserved_fill(struct task *t, int which);
// Gives back a reserved number that an open got, because it was free for a moment.
void reserved_return(struct task *t, int fd);
// A thread's claim on such a number; one that a thread died with is free.
bool reserved_claim(u32 *owner, u32 tid);
void reserved_release(u32 *owner);

// ---- Opening by a way without links (fs/openwalk.c) ----

// openat2(2) of a path that has no "..", and whose links are not followed (WALK_RESOLVE, or less
// for a single name), with what takes its place on hosts that have it not. Returns a descriptor,
// which has the lowest free number. May block. proc: the path begins at the root of /proc.
struct open_how;
long open_way(struct task *t, int dirfd, const char *path, const struct open_how *how, bool proc);
// The same of one name, in no task's name; resolve may be 0 and name any path then. Does not block.
long open_in(int dir, const char *name, const struct open_how *how);
// The directory that the last name of such a path lies in. Whoever gets one that is pinned closes
// it by temp_close().
struct pinned_way {
    s32 dir;          // dirfd, where it has one name
    bool pinned;      // else a temporary
    bool low;         // which has got the lowest free number, or may have
    const char *name; // that name; "." for a slash at the end
};
long pin_way(struct task *t, int dirfd, const char *path, struct pinned_way *w);

// ---- Waiting for other threads (fs/patience.c) ----

// Waits until such a word is this thread's, which it must not be yet. False: who has it is stopped,
// or this one and others wait for each other.
bool reserved_wait(struct task *t, u32 *owner);
// A step of a wait for what comes in a moment, mostly: yields at first, then sleeps.
void patience_step(u32 tries);

#endif
