// SPDX-License-Identifier: MIT
// Calls on descriptors and on paths. Paths are absolute, as most programs' are.
#include "micro.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 8, ENTRIES = 1000, PAGE = 4096 };

static int fd;
static char path[2][PATH_MAX + 64];

static void set_path(int which, const char *name)
{
    snprintf(path[which], sizeof path[which], "%s/%s", directory, name);
}

static void make_file(const char *name, size_t size)
{
    char data[PAGE] = {0};
    int out = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
    MUST(out);
    if (write(out, data, size) != (ssize_t)size)
        die(name);
    MUST(close(out));
}

static void open_device(const char *name)
{
    fd = open(name, O_RDWR);
    MUST(fd);
}

static void prepare_read(void)
{
    open_device("/dev/zero");
}

static void run_read(long n)
{
    char c;
    while (n--)
        if (read(fd, &c, 1) != 1)
            die("read");
}

static void prepare_write(void)
{
    open_device("/dev/null");
}

static void run_write(long n)
{
    while (n--)
        if (write(fd, "x", 1) != 1)
            die("write");
}

static void prepare_file(void)
{
    make_file("file", PAGE);
    set_path(0, "file");
    set_path(1, "other");
    fd = open(path[0], O_RDONLY);
    MUST(fd);
}

static void run_lseek(long n)
{
    while (n--)
        if (lseek(fd, n & 1023, SEEK_SET) != (n & 1023))
            die("lseek");
}

static void run_fstat(long n)
{
    struct stat st;
    while (n--)
        if (fstat(fd, &st) || st.st_size != PAGE)
            die("fstat");
}

static void run_stat(long n)
{
    struct stat st;
    while (n--)
        if (stat(path[0], &st) || st.st_size != PAGE)
            die("stat");
}

static void run_stat_missing(long n)
{
    struct stat st;
    while (n--)
        if (stat(path[1], &st) != -1 || errno != ENOENT)
            die("stat of a missing file");
}

static void prepare_deep(void)
{
    char name[2 * DEPTH + 8] = "";
    for (int i = 0; i < DEPTH; i++) {
        strcat(name, i ? "/d" : "d");
        MUST(mkdir(name, 0755));
    }
    strcat(name, "/file");
    make_file(name, PAGE);
    set_path(0, name);
}

static void run_open(long n)
{
    while (n--) {
        int in = open(path[0], O_RDONLY);
        MUST(in);
        MUST(close(in));
    }
}

static void run_open_read(long n)
{
    char data[PAGE];
    while (n--) {
        int in = open(path[0], O_RDONLY);
        MUST(in);
        if (read(in, data, sizeof data) != PAGE)
            die("read");
        MUST(close(in));
    }
}

static void run_create(long n)
{
    while (n--) {
        int out = open(path[1], O_CREAT | O_EXCL | O_WRONLY, 0644);
        MUST(out);
        MUST(close(out));
        MUST(unlink(path[1]));
    }
}

// There and back are two operations; which way comes first is kept from batch to batch.
static void run_rename(long n)
{
    static int from;
    for (; n--; from = !from)
        MUST(rename(path[from], path[!from]));
}

static void run_chmod(long n)
{
    while (n--)
        MUST(chmod(path[0], n & 1 ? 0644 : 0600));
}

static void run_chown(long n)
{
    while (n--)
        MUST(chown(path[0], n & 1 ? 1000 : 1001, 1001));
}

static void prepare_getdents(void)
{
    MUST(mkdir("many", 0755));
    MUST(chdir("many"));
    for (int i = 0; i < ENTRIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry-%04d", i);
        make_file(name, 0);
    }
    MUST(chdir(".."));
    fd = open("many", O_RDONLY | O_DIRECTORY);
    MUST(fd);
}

// One operation is the whole directory, by the buffer size of libc's readdir.
static void run_getdents(long n)
{
    static char buffer[32768] __attribute__((aligned(8)));
    while (n--) {
        long entries = 0, got;
        MUST(lseek(fd, 0, SEEK_SET));
        while ((got = RAW(SYS_getdents64, fd, buffer, sizeof buffer, 0)) > 0)
            for (long at = 0; at < got; entries++)
                at += *(unsigned short *)(buffer + at + 16); // d_reclen
        if (got || entries != ENTRIES + 2)
            die("getdents64");
    }
}

const struct work file_works[] = {
    {"read", run_read, prepare_read},
    {"write", run_write, prepare_write},
    {"lseek", run_lseek, prepare_file},
    {"fstat", run_fstat, prepare_file},
    {"stat", run_stat, prepare_file},
    {"stat-missing", run_stat_missing, prepare_file},
    {"stat-deep", run_stat, prepare_deep},
    {"open", run_open, prepare_file},
    {"open-read", run_open_read, prepare_file},
    {"create", run_create, prepare_file},
    {"rename", run_rename, prepare_file},
    {"chmod", run_chmod, prepare_file},
    {"chown", run_chown, prepare_file},
    {"getdents", run_getdents, prepare_getdents},
    {0},
};
