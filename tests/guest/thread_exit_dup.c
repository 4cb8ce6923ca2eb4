// SPDX-License-Identifier: MIT
// A thread ends while the other one puts descriptors on chosen numbers: threads that come after it
// can look paths up.
// covers: dup2, exit
#include "check.h"
#include <pthread.h>
#include <time.h>

static void *ends(void *arg)
{
    struct stat st;
    CHECK(stat("/", &st) == 0);
    return arg;
}

int main(void)
{
    int null = OK(open("/dev/null", O_RDONLY)), target = 50;
    time_t end = time(NULL) + 3;
    do {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, ends, NULL) == 0);
        while (pthread_tryjoin_np(thread, NULL))
            CHECK(dup2(null, target) == target);
    } while (time(NULL) < end);
    return done();
}
