// SPDX-License-Identifier: MIT
// 2,000 threads one after the other and 200 at once; each makes calls and is joined; nothing is
// left of them (tasks, mappings, descriptors).
// covers: clone, clone3, exit, futex, munmap
#include "sig.h"

static atomic_int total, inside, go;

static void *quick(void *arg)
{
    CHECK(getpid() != tid());
    total++;
    return arg;
}

static void *wait_all(void *arg)
{
    struct stat st;

    inside++;
    while (!go)
        usleep(1000);
    CHECK(stat("/", &st) == 0);
    total++;
    return arg;
}

static int count(const char *path)
{
    FILE *f = fopen(path, "r");
    int n = 0, c;

    CHECK(f);
    while ((c = getc(f)) != EOF)
        n += c == '\n';
    fclose(f);
    return n;
}

static int tasks(void)
{
    struct stat st;

    CHECK(stat("/proc/self/task", &st) == 0);
    return st.st_nlink - 2;
}

int main(void)
{
    pthread_attr_t attr;
    pthread_t th[200];
    int maps = 0;
    void *ret;

    CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstacksize(&attr, 65536) == 0);
    for (long i = 0; i < 2000; i++) {
        if (i == 10)
            maps = count("/proc/self/maps");
        CHECK(pthread_create(&th[0], &attr, quick, (void *)i) == 0);
        CHECK(pthread_join(th[0], &ret) == 0 && ret == (void *)i);
    }
    CHECK_EQ(total, 2000);
    CHECK(count("/proc/self/maps") <= maps + 4);
    for (int round = 0; round < 2; round++) {
        total = inside = go = 0;
        for (long i = 0; i < 200; i++)
            CHECK(pthread_create(&th[i], &attr, wait_all, (void *)i) == 0);
        while (inside < 200)
            usleep(1000);
        CHECK_EQ(tasks(), 201);
        go = 1;
        for (long i = 0; i < 200; i++)
            CHECK(pthread_join(th[i], &ret) == 0 && ret == (void *)i);
        CHECK_EQ(total, 200);
    }
    while (tasks() > 1) // joined is a little earlier than gone
        usleep(1000);
    CHECK_EQ(OK(dup(0)), 3);
    return done();
}
