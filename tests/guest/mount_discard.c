// SPDX-License-Identifier: MIT
// A tmpfs goes while another thread puts a directory on whatever number is free, and when no number
// is: what is in that directory stays.
// covers: umount2, dup2
// needs: root
#include "mountns.h"
#include <pthread.h>
#include <sys/resource.h>

static int kept, stop;
static pthread_mutex_t quiet = PTHREAD_MUTEX_INITIALIZER;

static void *put(void *unused)
{
    int round = 0;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        CHECK_EQ(pthread_mutex_lock(&quiet), 0);
        close_range(kept + 1, kept + 3, 0);
        for (int i = 0; i < round % 50; i++)
            sched_yield();
        for (int fd = kept + 1; fd <= kept + 3; fd++)
            dup2(kept, fd);
        for (int i = 0; i < 10; i++)
            sched_yield();
        close_range(kept + 1, kept + 3, 0);
        round++;
        CHECK_EQ(pthread_mutex_unlock(&quiet), 0);
        sched_yield();
    }
    return unused;
}

static void fill(void)
{
    CHECK_EQ(mount("none", "m", "tmpfs", 0, NULL), 0);
    CHECK_EQ(mkdir("m/d", 0755), 0);
    CHECK_EQ(mkdir("m/d/e", 0755), 0);
    for (int i = 0; i < 20; i++) {
        char name[32];

        snprintf(name, sizeof(name), "m/d/%d", i);
        put_file(name, "");
    }
}

static void check(void)
{
    CHECK_EQ(access("kept/d/f", F_OK), 0);
    CHECK_EQ(access("kept/f", F_OK), 0);
}

int main(void)
{
    pthread_t thread;
    struct rlimit limit;

    own_mounts();
    CHECK_EQ(mkdir("m", 0755) | mkdir("kept", 0755) | mkdir("kept/d", 0755), 0);
    put_file("kept/f", "");
    put_file("kept/d/f", "");
    kept = OK(open("kept", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(pthread_create(&thread, NULL, put, NULL), 0);
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(pthread_mutex_lock(&quiet), 0);
        fill();
        CHECK_EQ(pthread_mutex_unlock(&quiet), 0);
        while (umount2("m", 0) != 0)
            CHECK_EQ(errno, EBUSY);
        check();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    CHECK_EQ(pthread_join(thread, NULL), 0);

    fill();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (dup(kept) >= 0)
        ;
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(umount("m"), 0);
    check();
    return done();
}
