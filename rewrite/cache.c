// SPDX-License-Identifier: MIT
// The directory where rewritten code is kept (include/cache.h, include/rewrite.h). Many processes
// use it at a time: whatever appears there appears by rename, whole, and may be removed at any time
// (what is mapped stays). lxcore checks an entry before it uses it; so nothing is synced.
#define _GNU_SOURCE
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cachetrim.h"
#include "entry.h"
#include "layout.h"

#define NAME_SIZE 80
// A file that changed a moment ago may change again within one tick of its clock, unseen.
#define SETTLED_SECONDS 2

int cache_open(void)
{
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    char path[4096];
    int n;
    if (cache && *cache == '/') // a relative one is to be ignored (XDG Base Directory, 2)
        n = snprintf(path, sizeof path, "%s", cache);
    else if (home && *home == '/')
        n = snprintf(path, sizeof path, "%s/.cache", home);
    else
        return -ENOENT;
    if (n >= (int)(sizeof path - sizeof "/lxrun"))
        return -ENAMETOOLONG;
    mkdir(path, 0700);
    memcpy(path + n, "/lxrun", sizeof "/lxrun");
    if (mkdir(path, 0700) && errno != EEXIST)
        return -errno;
    // Not by a link: it could lead to another directory of the user's, where files would be taken
    // for the cache's.
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP ? -EPERM : -errno;
    struct stat st;
    if (fstat(fd, &st) || st.st_uid != geteuid() || st.st_mode & 022) {
        close(fd);
        return -EPERM;
    }
    return fd;
}

// Is there an entry behind a name, is it whole, one of this file, and made by this user?
static bool is_good(int cache, const char *name, u64 size, const u8 start[REWRITE_START])
{
    const struct rewrite_entry *e;
    struct stat st;
    bool good = false;
    int fd = openat(cache, name, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid() &&
        (u64)st.st_size >= REWRITE_SLOTS_AT &&
        (e = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) != MAP_FAILED) {
        const u8 *rest = (const u8 *)e + REWRITE_SLOTS_AT;
        good = e->size == (u64)st.st_size && rewrite_fits(e) &&
               rewrite_sum(e, rest) == e->checksum && rewrite_is_of(e, size, start) &&
               (!e->slots_size || *(const u64 *)rest == LX_GATE);
        munmap((void *)e, (size_t)st.st_size);
    }
    if (fd >= 0)
        close(fd);
    return good;
}

// ---- Making ----

static void temporary_name(char name[NAME_SIZE])
{
    u64 r[2] = {0};
    if (getrandom(r, sizeof r, GRND_NONBLOCK) != sizeof r)
        r[0] = (u64)getpid(), r[1] = (u64)clock();
    snprintf(name, NAME_SIZE, CACHE_TEMPORARY "%016lx%016lx", r[0], r[1]);
}

static int write_all(int fd, const u8 *p, u64 n)
{
    for (u64 at = 0; at < n;) {
        ssize_t got = write(fd, p + at, MIN(n - at, ENTRY_FOLIO - at % ENTRY_FOLIO));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got ? -errno : -EIO;
        at += (u64)got;
    }
    return 0;
}

static int add_entry(int cache, const char *name, const u8 *entry, u64 size)
{
    char temporary[NAME_SIZE];
    temporary_name(temporary);
    int fd = openat(cache, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, entry, size);
    if (close(fd) && !error)
        error = -errno;
    if (!error && renameat(cache, temporary, cache, name))
        error = -errno;
    if (error)
        unlinkat(cache, temporary, 0);
    return error;
}

static int add_index(int cache, const char *index, const char *entry)
{
    char temporary[NAME_SIZE];
    temporary_name(temporary);
    if (symlinkat(entry, cache, temporary))
        return -errno;
    if (!renameat(cache, temporary, cache, index))
        return 0;
    int error = -errno;
    unlinkat(cache, temporary, 0);
    return error;
}

static void name_by_content(char name[NAME_SIZE], const u8 *file, u64 size)
{
    struct sha256_ctx hash;
    u8 digest[SHA256_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, size, file);
    sha256_digest(&hash, sizeof digest, digest);
    int n = snprintf(name, NAME_SIZE, "c-");
    for (size_t i = 0; i < sizeof digest; i++)
        n += snprintf(name + n, NAME_SIZE - (size_t)n, "%02x", digest[i]);
}

// Makes the entry for these bytes unless there is one, and gives its name.
static int make_entry(int cache, const u8 *file, u64 size, char name[NAME_SIZE])
{
    struct rewriting r;
    u8 start[REWRITE_START] = {0};
    memcpy(start, file, MIN(size, sizeof start));
    name_by_content(name, file, size);
    if (is_good(cache, name, size, start))
        return 0;
    rewriting_make(&r, file, size);
    u64 n;
    u8 *entry = entry_make(&r, &n);
    // What would push too much else out is not kept.
    if ((r.why && !r.clean) || n > cache_limit() / 4) {
        rewriting_nothing(&r);
        free(entry);
        entry = entry_make(&r, &n);
        snprintf(name, NAME_SIZE, CACHE_NOTHING);
    }
    int error = entry ? 0 : -ENOMEM;
    if (!error && !is_good(cache, name, size, start)) {
        error = add_entry(cache, name, entry, n);
        if (!error)
            cache_grown(cache, n);
    }
    free(entry);
    rewriting_free(&r);
    return error;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool is_settled(const struct stat *st)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec - st->st_ctim.tv_sec > SETTLED_SECONDS;
}

static void name_by_file(char index[REWRITE_INDEX_SIZE], const struct stat *st)
{
    snprintf(index, REWRITE_INDEX_SIZE, REWRITE_INDEX,
             (unsigned long)major(st->st_dev) << 32 | minor(st->st_dev), (unsigned long)st->st_ino,
             (unsigned long)st->st_size, (unsigned long)st->st_mtim.tv_sec,
             (unsigned long)st->st_mtim.tv_nsec, (unsigned long)st->st_ctim.tv_sec,
             (unsigned long)st->st_ctim.tv_nsec);
}

bool rewrite_is_known(int cache, int fd)
{
    struct stat st;
    char index[REWRITE_INDEX_SIZE];
    if (fstat(fd, &st))
        return false;
    name_by_file(index, &st);
    return !faccessat(cache, index, F_OK, 0);
}

int rewrite_file(int cache, int fd)
{
    struct stat st, after;
    char index[REWRITE_INDEX_SIZE], name[NAME_SIZE];
    if (fstat(fd, &st))
        return -errno;
    if (!S_ISREG(st.st_mode) || !st.st_nlink)
        return -EINVAL; // nobody can open it again
    name_by_file(index, &st);
    u8 start[REWRITE_START] = {0};
    if (pread(fd, start, sizeof start, 0) < 0)
        return -errno;
    if (is_good(cache, index, (u64)st.st_size, start))
        return 0;
    if (!is_settled(&st))
        return -EAGAIN;
    u64 size = (u64)st.st_size <= FILE_MAX ? (u64)st.st_size : 0; // 0: as if it were no ELF file
    u8 *file = file_read(fd, size);
    if (!file)
        return -errno;
    int error = make_entry(cache, file, size, name);
    free(file);
    if (!error && (fstat(fd, &after) || !is_same(&st, &after)))
        error = -EAGAIN;
    if (error)
        return error;
    cache_grown(cache, LX_PAGE);
    return add_index(cache, index, name);
}
