// SPDX-License-Identifier: MIT
// /proc/PID/mounts, mountinfo and mountstats, from the instance's mount table (proc(5)). Mounts
// that the reader's root does not reach are left out, as Linux does.
#include <linux/mount.h>

#include "host.h"
#include "mounting.h"
#include "proc.h"

static const char *const type_names[] = {
    [FS_VOLFS] = "volfs", [FS_DRVFS] = "drvfs",    [FS_DRIVE] = "drvfs",
    [FS_TMPFS] = "tmpfs", [FS_DEVFS] = "devtmpfs", [FS_DEVPTS] = "devpts",
    [FS_PROC] = "proc",   [FS_SYSFS] = "sysfs",    [FS_OVERLAY] = "overlay",
};

static const char *type_name(const struct mount_entry *e)
{
    return e->type < ARRAY_LEN(type_names) && type_names[e->type] ? type_names[e->type] : "none";
}

// Text with what would split a line or a field written in octal.
static void put_escaped(struct proc_out *o, const char *text)
{
    for (; *text; text++) {
        if (strchr(" \t\n\\#", *text))
            proc_printf(o, "\\%03o", (unsigned)(u8)*text);
        else
            proc_put(o, text, 1);
    }
}

static void put_flags(struct proc_out *o, u32 flags)
{
    static const struct {
        u32 flag;
        const char *text;
    } names[] = {{MS_NOSUID, ",nosuid"},
                 {MS_NODEV, ",nodev"},
                 {MS_NOEXEC, ",noexec"},
                 {MS_NOATIME, ",noatime"},
                 {MS_NODIRATIME, ",nodiratime"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (flags & names[i].flag)
            proc_puts(o, names[i].text);
    if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
        proc_puts(o, ",relatime");
}

static void put_options(struct proc_out *o, const struct mount_entry *e)
{
    if (e->options[0]) {
        proc_puts(o, ",");
        put_escaped(o, e->options);
    }
}

// Where the reader sees mount m; false: it does not.
static bool seen_at(struct task *t, int m, char *path, size_t n)
{
    struct loc loc = {.mount = m, .base = mount_root_fd(t, m)};
    return loc.base >= 0 && path_of_loc(t, &loc, path, n) >= 0 && path[0] == '/';
}

// The live mount of namespace ns with the smallest id above `after`, -1 when there is none: the
// order of mounting.
static int next_mount(struct task *t, u32 ns, u32 after)
{
    int best = -1;
    for (u64 bits = mounts_of(t, ns); bits; bits &= bits - 1) {
        int m = __builtin_ctzl(bits);
        const struct mount_entry *e = mount_at(t, m);
        if (__atomic_load_n(&e->state, __ATOMIC_ACQUIRE) != MOUNT_LIVE || e->id <= after)
            continue;
        if (best < 0 || e->id < mount_at(t, best)->id)
            best = m;
    }
    return best;
}

typedef void put_mount(struct task *t, int m, u32 flags, const char *point, struct proc_out *o);

static long each_mount(struct task *t, const struct proc_path *pp, struct proc_out *o,
                       put_mount *put)
{
    char point[LX_PATH_MAX];
    u32 ns = proc_namespaces(t, pp).mnt;
    for (int m = -1; (m = next_mount(t, ns, m < 0 ? 0 : mount_at(t, m)->id)) >= 0;)
        if (seen_at(t, m, point, sizeof point))
            put(t, m, mount_flags_in(t, m, ns), point, o);
    return 0;
}

static void put_mounts_line(struct task *t, int m, u32 flags, const char *point, struct proc_out *o)
{
    const struct mount_entry *e = mount_at(t, m);
    put_escaped(o, e->source);
    proc_puts(o, " ");
    put_escaped(o, point);
    proc_printf(o, " %s ", type_name(e));
    proc_puts(o, flags & MS_RDONLY ? "ro" : "rw");
    put_flags(o, flags);
    put_options(o, e);
    proc_puts(o, " 0 0\n");
}

static void put_mountinfo_line(struct task *t, int m, u32 flags, const char *point,
                               struct proc_out *o)
{
    const struct mount_entry *e = mount_at(t, m);
    struct statx st = {0};
    host_statx(mount_root_fd(t, m), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);
    // The root's parent is a number that is not there, as in a mount namespace of its own.
    proc_printf(o, "%u %u %u:%u / ", e->id, e->parent >= 0 ? mount_at(t, e->parent)->id : 1,
                st.stx_dev_major, st.stx_dev_minor);
    put_escaped(o, point);
    proc_puts(o, mount_rdonly(flags) & MOUNT_OWN_RDONLY ? " ro" : " rw");
    put_flags(o, flags);
    proc_printf(o, " - %s ", type_name(e));
    put_escaped(o, e->source);
    proc_puts(o, mount_rdonly(flags) & MOUNT_FS_RDONLY ? " ro" : " rw");
    put_options(o, e);
    proc_puts(o, "\n");
}

static void put_mountstats_line(struct task *t, int m, u32 flags, const char *point,
                                struct proc_out *o)
{
    (void)flags;
    const struct mount_entry *e = mount_at(t, m);
    proc_puts(o, "device ");
    put_escaped(o, e->source);
    proc_puts(o, " mounted on ");
    put_escaped(o, point);
    proc_printf(o, " with fstype %s\n", type_name(e));
}

long proc_make_mounts(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    return each_mount(t, pp, o, put_mounts_line);
}

long proc_make_mountinfo(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    return each_mount(t, pp, o, put_mountinfo_line);
}

long proc_make_mountstats(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    return each_mount(t, pp, o, put_mountstats_line);
}
