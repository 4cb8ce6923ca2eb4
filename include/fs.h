// SPDX-License-Identifier: MIT
// Files: from guest paths to host ones, and what they are to the guest. The chapter is
// docs/files.md. Descriptors: files.h; owner, mode and type of inodes: metadata.h; what is
// particular in /proc: procfs.h.
//
// Containment rule (invariant): every host call on a path is either openat2 with RESOLVE_BENEATH |
// RESOLVE_NO_SYMLINKS, or one component, not followed, in a directory that such a call opened (or
// that the guest itself holds open). Path text alone never decides where a call goes. Hosts without
// openat2 have the second form alone (fs/openwalk.c).
#ifndef LX_FS_H
#define LX_FS_H

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "files.h"
#include "instance.h"
#include "metadata.h"
#include "task.h"
#include "types.h"

// ---- Mounts (fs/mount.c) ----

static inline struct mount_entry *mount_at(struct task *t, int m)
{
    return &t->instance->mounts[m];
}
// Descriptor of the root directory of mount m in this process (one of the reserved; not to be
// closed), or -errno: it cannot be opened. mount_root_open() is for the first time that the process
// asks for it.
int mount_root_open(struct task *t, int m);
static inline int mount_root_fd(struct task *t, int m)
{
    return t->files->mount_id[m] == mount_at(t, m)->id ? t->files->reserved + RESERVED_MOUNT + m
                                                       : mount_root_open(t, m);
}
// The root of the tmpfs that e->holder holds, as a temporary (fs/limited.c).
long limited_open(struct task *t, const struct mount_entry *e);
// Is a path below the root of mount m the same one on the host? Not in /proc and in an overlay; and
// not in a drive whose names are not the guest's, or are found without regard to case.
static inline bool mount_is_plain(struct task *t, int m)
{
    const struct mount_entry *e = mount_at(t, m);
    return e->type != FS_PROC && e->type != FS_OVERLAY && !e->drive.nocase && !e->drive.names;
}
// The first live mount from m on; MOUNTS_MAX: no more. Entries of others are not touched: each is
// pages that a process has to be given.
int mount_next(struct task *t, int m);
// Is *st, as the host sees it, the root of mount m?
bool mount_is_root(struct task *t, int m, const struct statx *st);
// The mount that a path from the instance's root (normalised, with or without the slash that it
// begins with) lies in by its text, and where the rest begins. For a path that crosses symlinks the
// answer means nothing.
int mount_of_path(struct task *t, const char *path, const char **rest);
// The part of such a path below the mount point of mount m by their texts, or NULL.
const char *mount_rest(struct task *t, int m, const char *path);
// What is mounted at `path`, a place in mount m, with nothing but that looked at; m: nothing is.
int mount_on(struct task *t, int m, const char *path);
// Is name (n bytes) the last component of any mount point? Without one on it, a relative path
// cannot cross into a mount.
bool mount_name_is_point(struct task *t, const char *name, size_t n);
// Is m a mount of the caller's namespace?
bool mount_is_live(struct task *t, int m);
// Flags of mount m as namespace ns has them (mount_entry.flags), and the caller's.
static inline u32 mount_flags_in(struct task *t, int m, u32 ns)
{
    const struct mount_entry *e = mount_at(t, m);
    u32 apart = __atomic_load_n(&e->apart, __ATOMIC_ACQUIRE);
    return __atomic_load_n(apart >> ns & 1 ? &e->own_flags[ns] : &e->flags, __ATOMIC_RELAXED);
}
static inline u32 mount_flags(struct task *t, int m)
{
    return mount_flags_in(t, m, t->fs->mnt_ns);
}

// ---- Namespaces (fs/namespaces.c) ----

// New ones like the caller's, of the kinds in flags (CLONE_NEWNS, CLONE_NEWUTS): for the caller
// (unshare(2)), whose fsctx is his alone, or -errno. -EPERM: he may not.
long namespaces_unshare(struct task *t, u64 flags);
// Before and behind the clone(2) of a child that gets such ones, q->ns.
struct clone_request;
long namespaces_before_clone(struct task *t, struct clone_request *q);
void namespaces_behind_clone(struct task *t, const struct clone_request *q);
// Ends those in which nobody is any more.
void namespaces_collect(struct task *t);

// What uname(2) tells the caller.
static inline struct new_utsname *uts_of(struct task *t)
{
    return t->uts_ns ? &t->instance->uts_in[t->uts_ns] : &t->instance->uts;
}

// ---- The task's root (fs/where.c) ----

// rel in a mount becomes it (chroot(2)). The directory is held open.
void root_set(struct task *t, int mount, const char *rel);
// The root of mount `new` becomes the root, and the working directory, of all in the caller's
// namespace who have that of `old` (pivot_root(2)): of the caller at once. -errno: it cannot be
// opened.
long root_pivot(struct task *t, int old, int new);
// Its path in t->fs becomes what it is now, if it may be another. Nothing to do without chroot.
void root_look_again(struct task *t);
static inline bool root_is_covered(const struct task *t)
{
    return t->instance->root_covered >> t->fs->mnt_ns & 1;
}
static inline void root_look(struct task *t)
{
    if (t->fs->root[0] || t->fs->root_mount || root_is_covered(t))
        root_look_again(t);
}

// ---- Where a path leads (fs/path.c) ----

// Where a guest path leads: to a path without symlinks (a "way" in comments), below a descriptor.
// That is what host calls are made with. path_walk() fills it in, loc_done() ends it.
struct loc {
    s32 mount;        // index in the mount table
    s32 base;         // descriptor that rel starts from: mount root, guest directory, AT_FDCWD
    bool must_be_dir; // the path ended in a slash, or in "." or ".."
    bool dots;        // it ended in "." or ".."
    bool walked;      // by the slow walk: no component of rel was a symlink; else that is not known
    bool object;      // by the link in /proc of a descriptor: a symlink at its end is itself meant
    bool held;        // base is itself meant, by the link in /proc of a descriptor of the caller's
    bool by_proc;     // a link of /proc was followed: for another process the path is another
    bool pinned;      // base is a temporary of the walk's: loc_done() closes it
    u8 kept;          // dir_kept() for the directory of the last component: loc_done() releases it
    u8 over;          // in an overlay: in which layer it is (overlay.h)
    u16 over_mode;    // host mode of what was found there, or is held
    u32 dirs_seen;    // of a slow walk: dirs_changes() when it began
    u16 last;         // 1 + where the last name begins in rel; 0: to be looked for
    u32 hash;         // with `last`, its name_hash()
    char rel[LX_PATH_MAX]; // "" is base itself; no leading or trailing slash, no ".."
};

enum {
    WALK_FOLLOW = 1, // follow a symlink in the last component
    WALK_EMPTY = 2,  // "" means the descriptor (AT_EMPTY_PATH)
    WALK_SLOW = 4,   // do not trust the text: look for links
    WALK_NAME = 8,   // the last component is a name to be made, moved or removed: it need not
                     // exist, and is not followed even with a slash behind it
    // The limits of openat2(2).
    WALK_BENEATH = 16,
    WALK_IN_ROOT = 32,
    WALK_NO_SYMLINKS = 64,
    WALK_NO_XDEV = 128,
    WALK_NO_MAGIC = 256,
    WALK_TEXT = 512,       // path_walk's own: behind a link at the beginning, trust the text again
    WALK_ABSENT = 2048,    // in an overlay: the last component need not be there
    WALK_LONG = 8192,      // in an overlay: nor need it be short enough to be there
    WALK_OBJECT = 1 << 14, // what the link in /proc of a descriptor of the caller's leads to is
                           // held by that, not by the path that it has now: loc->held
    WALK_LINK = 1 << 16,   // as often as path_put_link() has followed one before
    WALK_LATE = 1024, // path_parent: the caller looks at what it gets, and asks again for a link
    WALK_PROC_LOC = 4096, // path_parent: in /proc loc alone is wanted, the parent is not opened
    WALK_LIMITS = WALK_BENEATH | WALK_IN_ROOT | WALK_NO_SYMLINKS | WALK_NO_XDEV | WALK_NO_MAGIC,
};

// The slash before the last name, or NULL.
static inline char *loc_slash(struct loc *loc)
{
    return !loc->last ? strrchr(loc->rel, '/') : loc->last > 1 ? &loc->rel[loc->last - 2] : NULL;
}

// Finds where the guest path (lxcore's copy of it) leads, from dirfd. 0 or -errno. Without
// WALK_SLOW nothing is looked up when the text allows it: the later host call finds out, and says
// ELOOP when there is a symlink on the way; then walk again with WALK_SLOW. walk_again() decides
// that. loc_done() must follow success, except where path_parent() does it.
long path_walk(struct task *t, int dirfd, const char *path, int flags, struct loc *loc);
void loc_close(struct task *t, struct loc *loc);
static inline void loc_done(struct task *t, struct loc *loc)
{
    if (loc->pinned || loc->kept)
        loc_close(t, loc);
}
// Makes rel begin at the root of the mount, by the path that loc has now. 0 or -errno.
long loc_root(struct task *t, struct loc *loc);
static inline bool base_is_root(const struct task *t, int base)
{
    const struct files *f = t->files;
    return (u32)base - (u32)(f->reserved + RESERVED_MOUNT) < f->reserved_count - RESERVED_MOUNT;
}
// After a host call on loc said `result`: should it be tried again by a slow walk? Sets *flags. In
// an overlay it should also be when a directory was renamed meanwhile, for a place is its way
// there.
bool walk_may_be_slow(const struct loc *loc, int *flags, int *tries);
bool walk_was_moved(struct task *t, const struct loc *loc, int *tries);
static inline bool walk_again(struct task *t, const struct loc *loc, long result, int *flags,
                              int *tries)
{
    return (result == -ELOOP && walk_may_be_slow(loc, flags, tries)) ||
           (result == -ENOENT && loc->over && walk_was_moved(t, loc, tries));
}

// loc, which the text of path led to, shows to be a symlink that is to be followed: what it says
// takes the place of its name in path, which has LX_PATH_MAX bytes, and *flags counts it. False:
// the slow walk is to follow it (fs/parent.c).
bool path_put_link(struct task *t, struct loc *loc, int *flags, char *path);

// How a host call resolves a way inside a mount.
#define WALK_RESOLVE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

// ---- The last name of a path, in a pinned directory (fs/parent.c) ----

// The directory that the last component of loc lies in, pinned: held open, so that a rename of it
// changes nothing; and that component. One host call on (fd, name) does the work.
struct parent {
    s32 fd;         // directory; AT_FDCWD possible
    bool temporary; // fd is lxcore's temporary: parent_done() closes it
    bool pinned;    // so is base, which the loc had
    bool guests;    // fd itself is meant, a descriptor of the guest's: what one opened by O_PATH
                    // cannot do is EBADF
    u8 kept;        // fd is a directory that is kept open: parent_done() releases it,
    bool lent;      // unless the loc does
    s32 base;
    u8 over;          // as in struct loc
    u8 last;          // LAST_*, with WALK_NAME
    u32 hash;         // name_hash() of the name; 0: to be found
    const char *name; // one component inside loc->rel; "" when loc is base itself, or for last != 0
};
// The last component is a name, or one of those that cannot be made, moved or removed.
enum { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };
// Fills in p from loc, by a kept directory or an openat2(2). 0 or -errno; -ELOOP: see walk_again().
// parent_done() must follow success; loc has to stay, for name lies in it.
long parent_open(struct task *t, struct loc *loc, struct parent *p);
// path_walk and parent_open with the repeats that symlinks ask for: what most path calls begin
// with. 0 or -errno. parent_done() must follow success. The last component is never followed unless
// WALK_FOLLOW is set and it is a symlink.
long path_parent(struct task *t, int dirfd, const char *path, int flags, struct loc *loc,
                 struct parent *p);

// ---- Directories that are kept open (fs/dirs.c; docs/files.md, "Kept directories") ----

// One is known by a number, `kept`: 1 + its index in struct files; 0: none.

// What one is found by. path is the caller's.
struct dir_key {
    u64 hash; // 0: not to be kept
    u64 from; // struct kept_dir
    const char *path;
    size_t length;
    u32 generation;
};
// The first n bytes of loc->rel name a directory. If it is kept open, the descriptor is
// dir_fd(result), until dir_release(result); 0: it is not.
int dir_kept(struct task *t, const struct loc *loc, size_t n, struct dir_key *key);
static inline int dir_fd(const struct task *t, int kept)
{
    return t->files->reserved + RESERVED_DIR + kept - 1;
}
// Counts a user of it, or one less. Who has the descriptors alone needs no lock for that.
static inline u32 dir_count_user(const struct task *t, struct kept_dir *d, int n)
{
    return t->files->refs == 1 ? d->users += (u32)n
                               : __atomic_add_fetch(&d->users, (u32)n, __ATOMIC_ACQ_REL);
}
static inline void dir_release(struct task *t, int kept)
{
    dir_count_user(t, &t->files->dir[kept - 1], -1);
}
void parent_close(struct task *t, struct parent *p);
static inline void parent_done(struct task *t, struct parent *p)
{
    if (p->temporary || p->pinned)
        parent_close(t, p);
    if (p->kept && !p->lent)
        dir_release(t, p->kept);
    p->kept = 0;
}
// Is it worth keeping? Most are never asked for again: the first time is only noted.
bool dir_wanted(struct task *t, const struct dir_key *key);
// It has been opened as fd since, to be kept. As above; fd stays the caller's.
int dir_keep(struct task *t, const struct dir_key *key, int fd);
// Puts a copy of fd on the number of one that is not in use, dir_fd(result), for a call that may
// wait for another thread and must hold no temporary; dir_take_back() ends that. 0: all are in use.
int dir_lend(struct task *t, int fd);
void dir_take_back(struct task *t, int lent);
// inotify tells a guest of directory fd from now on: nobody keeps it open, or its removal would be
// told late.
void dirs_watch(struct task *t, int fd);
// Where there are new ones of these: what this process keeps is closed.
void dirs_let_go_all(struct task *t);
static inline void dirs_let_go_watched(struct task *t)
{
    if (t->files->watches_seen != __atomic_load_n(&t->instance->dir_watches, __ATOMIC_RELAXED))
        dirs_let_go_all(t);
}
// Owner, mode and inode of one as the guest sees them, if they are known. changes: what
// dir_attr_changes() was before they were looked up.
bool dir_attr_get(struct task *t, int kept, struct statx *st);
void dir_attr_put(struct task *t, int kept, u32 changes, const struct statx *st);
// Is it known to have no default ACL?
bool dir_no_acl(struct task *t, int kept);
void dir_no_acl_put(struct task *t, int kept, u32 changes);
// For a task whose search permission has to be asked for: the directory of loc's last component,
// kept open, if the task may search all on the way to it. -ENOENT: a directory on the way is
// missing, and those before it may be searched. 0: that must be asked for by a slow walk.
long dirs_may_search(struct task *t, struct loc *loc);
// The same for a loc of one name, or none: may the task search the directory that it begins at?
// False: that must be asked for by a slow walk.
bool dirs_may_search_base(struct task *t, const struct loc *loc);
// After a change of such an ACL, or of a directory's owner or mode.
static inline void dir_attr_changed(struct task *t)
{
    __atomic_fetch_add(&t->instance->dir_attr_changes, 1, __ATOMIC_ACQ_REL);
}
static inline u32 dir_attr_changes(const struct task *t)
{
    return __atomic_load_n(&t->instance->dir_attr_changes, __ATOMIC_ACQUIRE);
}
// What the image after execve starts with: its descriptors are the same.
void dirs_to_exec(struct task *t, struct kept_dir *dir);
// The working directory is another one. Where threads share it, it has no number while it changes:
// what one of them looks up by a number lies where that stands for.
void dirs_new_cwd(struct task *t);
static inline void dirs_no_cwd(struct task *t)
{
    __atomic_store_n(&t->fs->cwd_number, 0, __ATOMIC_SEQ_CST);
}
// A change by anybody else, on the host or in another instance, is seen after so many ns.
#define DIRS_KEPT_FOR 1000000000
// The clock that this is taken by, in nanoseconds.
u64 dirs_now(void);
// Around every rename and removal of a directory or symlink. removed: the name of a directory
// that is gone, or NULL.
void dirs_change_begin(struct task *t);
void dirs_change_end(struct task *t, const char *removed);
// How many there were.
static inline u32 dirs_changes(const struct task *t)
{
    return __atomic_load_n(&t->instance->dir_generation, __ATOMIC_ACQUIRE);
}
// Have there been more than *seen, which was dirs_changes()? It gets the number that it is now.
// Waits for one that is being made.
bool dirs_changed(struct task *t, u32 *seen);
// rmdir(2).
long dirs_rmdir(struct task *t, const struct parent *p);

// ---- Names that come to mean another inode (fs/names.c) ----

// All processes of the instance count the changes of names as they begin and as they end, by a hash
// of the name: so who has looked something up by name twice can tell that it was the same inode.

// Around every removal of a name, and every rename for both names; and around the look at whether
// anything has to be known of what is removed (fs/sidelink.c).
void name_change_begin(struct task *t, const struct parent *p);
void name_change_end(struct task *t, const struct parent *p);
// unlinkat(2) of p, so counted.
long name_unlink(struct task *t, const struct parent *p, int flags);
// How many changes of names with the hash of this one have begun. False: not all of them have
// ended.
bool name_changes_ended(struct task *t, const struct parent *p, struct name_watch *w);
// Waits until all that have begun, of whatever name, have ended; a second at most, for one that was
// killed never does.
void name_changes_wait(struct task *t);
// Before a first look at p in that mount, and after the last: has the name meant the same inode all
// the time? name_watch() false: there is no telling. What others than the instance change in the
// meantime, on the host, goes unseen.
bool name_watch(struct task *t, int mount, const struct parent *p, struct name_watch *w);
// Is it the instance alone that changes names there, and does p's directory stay what it is?
bool name_is_watched(const struct task *t, int mount, const struct parent *p);
static inline bool name_stayed(const struct task *t, const struct name_watch *w)
{
    return __atomic_load_n(&t->instance->name_changes[w->index].begun, __ATOMIC_ACQUIRE) ==
           w->count;
}
// Between a look at p and changes of what was seen there: keeps the name from coming to mean
// another inode until name_let_go(). w: of name_changes_ended() before the look. False: it may have
// meanwhile, or another thread that holds one of the same hash is stopped. Nobody is waited for
// before letting go.
bool name_hold(struct task *t, const struct parent *p, const struct name_watch *w);
void name_let_go(struct task *t, const struct parent *p, const struct name_watch *w);
// Those with the same index are counted together.
u32 name_changes_index(const struct parent *p);
// Around giving a finished regular file the name p; changes: of names with its hash, which the
// caller itself counts in between. Then name_is_own_file() tells that it still has it, if that was
// the last such one of this thread.
void name_own_begin(struct task *t, int mount, const struct parent *p, struct own_name *o);
void name_own_end(struct task *t, const struct own_name *o, u32 changes);
bool name_is_own_file(struct task *t, int mount, const struct parent *p);

// ---- Where paths of programs lead (fs/ways.c) ----

// What a path is found by, taken before it is looked up: what changes later is not in it.
struct way_key {
    const char *path; // the caller's; NULL: nothing is remembered of it
    size_t length;
    u32 dirs, mounts, links;
    u64 names[NAME_WORDS]; // of links that had been followed before
    struct known_way *entry;
};
// Is it known where path leads? Then way_text(w) is the way, from the root of mount 0.
bool way_known(struct task *t, const char *path, struct way_key *k, struct known_way *w);
static inline const char *way_text(const struct known_way *w)
{
    return w->text + strlen(w->text) + 1;
}
// The slow walk has found it at loc, a file.
void way_learn(struct task *t, const struct way_key *k, const struct loc *loc);
// A link of that name has been followed.
void way_link_followed(struct task *t, const char *name);
// What had that name is gone from it, and may have been a link: who removes what he has not looked
// at says so afterwards.
void way_name_removed(struct task *t, const char *name);

// ---- Names of places (fs/where.c) ----

// Host path of a descriptor. ("self" has none once the process's first thread has ended.)
#define FD_PATH "/proc/thread-self/fd/%d"
#define FD_PATH_SIZE 40

// Joins a and b with one slash where both are there; out may be a.
long path_join(char *out, size_t size, const char *a, const char *b);
// Path of (mount m, rel) from the instance's root.
long instance_path(struct task *t, int m, const char *rel, char *out, size_t size);
// Guest path of a host path (as /proc/self/fd links show it), relative to the task's root;
// -ENOENT when it lies outside every mount. *mount: its index, before the one to try first, or -1.
long path_found_to_guest(struct task *t, const char *host, int *mount, char *out, size_t n);
static inline long path_to_guest(struct task *t, const char *host, int prefer, char *out, size_t n)
{
    return path_found_to_guest(t, host, &prefer, out, n);
}
// The overlay that a mapped file with that host path is of, or -1.
int overlay_of_host_path(struct task *t, const char *host);
// The same for an open descriptor (AT_FDCWD: the working directory); keeps a " (deleted)" mark.
long path_of_fd(struct task *t, int fd, char *out, size_t n);
// The host's own path of a descriptor (AT_FDCWD: the working directory), as /proc links to it.
long host_link_of_fd(struct task *t, int fd, char *out, size_t n);
// *mount: what is remembered of fd, whose link has been read since temps_begin(). True: another
// thread is making a descriptor, maybe this, and has been given time; both are to be read again.
bool fd_mount_comes(struct task *t, int fd, int tries, int *mount);
// (mount, rel) of a directory descriptor; the way up for "..".
long loc_of_fd(struct task *t, int fd, struct loc *loc);
// The mount that fd was opened in; of one that came from elsewhere, which only its path tells, too.
// -1: none (a pipe, a socket, a memory file), or not known.
int mount_of_fd(struct task *t, int fd);
// Path of loc from the instance's root.
long instance_path_of_loc(struct task *t, const struct loc *loc, char *out, size_t n);
// Guest path of loc from the task's root.
long path_of_loc(struct task *t, const struct loc *loc, char *out, size_t n);

// ---- Permission (fs/access.c) ----

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };
// 0 or -EACCES: may the task's filesystem identity do that to an inode with these attributes?
long may_access(const struct cred *c, const struct statx *st, int want);
// May an entry with these attributes be removed from dir (sticky directories: inode(7))? 0, -EACCES
// or -EPERM.
long may_delete(const struct cred *c, const struct statx *dir, const struct statx *victim);
// True when the task passes every search and read check, so that none need be made.
static inline bool fs_unchecked(const struct cred *c)
{
    return cred_has_cap(c, 1 /* CAP_DAC_OVERRIDE */);
}
// And every check of whose it is.
static inline bool fs_may_all(const struct cred *c)
{
    return fs_unchecked(c) && cred_has_cap(c, 3 /* CAP_FOWNER */);
}

// Is it the task's, or does it not matter whose it is? (As Linux's function of that name.)
static inline bool inode_owner_or_capable(const struct cred *c, const struct statx *st)
{
    return c->fsuid == st->stx_uid || cred_has_cap(c, 3 /* CAP_FOWNER */);
}

// ---- Settings (fs/sysctl.c) ----

// The number in file `name` of the host's /proc, or `otherwise`.
long sysctl_number(struct task *t, const char *name, long otherwise);

// ---- Opening (fs/open.c, fs/openexec.c) ----

// open(2) in guest terms; how as openat2(2). Returns the descriptor. path, of LX_PATH_MAX bytes,
// may become what a link leads to.
long fs_open(struct task *t, int dirfd, char *path, const struct open_how *how);
// For execve: opens the program file for reading; *st gets its guest attributes, guest_path, if not
// NULL, its path.
long fs_open_exec(struct task *t, int dirfd, const char *path, int flags, struct statx *st,
                  char *guest_path, bool *nosuid);
// Would the host give a lease of `type` on the file of fd (fcntl(2): F_SETLEASE)? -EAGAIN: somebody
// has it open (of F_RDLCK: for writing); another error: there is no telling. Who opens it meanwhile
// breaks the lease, and then the kernel sends SIGIO, to lxrun's supervisor, which takes no notice;
// it would go to the guest, and kill it. He waits, or asks again (fs/open.c).
long file_lease(struct task *t, int fd, long type);

#endif
