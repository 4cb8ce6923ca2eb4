// SPDX-License-Identifier: MIT
// The micro benchmark: one workload per run, chosen by name.
//
//     micro NAME [MILLISECONDS [root | user]]   prints the nanoseconds of one operation
//     micro --list                              prints the names
//
// It finds by itself how many operations fill the given time (default 60 ms), splits them into
// batches and prints the median batch, so that one interrupt does not show. root, user: its files
// are another user's than root's, and it runs as the one or the other.
#include "micro.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCHES = 9, USER = 1000, GROUP = 1001 };

static const struct work *const works[] = {call_works, file_works, ipc_works, process_works};
char directory[PATH_MAX], self[PATH_MAX];
static pid_t owner; // of the directory: a child that dies must not remove it

_Noreturn void die(const char *what)
{
    fprintf(stderr, "micro: %s: %s\n", what, strerror(errno));
    exit(1);
}

void stay_on_one_cpu(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    MUST(sched_setaffinity(0, sizeof set, &set));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double timed(const struct work *w, long n)
{
    double start = now();
    w->run(n);
    return now() - start;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// How many operations take about `want` nanoseconds. Doubling stops at half of it, where one
// measurement is long enough to scale from.
static long calibrate(const struct work *w, double want)
{
    for (long n = 1;; n *= 2) {
        double took = timed(w, n);
        if (took >= want / 2) {
            n *= want / took;
            return n > 0 ? n : 1;
        }
    }
}

static double measure(const struct work *w, double budget)
{
    double batch[BATCHES];
    long n = calibrate(w, budget / BATCHES);
    for (int i = 0; i < BATCHES; i++)
        batch[i] = timed(w, n) / n;
    qsort(batch, BATCHES, sizeof *batch, ascending);
    return batch[BATCHES / 2];
}

static const struct work *find(const char *name)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        for (const struct work *w = works[i]; w->name; w++)
            if (!strcmp(w->name, name))
                return w;
    return NULL;
}

static void list(void)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        for (const struct work *w = works[i]; w->name; w++)
            puts(w->name);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(name);
}

static int give_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return lchown(name, USER, GROUP);
}

static void give_directory(void)
{
    if (nftw(directory, give_one, 16, FTW_PHYS))
        die("chown");
    usleep(50000); // what was changed just now is not remembered (docs/files.md): hot is later
}

static void remove_directory(void)
{
    if (geteuid() != getuid())
        MUST(seteuid(getuid()));
    if (getpid() == owner && nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS))
        fprintf(stderr, "micro: %s stays behind: %s\n", directory, strerror(errno));
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        list();
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "--nothing")) // what exec-static runs
        return 0;
    const struct work *w = argc > 1 ? find(argv[1]) : NULL;
    double ms = argc > 2 ? atof(argv[2]) : 60;
    const char *who = argc > 3 ? argv[3] : NULL;
    if (!w || ms <= 0 || (who && strcmp(who, "root") != 0 && strcmp(who, "user") != 0)) {
        fprintf(stderr, "usage: micro NAME [MILLISECONDS [root | user]] | --list\n");
        return 2;
    }
    if (!realpath(argv[0], self))
        die("own path");
    if (!getcwd(directory, sizeof directory - 16))
        die("getcwd");
    strcat(directory, "/micro.XXXXXX");
    if (!mkdtemp(directory))
        die("mkdtemp");
    owner = getpid();
    atexit(remove_directory);
    MUST(chdir(directory));
    if (w->prepare)
        w->prepare();
    if (who)
        give_directory();
    if (who && *who == 'u') {
        MUST(setegid(GROUP)); // effective: the directory is removed as it was made
        MUST(seteuid(USER));
    }
    printf("%.2f\n", measure(w, ms * 1e6));
    return 0;
}
