// SPDX-License-Identifier: MIT
// Names of AF_UNIX sockets. The host keeps the name that a socket was bound to and shows it to the
// peer, so what lxcore binds must lead back to what the guest said.
//
// A pathname is bound as "/proc/thread-self/fd/DIR/NAME": the number of a record in the instance is
// written into it as redundant "/" and "/." (one bit each), which lookup skips. The record holds
// the guest's text. Beside its number stands a tag of the instance, so that another's socket in a
// shared directory is not mistaken for ours.
//
// An abstract name gets a prefix that keeps the roots apart; one that is too long for that is
// replaced by its hash, and has a record too.
//
// A record lives as long as any socket shows its name, accepted ones included: free ones are looked
// for in the host's list of sockets, but only when all are taken. Claims are one compare-and-swap.
#include "fs.h"
#include "host.h"
#include "unixsock.h"

#define SELF "/proc/thread-self"
#define ID_BITS 12
#define TAG_BITS 12
#define PREFIX 9 // "01234567:" or "01234567="
#define HASHED (PREFIX + 32)

_Static_assert(UNIX_NAMES == 1 << ID_BITS, "a number fits its bits");

static u32 instance_tag(struct task *t)
{
    return (u32)((t->instance->boot_ns * 0x9e3779b97f4a7c15UL) >> (64 - TAG_BITS));
}

static struct unix_name *record(struct task *t, long id)
{
    return &t->instance->unix_names[id];
}

static bool is_bound(const struct unix_name *n)
{
    return __atomic_load_n(&n->state, __ATOMIC_ACQUIRE) == UNIX_BOUND;
}

// ---- The number in a host name ----

int unix_name_encode(struct task *t, long id, int dirfd, const char *name, char *out, size_t size)
{
    char bits[2 * (ID_BITS + TAG_BITS) + 1], *p = bits;
    u32 v = (u32)id << TAG_BITS | instance_tag(t);
    for (int i = ID_BITS + TAG_BITS - 1; i >= 0; i--) {
        *p++ = '/';
        if (v >> i & 1)
            *p++ = '.';
    }
    *p = 0;
    if (dirfd == AT_FDCWD)
        return fmt(out, size, SELF "%s/cwd/%s", bits, name);
    return fmt(out, size, SELF "%s/fd/%d/%s", bits, dirfd, name);
}

// Reads the number back: -EINVAL when host is not such a name. *name: its last component.
static long decode(const char *host, u32 *tag, const char **name)
{
    u32 v = 0;
    if (!str_starts(host, SELF))
        return -EINVAL;
    const char *p = host + sizeof SELF - 1;
    for (int i = 0; i < ID_BITS + TAG_BITS; i++) {
        if (*p++ != '/')
            return -EINVAL;
        v = v << 1 | (*p == '.');
        p += *p == '.';
    }
    if (!str_starts(p, "/fd/") && !str_starts(p, "/cwd/"))
        return -EINVAL;
    *name = strrchr(p, '/') + 1;
    *tag = v & ((1u << TAG_BITS) - 1);
    return (long)(v >> TAG_BITS);
}

// ---- Abstract names ----

static u64 hash(const char *s, int n, u64 h)
{
    for (int i = 0; i < n; i++)
        h = (h ^ (u8)s[i]) * 0x100000001b3UL;
    return h ^ h >> 29;
}

void unix_hash_name(const char *name, int len, char out[33])
{
    fmt(out, 33, "%016lx%016lx", hash(name, len, 0xcbf29ce484222325UL),
        hash(name, len, 0x84222325cbf29ce4UL));
}

bool unix_abstract_is_long(int len)
{
    return len + PREFIX > UNIX_PATH_MAX;
}

int unix_abstract_to_host(struct task *t, const char *name, int len, char *out)
{
    char text[HASHED + 1];
    bool is_long = unix_abstract_is_long(len);
    fmt(text, sizeof text, "%08x%c", t->instance->abstract_prefix, is_long ? '=' : ':');
    out[0] = 0;
    if (is_long) {
        unix_hash_name(name, len, text + PREFIX);
        memcpy(out + 1, text, HASHED);
        return 1 + HASHED;
    }
    memcpy(out + 1, text, PREFIX);
    memcpy(out + 1 + PREFIX, name + 1, (size_t)len - 1);
    return len + PREFIX;
}

// The record of a long abstract name by the 32 digits of its hash.
static long find_hashed(struct task *t, const char *digits)
{
    char text[33];
    u32 top = t->instance->unix_top;
    for (u32 id = 0; id < top && id < UNIX_NAMES; id++) {
        struct unix_name *n = record(t, id);
        if (!is_bound(n) || n->path[0] || !unix_abstract_is_long((int)n->length))
            continue;
        unix_hash_name(n->path, (int)n->length, text);
        if (!memcmp(text, digits, 32))
            return id;
    }
    return -ENOENT;
}

// ---- Back to the guest ----

// Puts a path at the end of which the kernel counts a zero.
static int put_path(union address *a, const char *path, size_t n)
{
    memmove(a->un.sun_path, path, n);
    a->bytes[UNIX_PATH_AT + n] = 0;
    return (int)(UNIX_PATH_AT + n + 1);
}

static int abstract_to_guest(struct task *t, union address *a, int len)
{
    char prefix[PREFIX + 1], *name = a->un.sun_path;
    int n = len - (int)UNIX_PATH_AT;
    fmt(prefix, sizeof prefix, "%08x", t->instance->abstract_prefix);
    if (n < 1 + PREFIX || memcmp(name + 1, prefix, PREFIX - 1) != 0)
        return len; // the host's own
    if (name[PREFIX] == ':') {
        memmove(name + 1, name + 1 + PREFIX, (size_t)(n - 1 - PREFIX));
        return len - PREFIX;
    }
    if (name[PREFIX] != '=' || n != 1 + HASHED)
        return len;
    long id = find_hashed(t, name + 1 + PREFIX);
    if (id < 0)
        return len;
    memcpy(name, record(t, id)->path, record(t, id)->length);
    return (int)(UNIX_PATH_AT + record(t, id)->length);
}

static int path_to_guest_addr(struct task *t, union address *a, int len)
{
    char host[sizeof a->bytes], guest[LX_PATH_MAX];
    const char *name;
    u32 tag;
    size_t n = MIN((size_t)len - UNIX_PATH_AT, sizeof host - 1);
    memcpy(host, a->un.sun_path, n);
    host[n] = 0;
    long id = decode(host, &tag, &name);
    if (id >= 0) {
        struct unix_name *r = record(t, id);
        if (tag == instance_tag(t) && r->state && r->path[0])
            return put_path(a, r->path, r->length);
        return put_path(a, name, strlen(name)); // another instance's: its directory is not known
    }
    // Bound by the host: where the guest sees that file, if it does.
    if (host[0] != '/')
        return len;
    long r = path_to_guest(t, host, -1, guest, sizeof guest);
    return r > 0 && r <= UNIX_PATH_MAX ? put_path(a, guest, (size_t)r) : len;
}

int unix_addr_to_guest(struct task *t, union address *a, int len)
{
    if (len <= (int)UNIX_PATH_AT || len > (int)sizeof *a || a->family != 1 /* AF_UNIX */)
        return len;
    return a->un.sun_path[0] ? path_to_guest_addr(t, a, len) : abstract_to_guest(t, a, len);
}

// ---- Records ----

// Marks the records whose names stand in one line of /proc/net/unix.
static void mark_line(struct task *t, const char *line, u64 *used)
{
    const char *name, *text = strstr(line, " " SELF);
    char prefix[PREFIX + 3];
    u32 tag;
    long id = -ENOENT;
    if (text) {
        id = decode(text + 1, &tag, &name);
        if (id >= 0 && tag != instance_tag(t))
            id = -ENOENT;
    } else {
        fmt(prefix, sizeof prefix, " @%08x=", t->instance->abstract_prefix);
        text = strstr(line, prefix);
        if (text && strlen(text) >= 2 + HASHED)
            id = find_hashed(t, text + 2 + PREFIX);
    }
    if (id >= 0)
        used[id / 64] |= 1UL << id % 64;
}

// Frees the records that no socket shows any more.
static void collect(struct task *t)
{
    char buf[4096];
    u64 used[UNIX_NAMES / 64] = {0};
    u8 old[UNIX_NAMES / 8] = {0}; // bound before the list was read
    size_t have = 0;
    long n;
    for (u32 id = 0; id < UNIX_NAMES; id++)
        old[id / 8] |= (u8)(is_bound(record(t, id)) << id % 8);
    long fd =
        host_openat(reserved_fd(t, RESERVED_PROC), "thread-self/net/unix", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    while ((n = host_read((int)fd, buf + have, sizeof buf - 1 - have)) > 0) {
        have += (size_t)n;
        buf[have] = 0;
        char *line = buf, *end;
        for (; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            mark_line(t, line, used);
        }
        have = (size_t)(buf + have - line);
        if (have == sizeof buf - 1)
            have = 0; // no line is that long
        memmove(buf, line, have);
    }
    host_close((int)fd);
    for (u32 id = 0; !n && id < UNIX_NAMES; id++) {
        struct unix_name *r = record(t, id);
        u32 seen = __atomic_load_n(&r->state, __ATOMIC_RELAXED);
        bool dead = seen == UNIX_BOUND
                        ? (old[id / 8] >> id % 8 & 1) && !(used[id / 64] >> id % 64 & 1)
                        : seen && host_kill(seen, 0) == -ESRCH;
        if (dead)
            __atomic_compare_exchange_n(&r->state, &seen, 0, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED);
    }
}

long unix_name_claim(struct task *t, const char *path, size_t len)
{
    u32 *top = &t->instance->unix_top;
    for (int round = 0; round < 2; round++) {
        for (u32 id = 0; id < UNIX_NAMES; id++) {
            struct unix_name *n = record(t, id);
            u32 seen = __atomic_load_n(&n->state, __ATOMIC_RELAXED);
            if (seen || !__atomic_compare_exchange_n(&n->state, &seen, t->tid, false,
                                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
                continue;
            u32 was = __atomic_load_n(top, __ATOMIC_RELAXED);
            while (was <= id && !__atomic_compare_exchange_n(top, &was, id + 1, false,
                                                             __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
                ;
            n->length = (u32)len;
            memcpy(n->path, path, len);
            return id;
        }
        collect(t);
    }
    return -ENOMEM;
}

void unix_name_drop(struct task *t, long id)
{
    if (id >= 0)
        __atomic_store_n(&record(t, id)->state, 0, __ATOMIC_RELEASE);
}

void unix_name_bound(struct task *t, long id)
{
    if (id >= 0)
        __atomic_store_n(&record(t, id)->state, UNIX_BOUND, __ATOMIC_RELEASE);
}
