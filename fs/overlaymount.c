// SPDX-License-Identifier: MIT
// mount -t overlay. Each layer, and the directory for work, has an entry in the mount table that no
// path leads to: so every process has its root open as it has those of mounts, and a layer stays
// what it was when its path is renamed.
#include <linux/mount.h>

#include "host.h"
#include "meta.h"
#include "overlay.h"

struct options {
    char text[LX_PATH_MAX];
    char *lower, *upper, *work;
    bool user;
};

static bool is_off(const char *option)
{
    static const char *const same_as_without[] = {
        "index=off",
        "xino=off",
        "xino=auto",
        "metacopy=off",
        "redirect_dir=off",
        "nfs_export=off",
        "redirect_dir=nofollow",
        "volatile",
    };
    for (size_t i = 0; i < ARRAY_LEN(same_as_without); i++)
        if (!strcmp(option, same_as_without[i]))
            return true;
    return str_starts(option, "uuid=") || mount_option_is_common(option, strlen(option));
}

// Cuts text at the first `end` without a backslash before it. What follows, or NULL.
static char *cut(char *text, char end)
{
    for (; *text && *text != end; text++)
        text += *text == '\\' && text[1];
    if (!*text)
        return NULL;
    *text = 0;
    return text + 1;
}

static void unescape(char *text)
{
    char *out = text;
    for (; *text; text++) {
        text += *text == '\\' && text[1];
        *out++ = *text;
    }
    *out = 0;
}

static long parse(const char *text, struct options *o)
{
    o->lower = o->upper = o->work = NULL;
    o->user = false;
    str_copy(o->text, text, sizeof o->text);
    for (char *at = o->text, *next; at; at = next) {
        next = cut(at, ',');
        if (str_starts(at, "lowerdir="))
            o->lower = at + 9;
        else if (str_starts(at, "upperdir="))
            o->upper = at + 9;
        else if (str_starts(at, "workdir="))
            o->work = at + 8;
        else if (!strcmp(at, "userxattr"))
            o->user = true;
        else if (*at && !is_off(at))
            return -EINVAL;
    }
    // Linux: fs/overlayfs/params.c and super.c. One layer alone is no overlay.
    if (!o->lower || !*o->lower || (o->upper && !o->work))
        return -EINVAL;
    return 0;
}

// The entry of a layer, or of a directory below it; its index.
static long add_layer(struct task *t, const struct place *at, const char *below)
{
    struct mount_entry e;
    long r = mount_view(t, &e, at->loc.mount, at->loc.rel);
    if (r >= 0)
        r = path_join(e.base_path, sizeof e.base_path, e.base_path, below);
    if (r < 0)
        return r;
    e.type = FS_LAYER;
    e.below = 0;
    e.options[0] = e.point[0] = 0;
    return mount_add(t, &e);
}

static long find_layer(struct task *t, char *path, struct place *at)
{
    unescape(path);
    long r = place_find(t, path, WALK_FOLLOW, at);
    if (r < 0)
        return r;
    u32 type = mount_at(t, at->loc.mount)->type;
    if (!place_is_dir(at))
        return -ENOTDIR;
    return meta_is_kept(t, at->loc.mount) && mount_is_plain(t, at->loc.mount) && type != FS_DEVFS
               ? 0
               : -EINVAL;
}

// As Linux does: what is there by that name and is no directory goes.
static long make_work(int fd)
{
    struct parent p = {.fd = fd, .name = "work"};
    struct statx st;
    long r = HOST3(__NR_mkdirat, fd, p.name, 0700);
    if (r != -EEXIST)
        return r;
    r = host_statx(fd, p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);
    if (r < 0 || (st.stx_mode & S_IFMT) == S_IFDIR)
        return r;
    r = HOST3(__NR_unlinkat, fd, p.name, 0);
    if (r < 0)
        return r;
    if (meta_by_name(st.stx_mode))
        meta_name_drop(&p);
    return HOST3(__NR_mkdirat, fd, p.name, 0700);
}

static long add_upper(struct task *t, struct mount_entry *e, const struct options *o)
{
    struct place up, work;
    long r = find_layer(t, o->upper, &up);
    if (r >= 0)
        r = find_layer(t, o->work, &work);
    if (r < 0)
        return r;
    if (up.loc.mount != work.loc.mount || place_is_below(&up, &work) ||
        place_is_below(&work, &up) || (mount_flags(t, up.loc.mount) & MS_RDONLY))
        return -EINVAL;
    struct parent p;
    r = parent_open(t, &work.loc, &p);
    if (r < 0)
        return r;
    long fd = temp_open(t, p.fd, *p.name ? p.name : ".", O_PATH | O_DIRECTORY, WALK_RESOLVE);
    r = fd < 0 ? fd : make_work((int)fd);
    if (fd >= 0)
        temp_close(t, (int)fd);
    parent_done(t, &p);
    if (r < 0)
        return r;
    r = add_layer(t, &up, "");
    if (r < 0)
        return r;
    e->top = (s32)r;
    e->has_upper = 1;
    r = add_layer(t, &work, "work");
    if (r >= 0)
        e->work = (s32)r;
    return r < 0 ? r : 0;
}

// What killed processes have left in the directory for work. The name begins with its maker's
// number (fs/overlayup.c: overlay_work_name).
static bool is_left(const char *name)
{
    const char *s = name;
    u32 tid;
    return attr_number(&s, 10, '-', &tid) && host_kill(tid, 0) == -ESRCH;
}

// A directory has no more in it than whiteouts.
static void remove_left(struct task *t, int dir, bool below)
{
    char buf[2048] __attribute__((aligned(8)));
    long n;
    while ((n = HOST3(__NR_getdents64, dir, buf, sizeof buf)) > 0) {
        for (long at = 0; at < n;) {
            const struct dirent64 *e = (const void *)(buf + at);
            struct parent p = {.fd = dir, .name = e->name};
            at += e->reclen;
            if (!strcmp(e->name, ".") || !strcmp(e->name, "..") || (!below && !is_left(e->name)))
                continue;
            if (!below && e->type == DT_DIR) {
                long fd = temp_open(t, dir, e->name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
                if (fd < 0)
                    continue;
                remove_left(t, (int)fd, true);
                temp_close(t, (int)fd);
                HOST3(__NR_unlinkat, dir, e->name, AT_REMOVEDIR);
            } else if (HOST3(__NR_unlinkat, dir, e->name, 0) >= 0) {
                meta_name_drop(&p);
            }
        }
    }
}

static void clean_work(struct task *t, int work)
{
    int root = mount_root_fd(t, work);
    long fd = root < 0 ? root : temp_open(t, root, ".", O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return;
    remove_left(t, (int)fd, false);
    temp_close(t, (int)fd);
}

static long add_lowers(struct task *t, struct mount_entry *e, char *list)
{
    struct place at;
    int count = 0;
    for (char *next; list; list = next, count++) {
        next = cut(list, ':');
        long r = find_layer(t, list, &at);
        if (r >= 0)
            r = add_layer(t, &at, "");
        if (r < 0)
            return r;
        s32 *link = &e->top;
        while (*link)
            link = &mount_at(t, *link)->below;
        *link = (s32)r;
    }
    return !e->has_upper && count < 2 ? -EINVAL : 0;
}

// Takes the look of its top layer; flags and point are the caller's.
static void become_overlay(struct task *t, struct mount_entry *e)
{
    struct mount_entry layers = *e;
    *e = *mount_at(t, layers.top);
    e->type = FS_OVERLAY;
    e->top = layers.top;
    e->work = layers.work;
    e->below = 0;
    e->viewed = 0;
    e->has_upper = layers.has_upper;
    e->userxattr = layers.userxattr;
    e->locked = layers.has_upper ? 0 : MS_RDONLY; // nowhere to write to
    struct statx st;
    int root = mount_root_fd(t, e->top);
    e->top_dev =
        root >= 0 && host_statx(root, "", AT_EMPTY_PATH, STATX_INO, &st) >= 0 ? device_of(&st) : 0;
    e->marked_dev = 0; // the layers may come from anywhere
    memset(&e->drive, 0, sizeof e->drive);
}

long overlay_make(struct task *t, struct mount_entry *e, const char *options)
{
    struct options o;
    long r = parse(options, &o);
    if (r < 0)
        return r;
    e->top = e->work = 0;
    e->has_upper = 0;
    e->userxattr = o.user;
    if (o.upper)
        r = add_upper(t, e, &o);
    if (r >= 0)
        r = add_lowers(t, e, o.lower);
    if (r < 0) {
        overlay_discard(t, e);
        return r;
    }
    if (o.upper)
        clean_work(t, e->work);
    become_overlay(t, e);
    str_copy(e->options, options, sizeof e->options);
    return 0;
}

void overlay_discard(struct task *t, const struct mount_entry *e)
{
    for (s32 layer = e->top, next; layer; layer = next) {
        next = mount_at(t, layer)->below;
        mount_end(t, layer);
    }
    if (e->work)
        mount_end(t, e->work);
}

// A copy of layer `from`, of the directory rel in it.
static long copy_layer(struct task *t, int from, const char *rel)
{
    struct mount_entry e = *mount_at(t, from);
    long r = path_join(e.base_path, sizeof e.base_path, e.base_path, rel);
    e.below = 0;
    return r < 0 ? r : mount_add(t, &e);
}

long overlay_view(struct task *t, struct mount_entry *e, int m, const char *rel)
{
    s32 parts[MOUNTS_MAX];
    const struct mount_entry *from = mount_at(t, m);
    struct mount_entry new = {.userxattr = from->userxattr, .has_upper = from->has_upper};
    u32 flags = mount_flags(t, m) & MOUNT_KEPT;
    // What is changed in the view is changed in the same upper layer.
    long r = from->has_upper ? overlay_up_dir(t, m, rel) : 0;
    int n = r < 0 ? 0 : overlay_parts(t, m, rel, parts);
    if (!n)
        return r < 0 ? r : -EINVAL;
    s32 *link = &new.top;
    for (int i = 0; i < n && r >= 0; i++) {
        r = copy_layer(t, parts[i], rel);
        if (r >= 0) {
            *link = (s32)r;
            link = &mount_at(t, *link)->below;
        }
    }
    if (r >= 0 && from->work) {
        r = copy_layer(t, from->work, "");
        if (r >= 0)
            new.work = (s32)r;
    }
    if (r < 0) {
        overlay_discard(t, &new);
        return r;
    }
    *e = new;
    become_overlay(t, e);
    e->viewed = from->viewed ? from->viewed : from->id;
    e->flags = flags;
    str_copy(e->source, from->source, sizeof e->source);
    str_copy(e->options, from->options, sizeof e->options);
    return 0;
}
