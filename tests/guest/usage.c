// SPDX-License-Identifier: MIT
// getrusage, times, sysinfo, uname, clock(): sane, consistent and growing; children counted when
// reaped.
// covers: getrusage, times, sysinfo, uname, wait4
#include "sig.h"
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

static long us(struct timeval tv)
{
    return tv.tv_sec * 1000000l + tv.tv_usec;
}

static void burn(void)
{
    struct rusage a, b;

    CHECK(getrusage(RUSAGE_THREAD, &a) == 0);
    do {
        for (volatile int i = 0; i < 100000; i++)
            ;
        CHECK(getrusage(RUSAGE_THREAD, &b) == 0);
    } while (us(b.ru_utime) + us(b.ru_stime) < us(a.ru_utime) + us(a.ru_stime) + 30000);
}

static void *thread(void *arg)
{
    burn();
    return arg;
}

int main(void)
{
    struct rusage self, child, t;
    struct utsname un;
    struct sysinfo si;
    struct tms tms;
    pthread_t th;
    pid_t pid;

    CHECK(getrusage(RUSAGE_CHILDREN, &child) == 0 && us(child.ru_utime) == 0);
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    CHECK(getrusage(RUSAGE_SELF, &self) == 0 && getrusage(RUSAGE_THREAD, &t) == 0);
    CHECK(us(self.ru_utime) + us(self.ru_stime) >= 30000);
    CHECK(us(t.ru_utime) < us(self.ru_utime) + us(self.ru_stime)); // all threads counted
    CHECK(self.ru_minflt > 0 && self.ru_maxrss >= 0);
    CHECK_ERR(getrusage(5, &self), EINVAL);
    CHECK_ERR(syscall(SYS_getrusage, 0, 8), EFAULT);
    pid = OK(fork());
    if (pid == 0) {
        CHECK(getrusage(RUSAGE_SELF, &self) == 0 && us(self.ru_utime) + us(self.ru_stime) < 20000);
        burn();
        _exit(0);
    }
    CHECK(getrusage(RUSAGE_CHILDREN, &child) == 0 && us(child.ru_utime) == 0);
    wait_ok(pid);
    CHECK(getrusage(RUSAGE_CHILDREN, &child) == 0);
    CHECK(us(child.ru_utime) + us(child.ru_stime) >= 30000);
    CHECK(times(&tms) > 0 && tms.tms_utime + tms.tms_stime >= 2 &&
          tms.tms_cutime + tms.tms_cstime >= 2);
    CHECK(syscall(SYS_times, NULL) > 0);
    CHECK_ERR(syscall(SYS_times, 8), EFAULT);

    CHECK(sysinfo(&si) == 0);
    CHECK(si.totalram > 0 && si.freeram <= si.totalram && si.mem_unit >= 1 && si.procs > 0);
    CHECK(si.uptime > 0 && si.freeswap <= si.totalswap);
    CHECK_ERR(syscall(SYS_sysinfo, 8), EFAULT);
    CHECK(uname(&un) == 0);
    CHECK_STR(un.sysname, "Linux");
    CHECK_STR(un.machine, "x86_64");
    CHECK(un.nodename[0] && un.release[0] >= '1' && un.release[0] <= '9' && un.version[0]);
    CHECK_ERR(syscall(SYS_uname, 8), EFAULT);
    return done();
}
