// SPDX-License-Identifier: MIT
// lxrun --rewrite and lxrun --disas: the rewriter by hand, for people to look at.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "entry.h"

#define STATUS_FAILED 125

static int complain(const char *path, int error)
{
    fprintf(stderr, "lxrun: %s: %s\n", path, strerror(error));
    return STATUS_FAILED;
}

// Opens and reads a file. Returns the descriptor, or -1 after saying why.
static int open_file(const char *path, u8 **file, u64 *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st)) {
        complain(path, errno);
    } else if (!S_ISREG(st.st_mode)) {
        fprintf(stderr, "lxrun: %s: not a regular file\n", path);
    } else if ((u64)st.st_size > FILE_MAX) {
        complain(path, EFBIG);
    } else {
        *size = (u64)st.st_size;
        *file = file_read(fd, *size);
        if (*file)
            return fd;
        complain(path, errno);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

// ---- --rewrite ----

static void print_counts(const char *path, const struct rewriting *r, bool verbose)
{
    const struct sites *s = &r->sites;
    size_t left[SITE_STATES] = {0};
    const char *clean = r->clean ? ", clean" : "";
    const size_t calls = s->count - s->cpuids, moved = s->moved - s->moved_cpuids;
    if (!s->count && r->why) {
        printf("%s: nothing to rewrite: %s%s\n", path, r->why, clean);
        return;
    }
    printf("%s: %zu system calls, %zu moved, %zu left%s%s%s\n", path, calls, moved, calls - moved,
           r->why ? ": " : "", r->why ? r->why : "", clean);
    if (s->cpuids)
        printf("%8zu  cpuid are answered, %zu of them moved\n", s->cpuids, s->moved_cpuids);
    u64 guarded = 0;
    for (unsigned i = 0; i < s->guards; i++)
        guarded += s->guard[i].end - s->guard[i].start;
    if (guarded)
        printf("%8lu  pages guarded: something there was not decoded\n", guarded / LX_PAGE);
    for (size_t i = 0; i < s->count; i++)
        left[s->site[i].state] += !s->site[i].cpuid;
    for (int k = SITE_MOVED + 1; k < SITE_STATES; k++) {
        if (left[k])
            printf("%8zu  %s\n", left[k], site_reasons[k]);
        for (size_t i = 0; verbose && left[k] && i < s->count; i++)
            if (s->site[i].state == (enum site_state)k && !s->site[i].cpuid)
                printf("%16lx\n", s->site[i].address);
    }
}

static int rewrite_one(int cache, const char *path, bool verbose)
{
    u8 *file;
    u64 size;
    struct rewriting r;
    int fd = open_file(path, &file, &size);
    if (fd < 0)
        return STATUS_FAILED;
    rewriting_make(&r, file, size);
    print_counts(path, &r, verbose);
    rewriting_free(&r);
    free(file);
    int error = cache >= 0 ? rewrite_file(cache, fd) : 0;
    close(fd);
    if (error != -EAGAIN)
        return error ? complain(path, -error) : 0;
    fprintf(stderr, "lxrun: %s: changed a moment ago, so it is not kept: try again\n", path);
    return STATUS_FAILED;
}

int rewrite_command(char **files, bool verbose)
{
    int status = 0, cache = cache_open();
    if (cache < 0)
        status = complain("cannot open the cache", -cache);
    for (; *files; files++)
        if (rewrite_one(cache, *files, verbose))
            status = STATUS_FAILED;
    if (cache >= 0)
        close(cache);
    if (fflush(stdout))
        status = complain("standard output", errno);
    return status;
}

// ---- --disas ----

static void print_code(struct decoder *d, const u8 *code, u64 n, u64 addr)
{
    char text[200];
    while (n) {
        unsigned length = decode_text(d, code, n, addr, text, sizeof text);
        if (!length) {
            length = 1;
            snprintf(text, sizeof text, "(byte)");
        }
        printf("  %16lx  ", addr);
        for (unsigned k = 0; k < 10 || k < length; k++)
            k < length ? printf("%02x ", code[k]) : printf("   ");
        struct insn i;
        decode(d, code, n, addr, &i);
        printf(i.address ? " %s  # %lx\n" : " %s\n", text, i.address);
        code += length;
        addr += length;
        n -= length;
    }
}

static void print_site(const struct rewriting *r, const struct site *s)
{
    u8 slot[REWRITE_SLOT], window[REWRITE_WINDOW_MAX + 2];
    u64 start = s->address - s->window;
    const u8 *before = image_bytes(&r->image, start, s->window + 2);
    memcpy(window, before, s->window + 2);
    site_jump(s, window);
    window[s->window] = REWRITE_TRAP;
    site_slot(r, s, slot);
    printf("\n%s at %lx", s->cpuid ? "cpuid" : "system call", s->address);
    if (s->call >= 0)
        printf(", number %ld", s->call);
    printf("\n before\n");
    print_code(r->decoder, before, s->window + 2, start);
    printf(" after\n");
    print_code(r->decoder, window, s->window + 2, start);
    if (s->pad) {
        u8 jump[5];
        site_jump_far(s, s->pad, jump);
        printf(" in the padding between functions\n");
        print_code(r->decoder, jump, sizeof jump, s->pad);
    }
    printf(" slot\n");
    print_code(r->decoder, slot, s->window + REWRITE_LEA + REWRITE_JMP, s->slot);
}

int disas_command(char **files)
{
    int status = 0;
    for (; *files; files++) {
        u8 *file;
        u64 size;
        struct rewriting r;
        int fd = open_file(*files, &file, &size);
        if (fd < 0) {
            status = STATUS_FAILED;
            continue;
        }
        close(fd);
        rewriting_make(&r, file, size);
        print_counts(*files, &r, false);
        for (size_t i = 0; i < r.sites.count; i++)
            if (r.sites.site[i].slot && r.sites.site[i].state == SITE_MOVED)
                print_site(&r, &r.sites.site[i]);
        rewriting_free(&r);
        free(file);
    }
    if (fflush(stdout))
        status = complain("standard output", errno);
    return status;
}
