// SPDX-License-Identifier: MIT
// procfs: the host's /proc in the instance's terms (fs/procfs.c and fs/proc_*.c; docs/procfs.md).
// What a path call, an open or a look at attributes asks of it.
#ifndef LX_PROCFS_H
#define LX_PROCFS_H

#include "fs.h"

// Each gets rel inside /proc. lookup: -ENOENT for what is not the instance's.
long procfs_lookup(struct task *t, const char *rel);
// The same for a name at the end of a path that is not followed; whether it is there at all, the
// host says. room is for its text.
long procfs_is_seen(struct task *t, const char *rel, char room[LX_PATH_MAX]);
// Is rel the name of descriptor fd in a directory of the caller's own descriptors?
bool procfs_shows(struct task *t, const char *rel, int fd);
// Is it /proc/self/exe of a program whose file has no path and is RESERVED_PROGRAM?
bool procfs_is_own_program(struct task *t, const char *rel);
// Opens what the magic link rel, which is `name` in directory dirfd, leads to, as a place. What one
// of the caller's own descriptors is open on is in the mount that it was opened in, whichever
// others show it. Returns a temporary (temp_close()) or -errno.
long procfs_open_object(struct task *t, int dirfd, const char *name, const char *rel);
// Target of a link in /proc in guest terms. Returns its length; -EINVAL: not a link that is
// translated; -EXDEV: a magic link to something without a guest path (pipe, socket, deleted file):
// follow it natively; out then has the text to show, ended by 0.
long procfs_readlink(struct task *t, const char *rel, char *out, size_t n);
// A file whose content is made: returns a descriptor, or -ENOSYS for those served by the host.
// The task's permission is asked for.
long procfs_open(struct task *t, const char *rel, int flags);
// Why nobody can remove rel (which is *st, in a directory that the host shows as *dir): the errno.
long procfs_no_remove(struct task *t, const char *rel, struct statx *dir, const struct statx *st,
                      bool rmdir);
// Owner of files under /proc/PID in guest terms.
void procfs_stat(struct task *t, const char *rel, struct statx *st);
// The same of a descriptor, if it was opened in /proc; what procfs made is procfs_fstat()'s.
void procfs_stat_fd(struct task *t, int fd, struct statx *st);
// The way in /proc of what fd is open on, made files too: a text in *loc; NULL: it lies elsewhere.
const char *procfs_name_of_fd(struct task *t, int fd, struct loc *loc);
// Changes owner or mode of rel, which is *st to the guest, as far as that is ever done; the
// permission is the caller's matter. 0 or -EPERM.
long procfs_change(struct task *t, const char *rel, const struct statx *st,
                   const struct meta_change *c);
// Is it the host's own, of no process: in /proc, or in /sys? Nobody in the instance changes it.
bool procfs_is_hosts(struct task *t, const struct loc *loc);
// If fd, which has no name on the host, is a file that procfs made: *st becomes what its name in
// /proc shows, as long as that is there.
bool procfs_fstat(struct task *t, int fd, u32 mask, struct statx *st);
// fd is about to be read from its start: if procfs made the file, it becomes another, made now.
void procfs_made_anew(struct task *t, int fd);
// lseek(2), which may bring it there.
long procfs_lseek(struct task *t, int fd, long offset, u32 whence);
// Reads a file of the host's /proc of less than size bytes as text, below descriptor dir. Its
// length, or -errno.
long proc_text(struct task *t, int dir, const char *path, char *text, size_t size);
// May the task search the directory that the host shows as *st?
long procfs_may_search(struct task *t, const char *rel, struct statx *st);
// The number of the caller's own descriptor whose link or information rel is, or -1.
long procfs_own_fd(struct task *t, const char *rel);
// May this name be listed in directory rel of /proc? It becomes what the guest knows it by, which
// is no longer.
bool procfs_lists(struct task *t, const char *rel, char *name);
// The host's name of what the guest calls `name`, of n bytes, in directory dir of /proc, of len
// bytes, into 12 bytes: its length, or 0: the same.
size_t procfs_host_name(struct task *t, const char *dir, size_t len, const char *name, size_t n,
                        char *out);
// And back: the path of the host's below /proc becomes what the guest knows it by, which is no
// longer. Its length.
size_t procfs_guest_path(struct task *t, char *rel);

#endif
