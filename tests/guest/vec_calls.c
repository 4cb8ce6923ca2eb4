// SPDX-License-Identifier: MIT
// Vector and floating-point registers (xmm, ymm, zmm and masks where there are, x87, MXCSR) survive
// system calls of all kinds, in all threads.
// covers: getppid, openat, read, write, fstat, mmap, munmap, mprotect, getcwd, readlink, uname
#include "vec.h"
#include <pthread.h>

static int p[2];

static void check(unsigned seed, long nr, long a, long b, long c, long d, long wants)
{
    struct vec in, out;
    long ret;

    vec_fill(&in, seed + nr);
    ret = vec_call(&in, &out, nr, a, b, c, d);
    VEC_CHECK(&in, &out);
    CHECK(wants == -1 ? ret > -4096 : ret == wants);
}

static void *work(void *arg)
{
    unsigned seed = (long)arg;
    char buf[4096];

    for (int i = 0; i < 100; i++) {
        struct vec in, out;
        long page;

        check(seed + i, SYS_getppid, 0, 0, 0, 0, getppid());
        check(seed + i, SYS_openat, AT_FDCWD, (long)"./absent/../x", O_RDONLY, 0, -ENOENT);
        check(seed + i, SYS_openat, AT_FDCWD, 8, O_RDONLY, 0, -EFAULT);
        check(seed + i, SYS_write, p[1], (long)"x", 1, 0, 1);
        check(seed + i, SYS_read, p[0], (long)buf, 1, 0, 1);
        check(seed + i, SYS_read, p[0], 8, 0, 0, 0);
        check(seed + i, SYS_fstat, p[0], (long)buf, 0, 0, 0);
        check(seed + i, SYS_stat, (long)".", (long)buf, 0, 0, 0);
        check(seed + i, SYS_stat, (long)"/proc/self/exe", (long)buf, 0, 0, 0);
        check(seed + i, SYS_readlink, (long)"/proc/self/exe", (long)buf, 4096, 0, -1);
        check(seed + i, SYS_getcwd, (long)buf, 4096, 0, 0, -1);
        check(seed + i, SYS_uname, (long)buf, 0, 0, 0, 0);
        check(seed + i, 9999, 0, 0, 0, 0, -ENOSYS);
        check(seed + i, SYS_sched_yield, 0, 0, 0, 0, 0);
        vec_fill(&in, seed);
        page = vec_call(&in, &out, SYS_brk, 0, 0, 0, 0);
        VEC_CHECK(&in, &out);
        CHECK(page > 0);
    }
    return NULL;
}

int main(void)
{
    pthread_t th[3];

    CHECK(pipe(p) == 0);
    work(NULL);
    for (long i = 0; i < 3; i++)
        CHECK(pthread_create(&th[i], NULL, work, (void *)(1000 * i)) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    return done();
}
