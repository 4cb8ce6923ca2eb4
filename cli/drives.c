// SPDX-License-Identifier: MIT
// What is shown of the host's own files: -b, and the lines of type drvfs in the guest's /etc/fstab.
// The guest can write that file, so a line can only name what a -b names, or what lies in it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fail.h"
#include "launch.h"
#include "root.h"

// Those that are not the file system's; mount(8).
static const struct {
    const char *name;
    u32 set, clear;
} common[] = {
    {"ro", MS_RDONLY, 0},   {"rw", 0, MS_RDONLY}, {"nosuid", MS_NOSUID, 0}, {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0}, {"dev", 0, MS_NODEV}, {"noexec", MS_NOEXEC, 0}, {"exec", 0, MS_NOEXEC},
    {"defaults", 0, 0},     {"auto", 0, 0},       {"nofail", 0, 0},         {"noatime", 0, 0},
    {"relatime", 0, 0},     {"_netdev", 0, 0},
};

static bool is_common(const char *option, size_t n, u32 *flags)
{
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
        if (strlen(common[i].name) != n || memcmp(common[i].name, option, n) != 0)
            continue;
        *flags = (*flags & ~common[i].clear) | common[i].set;
        return true;
    }
    return n > 2 && !memcmp(option, "x-", 2); // for programs, not for mount(2)
}

// What the guest has written, for a terminal: it is not to have that do anything.
static char *shown(const char *text, size_t n)
{
    char *copy = must_format("%.*s", (int)n, text);
    for (char *s = copy; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            *s = '?';
    return copy;
}

// Reads "a,b=c,..."; what is not for *flags stays in text. NULL, or what is wrong with it.
static char *parse(char *text, u32 *flags, struct drive *d)
{
    char *out = text, *o = text, *next;
    do {
        next = strchr(o, ',');
        size_t n = next ? (size_t)(next++ - o) : strlen(o);
        if (!n || is_common(o, n, flags))
            continue;
        int r = drive_option(d, o, n);
        if (r != DRIVE_SET)
            return must_format("'%s' is no option of it", shown(o, n));
        if (out != text)
            *out++ = ',';
        memmove(out, o, n);
        out += n;
    } while ((o = next));
    *out = 0;
    return NULL;
}

static bool is_windows(int fd)
{
    struct statfs fs;
    struct stat st;
    return !fstatfs(fd, &fs) && !fstat(fd, &st) &&
           drive_is_windows((u64)fs.f_type, major(st.st_dev));
}

static void add_drive(struct launch *l, int fd, const struct drive *d, u32 flags, const char *point,
                      const char *source, const char *options)
{
    u32 type = d->on && !d->metadata ? FS_DRIVE : FS_DRVFS;
    struct drive *drive = &add_mount(l, fd, type, flags, point, source, options)->drive;
    *drive = *d;
    if (d->names == NAMES_AUTO)
        drive->names = is_windows(fd) ? NAMES_WINDOWS : NAMES_EXACT;
    l->memory->has_drives |= d->on;
}

static bool is_place_of_drives(const char *point)
{
    return !strncmp(point, "/mnt/", 5) && !strchr(point + 5, '/');
}

static void add_bind(struct launch *l, const struct bind_option *b)
{
    struct stat st;
    struct drive d = {.uid = l->user.uid, .gid = l->user.gid, .names = NAMES_AUTO};
    char point[LX_PATH_MAX];
    u32 flags = 0;
    char *host = realpath(b->host, NULL), *options = must_format("%s", b->options);
    int fd = host ? open(host, O_PATH | O_CLOEXEC) : -1;
    if (fd < 0 || fstat(fd, &st))
        fail_errno("-b %s", b->host);
    char *wrong = parse(options, &flags, &d);
    if (wrong)
        fail("-b %s: %s", b->host, wrong);
    make_point(l, b->guest ? b->guest : host, S_ISDIR(st.st_mode), point);
    if (!strcmp(point, "/"))
        fail("-b %s: the root directory is set with --root", b->host);
    d.on |= is_place_of_drives(point);
    add_drive(l, fd, &d, flags, point, host, options);
    free(host);
    free(options);
}

// ---- /etc/fstab ----

// Opens the host's directory `path` below what a -b shows; *flags: that mount's.
static int open_shown(const struct launch *l, int binds, const char *path, u32 *flags)
{
    int best = -1;
    size_t best_len = 0;
    for (int m = 0; m < l->mounts; m++) {
        const struct mount_entry *e = &l->memory->mounts[m];
        size_t n = strcmp(e->source, "/") ? strlen(e->source) : 0;
        if (m < binds || strncmp(path, e->source, n) != 0 || (path[n] && path[n] != '/') ||
            (best >= 0 && n < best_len))
            continue;
        best = m;
        best_len = n;
    }
    errno = ENOENT;
    if (best < 0)
        return -1;
    path += best_len;
    while (*path == '/')
        path++;
    *flags = l->memory->mounts[best].locked;
    return root_open_beneath(l->mount_fd[best], path, O_PATH | O_DIRECTORY);
}

static void add_line(struct launch *l, int binds, const struct mntent *line)
{
    struct drive d = {.on = 1, .uid = l->user.uid, .gid = l->user.gid, .names = NAMES_AUTO};
    char point[LX_PATH_MAX], *options = must_format("%s", line->mnt_opts);
    u32 locked = 0, flags = 0;
    char *wrong = parse(options, &flags, &d);
    int fd = wrong ? -1 : open_shown(l, binds, line->mnt_fsname, &locked);
    char *dir = shown(line->mnt_dir, strlen(line->mnt_dir));
    char *source = shown(line->mnt_fsname, strlen(line->mnt_fsname));
    if (wrong)
        fprintf(stderr, "lxrun: /etc/fstab: %s: %s\n", dir, wrong);
    else if (fd < 0)
        fprintf(stderr, "lxrun: /etc/fstab: %s: %s: only what is shown by -b can be mounted\n", dir,
                source);
    free(dir);
    free(source);
    free(wrong);
    if (fd >= 0) {
        make_point(l, line->mnt_dir, true, point);
        add_drive(l, fd, &d, flags | locked, point, line->mnt_fsname, options);
        l->memory->mounts[l->mounts - 1].locked = locked;
    }
    free(options);
}

static void add_fstab(struct launch *l, int binds)
{
    FILE *f = root_read(l->mount_fd[0], "etc/fstab");
    for (struct mntent *line; f && (line = getmntent(f));)
        if (!strcmp(line->mnt_type, "drvfs") && *line->mnt_dir == '/' && !hasmntopt(line, "noauto"))
            add_line(l, binds, line);
    if (f)
        fclose(f);
}

void drives_add(struct launch *l)
{
    int binds = l->mounts;
    for (size_t i = 0; i < l->options->nbinds; i++)
        add_bind(l, &l->options->binds[i]);
    if (l->options->root)
        add_fstab(l, binds);
}
