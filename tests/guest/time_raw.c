// SPDX-License-Identifier: MIT
// Clocks by raw system call, which a translation layer may answer by the vDSO: they never go back
// against libc's, vector registers stay, bad pointers are EFAULT at every byte, also half of a
// result; signals that come in between; RDTSC forbidden (PR_SET_TSC); the vDSO unmapped.
// covers: clock_gettime, gettimeofday, time, getcpu, prctl, munmap
// timeout: 30
#include "sig.h"
#include "vec.h"
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>

static const clockid_t clocks[] = {
    CLOCK_REALTIME,         CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,  CLOCK_TAI,           CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID};
#define CLOCKS (sizeof(clocks) / sizeof(clocks[0]))

static volatile int ticks;

static void on_alarm(int sig)
{
    struct timespec ts;

    (void)sig;
    ticks++;
    CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == 0);
}

static long ns(struct timespec ts)
{
    return ts.tv_sec * 1000000000l + ts.tv_nsec;
}

static long raw_ns(clockid_t c)
{
    struct timespec ts = {-1, -1};

    CHECK(syscall(SYS_clock_gettime, c, &ts) == 0);
    CHECK(ts.tv_nsec >= 0 && ts.tv_nsec < 1000000000);
    return ns(ts);
}

static long libc_ns(clockid_t c)
{
    struct timespec ts;

    CHECK(clock_gettime(c, &ts) == 0);
    return ns(ts);
}

static void agree(int rounds)
{
    for (size_t i = 0; i < CLOCKS; i++) {
        clockid_t c = clocks[i];

        // Wall clocks may be set meanwhile; not by a second, one hopes.
        long slack =
            c == CLOCK_REALTIME || c == CLOCK_REALTIME_COARSE || c == CLOCK_TAI ? 1000000000 : 0;
        for (int k = 0; k < rounds; k++) {
            long a = libc_ns(c), b = raw_ns(c), d = libc_ns(c);

            CHECK(b >= a - slack && d >= b - slack && d - a < 10000000000);
        }
    }
    for (int k = 0; k < rounds; k++) {
        struct timezone tz = {77, 77}, tz2;
        struct timeval a = {-1, -1}, b;
        unsigned cpu = ~0u, node = ~0u;
        long t, u = -1, sec = libc_ns(CLOCK_REALTIME) / 1000000000;

        CHECK(syscall(SYS_gettimeofday, &a, &tz) == 0 && gettimeofday(&b, &tz2) == 0);
        CHECK(a.tv_sec >= sec && b.tv_sec >= a.tv_sec && b.tv_sec - a.tv_sec < 10);
        CHECK(a.tv_usec >= 0 && a.tv_usec < 1000000);
        CHECK(syscall(SYS_gettimeofday, NULL, &tz2) == 0);
        CHECK_EQ(tz.tz_minuteswest, tz2.tz_minuteswest);
        CHECK_EQ(tz.tz_dsttime, tz2.tz_dsttime);
        t = syscall(SYS_time, &u);
        // The second of time() is that of the last tick.
        CHECK(t == u && t >= sec - 1 && t - sec < 10 && syscall(SYS_time, NULL) >= t);
        CHECK(syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && cpu < 65536 && node < 65536);
        CHECK(syscall(SYS_getcpu, NULL, NULL, (void *)8) == 0);
    }
}

static void pointers(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *hole = page + 4096;

    CHECK(page != MAP_FAILED && munmap(hole, 4096) == 0);
    for (size_t i = 0; i < CLOCKS; i++) {
        for (int k = 1; k < 16; k++)
            CHECK_ERR(syscall(SYS_clock_gettime, clocks[i], hole - k), EFAULT);
        CHECK(syscall(SYS_clock_gettime, clocks[i], hole - 16) == 0);
        CHECK(syscall(SYS_clock_gettime, clocks[i], hole - 19) == 0); // not aligned
        CHECK_ERR(syscall(SYS_clock_gettime, clocks[i], NULL), EFAULT);
        CHECK_ERR(syscall(SYS_clock_gettime, clocks[i], -8l), EFAULT);
    }
    CHECK_ERR(syscall(SYS_clock_gettime, 10, hole), EINVAL); // the clock first
    CHECK_ERR(syscall(SYS_clock_gettime, 31, hole), EINVAL);
    CHECK_ERR(syscall(SYS_clock_gettime, 32, hole), EINVAL);
    CHECK_ERR(syscall(SYS_gettimeofday, hole - 8, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_gettimeofday, NULL, hole - 4), EFAULT);
    CHECK_ERR(syscall(SYS_gettimeofday, hole - 16, hole), EFAULT);
    CHECK_ERR(syscall(SYS_time, hole - 4), EFAULT);
    CHECK_ERR(syscall(SYS_getcpu, hole - 2, NULL, NULL), EFAULT);
    CHECK_ERR(syscall(SYS_getcpu, NULL, hole, NULL), EFAULT);
}

static void under_signals(void)
{
    long last = 0;

    signal(SIGALRM, on_alarm);
    for (int i = 0; ticks < 1000; i++) {
        // One at a time: where handlers take long, an interval would leave no time for the rest.
        struct itimerval it = {.it_value.tv_usec = 5 + i % 50};

        int before = ticks;

        CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
        while (ticks == before) {
            long now = raw_ns(CLOCK_MONOTONIC);

            CHECK(now >= last);
            last = now;
            CHECK(syscall(SYS_gettimeofday, &(struct timeval){0}, NULL) == 0);
            CHECK(syscall(SYS_getcpu, &(unsigned){0}, NULL, NULL) == 0);
        }
    }
}

static void vec_check(long nr, long a, long b)
{
    struct vec in, out;

    vec_fill(&in, nr);
    CHECK_EQ(vec_call(&in, &out, nr, a, b, 0, 0), 0);
    VEC_CHECK(&in, &out);
}

static void no_tsc(void)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        struct timespec ts;

        if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0)
            for (size_t i = 0; i < CLOCKS; i++)
                for (int k = 0; k < 10; k++)
                    CHECK(syscall(SYS_clock_gettime, clocks[i], &ts) == 0);
        _exit(0);
    }
    wait_ok(pid);
}

// The image and its data lie side by side, named in /proc/self/maps.
static void unmap(const char *what)
{
    char line[256];
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned long from[8], to[8];
    int n = 0;

    while (f && fgets(line, sizeof(line), f))
        if (strstr(line, what) && n < 8 && sscanf(line, "%lx-%lx", &from[n], &to[n]) == 2)
            n++;
    if (f)
        fclose(f);
    for (int i = 0; i < n; i++) {
        CHECK(munmap((void *)from[i], to[i] - from[i]) == 0);
        // Something else in its place.
        if (what[2] == 'd')
            CHECK(mmap((void *)from[i], to[i] - from[i], PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
    }
}

static void without_vdso(const char *what, int before)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        struct timespec ts;

        if (before)
            raw_ns(CLOCK_MONOTONIC);
        unmap(what);
        for (size_t i = 0; i < CLOCKS; i++)
            for (int k = 0; k < 10; k++)
                if (syscall(SYS_clock_gettime, clocks[i], &ts))
                    _exit(2);
        if (syscall(SYS_time, NULL) < 1000 || syscall(SYS_getcpu, NULL, NULL, NULL) ||
            syscall(SYS_gettimeofday, &(struct timeval){0}, NULL))
            _exit(3);
        _exit(0);
    }
    wait_ok(pid);
}

int main(void)
{
    CHECK(getauxval(AT_SYSINFO_EHDR) != 0);
    without_vdso("[vdso]", 0);
    without_vdso("[vvar", 0);
    agree(2000);
    pointers();
    vec_check(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&(struct timespec){0});
    vec_check(SYS_clock_gettime, CLOCK_REALTIME_COARSE, (long)&(struct timespec){0});
    vec_check(SYS_gettimeofday, (long)&(struct timeval){0}, 0);
    vec_check(SYS_getcpu, (long)&(unsigned){0}, 0);
    under_signals();
    no_tsc();
    without_vdso("[vdso]", 1);
    without_vdso("[vvar", 1);
    agree(10);
    return done();
}
