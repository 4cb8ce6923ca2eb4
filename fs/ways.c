// SPDX-License-Identifier: MIT
// Where the paths of programs lead: an execve mostly follows the same few links as the one before
// (/bin, /lib64, that of the interpreter), in a process that has looked nothing up yet. So the
// instance remembers what the slow walk found, and a program is opened by one host call.
//
// A way without links from the root of the instance's tree stands for an absolute path (but one
// that leads through /proc, as /proc/self/exe) of a task that sees that root and may search every
// directory. It does so until a directory or a link is renamed or removed, or something is mounted:
// the rules of kept directories (fs/dirs.c), and their limit in time for changes by others. The
// host resolves the way as ever, beneath the tree's root and without links; what it opens is looked
// at before it is used.
//
// Entries are written without a lock, by several processes at once; what was torn has a wrong sum.
#include <linux/time.h>

#include "fs.h"
#include "host.h"

static u64 now(void)
{
    // Not by the vDSO: for a new process that is a page fault, which costs more.
    struct __kernel_timespec ts;
    HOST2(__NR_clock_gettime, CLOCK_MONOTONIC_COARSE, &ts);
    return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static u64 hash_of(const void *p, size_t n)
{
    u64 h = n, word;
    const char *s = p;
    for (; n >= sizeof word; s += sizeof word, n -= sizeof word) {
        __builtin_memcpy(&word, s, sizeof word);
        h = (h ^ word ^ h >> 32) * 0x9e3779b97f4a7c15UL;
    }
    for (word = 0; n; n--)
        word = word << 8 | (u8)s[n - 1];
    h = (h ^ word ^ h >> 32) * 0xff51afd7ed558ccdUL;
    return (h ^ h >> 29) | 1; // never that of an entry of zeros
}

static u64 sum(const struct known_way *w)
{
    return hash_of(&w->found, sizeof *w - offsetof(struct known_way, found));
}

static bool key_of(struct task *t, const char *path, struct way_key *k)
{
    struct instance *in = t->instance;
    k->path = NULL;
    if (!in->keeps_dirs || path[0] != '/' || t->fs->root_mount != 0 || t->fs->root[0] ||
        t->fs->mnt_ns || root_is_covered(t) || !fs_unchecked(&t->cred))
        return false;
    k->length = strnlen(path, WAY_TEXT);
    k->dirs = __atomic_load_n(&in->dir_generation, __ATOMIC_ACQUIRE);
    k->mounts = __atomic_load_n(&in->mount_generation, __ATOMIC_ACQUIRE);
    k->links = __atomic_load_n(&in->link_generation, __ATOMIC_ACQUIRE);
    for (int i = 0; i < NAME_WORDS; i++)
        k->names[i] = __atomic_load_n(&in->link_names[i], __ATOMIC_ACQUIRE);
    if (k->length >= WAY_TEXT / 2 || __atomic_load_n(&in->dir_changer, __ATOMIC_ACQUIRE))
        return false;
    k->path = path;
    k->entry = &in->ways[hash_of(path, k->length) >> 32 & (WAYS - 1)];
    return true;
}

bool way_known(struct task *t, const char *path, struct way_key *k, struct known_way *w)
{
    if (!key_of(t, path, k))
        return false;
    *w = *k->entry;
    return w->sum == sum(w) && w->dirs == k->dirs && w->mounts == k->mounts &&
           w->links == k->links && !memcmp(w->text, path, k->length + 1) &&
           now() - w->found < DIRS_KEPT_FOR;
}

// Whoever removes a name without a look moves link_generation afterwards, if a link of that name
// was ever followed. So a way may be learnt whose links had all been followed before it was walked:
// a removal then either came before the walk, or moves the number.
static bool follows_known(struct task *t, const struct way_key *k)
{
    for (int i = 0; i < NAME_WORDS; i++)
        if (__atomic_load_n(&t->instance->link_names[i], __ATOMIC_ACQUIRE) != k->names[i])
            return false;
    return true;
}

static u64 *word_of(struct task *t, const char *name, u64 *bit)
{
    size_t n = strlen(name);
    u32 hash = name_hash(name, n);
    *bit = name_bit(hash);
    return &t->instance->link_names[name_word(hash)];
}

void way_link_followed(struct task *t, const char *name)
{
    u64 bit, *word = word_of(t, name, &bit);
    if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(word, bit, __ATOMIC_ACQ_REL);
}

void way_name_removed(struct task *t, const char *name)
{
    u64 bit, *word = word_of(t, name, &bit);
    if (__atomic_load_n(word, __ATOMIC_ACQUIRE) & bit)
        __atomic_fetch_add(&t->instance->link_generation, 1, __ATOMIC_ACQ_REL);
}

void way_learn(struct task *t, const struct way_key *k, const struct loc *loc)
{
    struct known_way w = {.found = now(), .dirs = k->dirs, .mounts = k->mounts, .links = k->links};
    size_t n = strlen(loc->rel);
    if (k->path && !follows_known(t, k))
        return;
    if (!k->path || loc->by_proc || loc->mount != 0 || loc->must_be_dir ||
        loc->base != reserved_fd(t, RESERVED_MOUNT) || k->length + n + 2 > WAY_TEXT)
        return;
    memcpy(w.text, k->path, k->length + 1);
    memcpy(w.text + k->length + 1, loc->rel, n + 1);
    w.sum = sum(&w);
    *k->entry = w;
}
