// SPDX-License-Identifier: MIT
// For the race tests: one thread changes names or descriptors for a while, the other looks up.
// Whatever the lookup reaches must be an object the test knows: its own tree, or a directory
// between it and the root. A lookup that leaves a guest root reaches directories that are none of
// these.
#ifndef GUEST_RACE_H
#define GUEST_RACE_H

#include "check.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { RACE_MS = 1500 };

static struct {
    dev_t dev;
    ino_t ino;
} race_known[64];
static int race_count;
static atomic_int race_over;
static long race_hits; // lookups that succeeded

static inline void race_know_stat(const struct stat *st)
{
    CHECK(race_count < 64);
    race_known[race_count].dev = st->st_dev;
    race_known[race_count++].ino = st->st_ino;
}

static inline void race_know(const char *path)
{
    struct stat st = stat_of(path);

    race_know_stat(&st);
}

// The current directory and everything above it.
static inline void race_know_parents(void)
{
    char path[256] = ".";
    struct stat st, last = {0};

    for (;;) {
        CHECK_EQ(stat(path, &st), 0);
        if (st.st_ino == last.st_ino && st.st_dev == last.st_dev)
            break;
        race_know_stat(&st);
        last = st;
        strcat(path, "/..");
    }
    st = stat_of("/");
    CHECK_EQ(st.st_ino, last.st_ino);
}

static inline void race_check_stat(const struct stat *st, const char *what)
{
    for (int i = 0; i < race_count; i++)
        if (race_known[i].ino == st->st_ino && race_known[i].dev == st->st_dev) {
            race_hits++;
            return;
        }
    check_failed(__FILE__, __LINE__, what, "led to an object outside");
}

// A failed lookup is no finding here; a descriptor must be a known object, and so all above it.
static inline void race_check(int fd, const char *what)
{
    struct stat st;

    if (fd < 0)
        return;
    CHECK_EQ(fstat(fd, &st), 0);
    race_check_stat(&st, what);
    if (S_ISDIR(st.st_mode) && fstatat(fd, "../..", &st, 0) == 0)
        race_check_stat(&st, "../.. of it");
    close(fd);
}

static inline long race_ms(void)
{
    struct timespec now;

    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Runs both until the time is over, on a busy machine until one lookup has met the other; each
// function is one round and gets its number.
static void (*race_attack)(unsigned round);

static inline void *race_attacker(void *arg)
{
    for (unsigned round = 0; !race_over; round++)
        race_attack(round);
    return arg;
}

static inline void race_run(void (*attack)(unsigned), void (*lookup)(unsigned))
{
    long end = race_ms() + RACE_MS;
    pthread_t thread;

    race_attack = attack;
    CHECK_EQ(pthread_create(&thread, NULL, race_attacker, NULL), 0);
    for (unsigned round = 0; race_ms() < end || (!race_hits && race_ms() < end + 5L * RACE_MS);
         round++)
        lookup(round);
    race_over = 1;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(race_hits > 0);
}

#endif
