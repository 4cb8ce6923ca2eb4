// SPDX-License-Identifier: MIT
// tmpfs mounts: a directory in the instance's store each, whose file system is the limit. With a
// limit of its own a mount is a tmpfs of the host's (fs/limited.c); where the host has none for us,
// the limit is shown and not kept to.
#include "attr.h"
#include "host.h"
#include "mounting.h"

struct option {
    const char *name;
    char value; // none, n(umber), o(ctal), s(ize), t(ext), h(uge pages, when)
};

static const struct option tmpfs_options[] = {
    {"size", 's'},  {"nr_blocks", 's'}, {"nr_inodes", 's'}, {"mode", 'o'},
    {"uid", 'n'},   {"gid", 'n'},       {"huge", 'h'},      {"mpol", 't'},
    {"inode32", 0}, {"inode64", 0},     {"noswap", 0},
};
static const struct option proc_options[] = {{"hidepid", 't'}, {"gid", 'n'}};
static const struct option devpts_options[] = {
    {"uid", 'n'}, {"gid", 'n'}, {"mode", 'o'}, {"ptmxmode", 'o'}, {"newinstance", 0}, {"max", 'n'},
};
// Of every file system (kernel: vfs_parse_sb_flag()).
static const struct option common_options[] = {
    {"ro", 0},   {"rw", 0},     {"sync", 0},     {"async", 0},      {"dirsync", 0},
    {"mand", 0}, {"nomand", 0}, {"lazytime", 0}, {"nolazytime", 0},
};

static bool number(const char *s, size_t n, u32 base, u64 *v)
{
    *v = 0;
    for (size_t i = 0; i < n; i++) {
        u32 letter = (u32)((s[i] | 0x20) - 'a');
        u32 digit = letter < 6 ? letter + 10 : (u32)(s[i] - '0');
        if (digit >= base || *v >> 60)
            return false;
        *v = *v * base + digit;
    }
    return n > 0;
}

// As kstrtouint() with base 0 and memparse() read it (kernel: lib/kstrtox.c, lib/cmdline.c).
static bool any_number(const char *s, size_t n, u64 *v)
{
    if (n > 2 && s[0] == '0' && (s[1] | 0x20) == 'x')
        return number(s + 2, n - 2, 16, v);
    return number(s, n, n > 1 && s[0] == '0' ? 8 : 10, v);
}

// Linux: mm/shmem.c, shmem_param_enums_huge.
static const char *const huge[] = {"never", "always", "within_size", "advise"};

static bool valid(const struct option *o, const char *value, size_t n, u64 *v)
{
    *v = 0;
    switch (o->value) {
    case 0:
        return !value;
    case 'n':
        return value && any_number(value, n, v) && *v < 0xffffffff; // that one is no uid
    case 'o':
        return value && number(value, n, 8, v) && *v <= 0xffffffff;
    case 's':
        if (value && n && strchr("kKmMgGtTpPeE%", value[n - 1]))
            n--;
        return value && any_number(value, n, v);
    case 'h':
        for (size_t i = 0; value && i < ARRAY_LEN(huge); i++)
            if (strlen(huge[i]) == n && !memcmp(huge[i], value, n))
                return true;
        return false;
    default:
        return value && n;
    }
}

static const struct option *find(const struct option *list, size_t count, const char *name,
                                 size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i].name) == n && !memcmp(list[i].name, name, n))
            return &list[i];
    return NULL;
}

bool mount_option_is_common(const char *option, size_t n)
{
    return find(common_options, ARRAY_LEN(common_options), option, n);
}

struct tmpfs_root {
    u32 mode, uid, gid;
    char limits[128]; // the options that the host's kernel is to keep to
};

static bool is_limit(const struct option *o)
{
    return o->value == 's';
}

static void add_limit(struct tmpfs_root *root, const char *text, size_t n)
{
    size_t at = strlen(root->limits);
    if (at + n + 2 > sizeof root->limits)
        return; // given so often that the others count
    if (at)
        root->limits[at++] = ',';
    memcpy(root->limits + at, text, n);
    root->limits[at + n] = 0;
}

// Reads "a,b=c,..."; what belongs to the root directory goes into *root.
static long parse(const struct option *list, size_t count, const char *text,
                  struct tmpfs_root *root)
{
    root->limits[0] = 0;
    while (*text) {
        size_t len = 0, n = 0;
        u64 v;
        while (text[len] && text[len] != ',')
            len++;
        while (n < len && text[n] != '=')
            n++;
        if (len) {
            const char *value = n < len ? text + n + 1 : NULL;
            const struct option *o = find(list, count, text, n);
            if (!o)
                o = find(common_options, ARRAY_LEN(common_options), text, n);
            if (!o || !valid(o, value, value ? len - n - 1 : 0, &v))
                return -EINVAL;
            if (!strcmp(o->name, "mode"))
                root->mode = v & 07777;
            else if (!strcmp(o->name, "uid"))
                root->uid = (u32)v;
            else if (!strcmp(o->name, "gid"))
                root->gid = (u32)v;
            else if (is_limit(o))
                add_limit(root, text, len);
        }
        text += len + (text[len] == ',');
    }
    return 0;
}

long mount_check_options(u32 type, const char *options)
{
    struct tmpfs_root root;
    struct drive drive;
    switch (type) {
    case FS_DRVFS:
    case FS_DRIVE:
        return drvfs_parse(options, &drive);
    case FS_TMPFS:
    case FS_DEVFS:
        return parse(tmpfs_options, ARRAY_LEN(tmpfs_options), options, &root);
    case FS_DEVPTS:
        return parse(devpts_options, ARRAY_LEN(devpts_options), options, &root);
    case FS_PROC:
        return parse(proc_options, ARRAY_LEN(proc_options), options, &root);
    default:
        return parse(NULL, 0, options, &root);
    }
}

static long made(struct task *t, const struct parent *p, const struct tmpfs_root *root)
{
    struct meta_new n = {.mode = S_IFDIR | root->mode, .uid = root->uid, .gid = root->gid};
    return meta_created(t, 0, p, &n);
}

// An attribute counts as an inode there, so what the host's mode can say, sticky too, it says.
static long own_root(struct task *t, const struct mount_entry *e, int fd,
                     const struct tmpfs_root *root)
{
    struct parent p = {.fd = fd, .name = "."};
    u32 mode = root->mode & 07777, host = meta_host_mode(S_IFDIR | mode) | (mode & S_ISVTX);
    bool told = !root->uid && !root->gid && mode == host && mode != UNFINISHED_DIR;
    long r = HOST3(__NR_fchmodat, fd, ".", told ? mode : host & 0777);
    if (r >= 0 && !told)
        r = made(t, &p, root);
    temp_close(t, fd);
    if (r < 0)
        limited_discard(t, e);
    return r;
}

static long make_in_store(struct task *t, struct mount_entry *e, const struct tmpfs_root *root)
{
    struct parent p = {.fd = reserved_fd(t, RESERVED_STORE), .name = e->base_path};
    fmt(e->base_path, sizeof e->base_path, "tmpfs-%u",
        __atomic_fetch_add(&t->instance->next_store_name, 1, __ATOMIC_RELAXED));
    struct statx store;
    if (host_statx(p.fd, "", AT_EMPTY_PATH, STATX_INO, &store) >= 0)
        e->marked_dev = device_of(&store);
    long r = HOST3(__NR_mkdirat, p.fd, p.name, meta_host_mode(root->mode) | 0700);
    return r < 0 ? r : made(t, &p, root);
}

// The option at the beginning of text, and the part of it that is its name.
static size_t length(const char *text, size_t *name)
{
    size_t n = 0;
    while (text[n] && text[n] != ',')
        n++;
    for (*name = 0; *name < n && text[*name] != '=';)
        ++*name;
    return n;
}

static void drop_option(char *options, const char *name, size_t n)
{
    size_t k;
    for (char *at = options; *at;) {
        size_t len = length(at, &k), next = len + (at[len] == ',');
        if (k == n && !memcmp(at, name, n))
            memmove(at, at + next, strlen(at + next) + 1);
        else
            at += next;
    }
    size_t end = strlen(options);
    if (end && options[end - 1] == ',')
        options[end - 1] = 0;
}

// /proc/mounts shows each option once, as it was given last: mount(8) gives those that it finds
// there again, before what is new.
static void add_options(char *options, size_t size, const char *text)
{
    size_t name;
    for (size_t len; *text; text += len + (text[len] == ',')) {
        len = length(text, &name);
        drop_option(options, text, name);
        size_t at = strlen(options);
        if (!len || at + len + 2 > size)
            continue;
        if (at)
            options[at++] = ',';
        memcpy(options + at, text, len);
        options[at + len] = 0;
    }
}

long tmpfs_change(struct task *t, struct mount_entry *e, const char *options)
{
    struct tmpfs_root root;
    long r = parse(tmpfs_options, ARRAY_LEN(tmpfs_options), options, &root);
    if (r < 0 || !root.limits[0])
        return r;
    // Without a limit at first there is nobody who could keep to one.
    r = e->base == BASE_HELD ? limited_change(t, e, root.limits) : -EINVAL;
    if (r >= 0)
        add_options(e->options, sizeof e->options, options);
    return r;
}

long tmpfs_make(struct task *t, struct mount_entry *e, const char *options)
{
    struct tmpfs_root root = {01777, t->cred.fsuid, t->cred.fsgid, ""};
    long r = parse(tmpfs_options, ARRAY_LEN(tmpfs_options), options, &root);
    if (r < 0)
        return r;
    e->type = FS_TMPFS;
    e->base = BASE_STORE;
    e->root_uid = t->instance->host_uid;
    e->root_gid = t->instance->host_gid;
    e->options[0] = 0;
    add_options(e->options, sizeof e->options, options);
    if (root.limits[0]) {
        r = limited_make(t, e, root.limits);
        if (r >= 0)
            return own_root(t, e, (int)r, &root);
        if (r == -EINVAL)
            return r; // a limit that the host does not understand
    }
    return make_in_store(t, e, &root);
}

// ---- Removal ----

// Empties directory `name` of the store: files go, directories become entries of the store
// themselves, numbered on from *count.
static void empty(struct task *t, int store, const char *name, u32 *count)
{
    char buf[4096] __attribute__((aligned(8))), to[40];
    // A temporary: else another thread's dup2 could put a directory of the guest's here.
    long n, fd = temp_open(t, store, name, O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return;
    bool gone = true;
    while (gone && (n = HOST3(__NR_getdents64, fd, buf, sizeof buf)) > 0) {
        gone = false;
        for (long at = 0; at < n;) {
            const struct dirent64 *d = (const void *)(buf + at);
            at += d->reclen;
            if (!strcmp(d->name, ".") || !strcmp(d->name, ".."))
                continue;
            long r = HOST3(__NR_unlinkat, fd, d->name, 0);
            if (r == -EISDIR) {
                fmt(to, sizeof to, "gone-%u-%u", t->tid, ++*count);
                r = HOST4(__NR_renameat, fd, d->name, store, to);
            }
            gone |= r >= 0;
        }
        HOST3(__NR_lseek, fd, 0, 0); // what was removed may have moved the rest
    }
    temp_close(t, (int)fd);
    HOST3(__NR_unlinkat, store, name, AT_REMOVEDIR);
}

void tmpfs_discard(struct task *t, const struct mount_entry *e)
{
    char name[40];
    int store = reserved_fd(t, RESERVED_STORE);
    u32 count = 0;
    if (e->base == BASE_HELD) {
        limited_discard(t, e);
        return;
    }
    // Flat, without recursion: deep trees must not need a deep stack.
    empty(t, store, e->base_path, &count);
    for (u32 i = 1; i <= count; i++) {
        fmt(name, sizeof name, "gone-%u-%u", t->tid, i);
        empty(t, store, name, &count);
    }
}
