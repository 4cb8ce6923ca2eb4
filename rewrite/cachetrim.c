// SPDX-License-Identifier: MIT
// Keeps the cache directory below its size (cachetrim.h): the entries used longest ago go first.
#define _GNU_SOURCE
#include "cachetrim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_MIB 512
#define FILES_MAX 65536
// An unfinished file this old was left by a process that died.
#define STALE_SECONDS 3600

struct item {
    char *name;
    u64 used; // ns
    u64 size;
};

struct list {
    struct item *item;
    size_t count, room;
    u64 size;
};

u64 cache_limit(void)
{
    const char *text = getenv("LXRUN_CACHE_MIB");
    char *end;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    return (text && *text && !*end && n < 1UL << 32 ? n : DEFAULT_MIB) << 20;
}

// Only what has a name that the cache gives is its own: somebody may have chosen a directory with
// other files in it.
static bool is_ours(const char *name)
{
    static const struct {
        const char *prefix;
        size_t length; // of what follows: hexadecimal numbers, 0: of any length
        size_t dots;   // between them
    } kinds[] = {{"c-", 64, 0}, {CACHE_TEMPORARY, 32, 0}, {"w", 0, 3}, {"", 0, 6}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t n = strlen(kinds[i].prefix), dots = 0;
        if (strncmp(name, kinds[i].prefix, n) != 0)
            continue;
        const char *rest = name + n;
        for (const char *p = rest; *p; p++)
            dots += *p == '.';
        n = strlen(rest);
        if (strspn(rest, "0123456789abcdef.-") == n && dots == kinds[i].dots &&
            (!kinds[i].length || n == kinds[i].length))
            return true;
    }
    return !strcmp(name, CACHE_NOTHING);
}

static u64 nanoseconds(const struct timespec *t)
{
    return (u64)t->tv_sec * 1000000000 + (u64)t->tv_nsec;
}

static void add(struct list *l, const char *name, const struct stat *st)
{
    if (l->count == l->room) {
        size_t room = l->room ? 2 * l->room : 256;
        struct item *grown = realloc(l->item, room * sizeof *grown);
        if (!grown)
            return;
        l->item = grown;
        l->room = room;
    }
    struct item *i = &l->item[l->count];
    // Where access times are kept, an entry in use is younger than it was made.
    *i = (struct item){
        .name = strdup(name),
        .used = MAX(nanoseconds(&st->st_atim), nanoseconds(&st->st_mtim)),
        .size = (u64)st->st_blocks * 512,
    };
    if (S_ISLNK(st->st_mode))
        i->used = nanoseconds(&st->st_mtim);
    if (!i->name)
        return;
    l->size += i->size;
    l->count++;
}

static int older(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->used < y->used ? -1 : x->used > y->used;
}

static void read_directory(DIR *d, struct list *l)
{
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        if (!is_ours(e->d_name))
            continue;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || S_ISDIR(st.st_mode))
            continue;
        if (strncmp(e->d_name, CACHE_TEMPORARY, strlen(CACHE_TEMPORARY)) != 0)
            add(l, e->d_name, &st);
        else if (time(NULL) - st.st_mtime > STALE_SECONDS)
            unlinkat(dirfd(d), e->d_name, 0);
    }
    if (l->count)
        qsort(l->item, l->count, sizeof *l->item, older);
}

// Removes the oldest until a quarter is free, then what the index says about removed entries.
static void trim(DIR *d, struct list *l, u64 max)
{
    if (l->size <= max && l->count <= FILES_MAX)
        return;
    size_t left = l->count;
    for (size_t i = 0; i < l->count; i++) {
        if (l->size <= max - max / 4 && left <= FILES_MAX / 4 * 3)
            break;
        if (!unlinkat(dirfd(d), l->item[i].name, 0)) {
            l->size -= l->item[i].size;
            left--;
        }
    }
    for (size_t i = 0; i < l->count; i++)
        if (faccessat(dirfd(d), l->item[i].name, F_OK, 0) && errno == ENOENT)
            unlinkat(dirfd(d), l->item[i].name, 0);
}

void cache_grown(int cache, u64 n)
{
    static u64 grown;
    static bool looked;
    grown += n;
    if (looked && grown < cache_limit() / 16)
        return;
    looked = true;
    grown = 0;
    // A description of its own: the one of `cache` is shared with other processes.
    int fd = openat(cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct list l = {0};
    if (!flock(fd, LOCK_EX | LOCK_NB)) { // else another process is at it
        read_directory(d, &l);
        trim(d, &l, cache_limit());
    }
    for (size_t i = 0; i < l.count; i++)
        free(l.item[i].name);
    free(l.item);
    closedir(d);
}
