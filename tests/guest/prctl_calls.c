// SPDX-License-Identifier: MIT
// prctl, option by option: what each returns, sets and refuses.
// covers: prctl
#include "sig.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static long pr(int op, long a, long b, long c, long d)
{
    return syscall(SYS_prctl, op, a, b, c, d);
}

static void *named(void *arg)
{
    char name[16];

    CHECK(pr(PR_GET_NAME, (long)name, 0, 0, 0) == 0);
    CHECK_STR(name, "fifteen-charact"); // inherited
    CHECK(pr(PR_SET_NAME, (long)"thread", 0, 0, 0) == 0);
    CHECK_STR(get_file("/proc/thread-self/comm"), "thread\n");
    return arg;
}

// Where /proc/self/cmdline is read from, a field at a time; the kernel refuses a start behind the
// end.
static void move_arguments(void)
{
    char *there =
        memcpy(malloc(16), "moved\0arguments", 16); // the kernel reads anonymous pages only
    long a = (long)there, z = a + 16, ended, began;

    ended = pr(PR_SET_MM, PR_SET_MM_ARG_END, z, 0, 0);
    if (ended < 0 && errno == EPERM)
        return; // no CAP_SYS_RESOURCE
    began = pr(PR_SET_MM, PR_SET_MM_ARG_START, a, 0, 0);
    if (ended < 0) // the old start was behind the new end
        CHECK(pr(PR_SET_MM, PR_SET_MM_ARG_END, z, 0, 0) == 0);
    CHECK(began == 0);
    CHECK(memcmp(get_file("/proc/self/cmdline"), there, 16) == 0);
    CHECK_ERR(pr(PR_SET_MM, PR_SET_MM_ARG_START, z + 1, 0, 0), EINVAL);
    CHECK_ERR(pr(PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 0), EINVAL);
    CHECK(sbrk(0) != (void *)-1 && malloc(1 << 16) != NULL);
}

int main(void)
{
    char name[16];
    int v = -1;
    pthread_t th;
    pid_t pid;

    // The name: 15 bytes, each thread's own.
    CHECK(pr(PR_SET_NAME, (long)"fifteen-characters-and-more", 0, 0, 0) == 0);
    CHECK(pr(PR_GET_NAME, (long)name, 0, 0, 0) == 0);
    CHECK_STR(name, "fifteen-charact");
    CHECK_STR(get_file("/proc/self/comm"), "fifteen-charact\n");
    CHECK(pthread_create(&th, NULL, named, NULL) == 0 && pthread_join(th, NULL) == 0);
    CHECK_STR(get_file("/proc/self/comm"), "fifteen-charact\n");
    CHECK_ERR(pr(PR_SET_NAME, 8, 0, 0, 0), EFAULT);
    CHECK_ERR(pr(PR_GET_NAME, 8, 0, 0, 0), EFAULT);
    put_file("/proc/self/comm", "written");
    CHECK(pr(PR_GET_NAME, (long)name, 0, 0, 0) == 0);
    CHECK_STR(name, "written");

    move_arguments();
    CHECK_EQ(pr(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    CHECK(pr(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && pr(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    CHECK_ERR(pr(PR_SET_DUMPABLE, 2, 0, 0, 0), EINVAL);
    CHECK(pr(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);

    CHECK_EQ(pr(PR_GET_KEEPCAPS, 0, 0, 0, 0), 0);
    CHECK(pr(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && pr(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1);
    CHECK_ERR(pr(PR_SET_KEEPCAPS, 2, 0, 0, 0), EINVAL);
    CHECK_EQ(pr(PR_GET_SECUREBITS, 0, 0, 0, 0), 1 << SECURE_KEEP_CAPS);
    CHECK(pr(PR_SET_KEEPCAPS, 0, 0, 0, 0) == 0);

    CHECK(pr(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 50000);
    CHECK(pr(PR_SET_TIMERSLACK, 70000, 0, 0, 0) == 0 && pr(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 70000);
    CHECK(pr(PR_SET_TIMERSLACK, 0, 0, 0, 0) == 0 && pr(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 50000);

    CHECK_EQ(pr(PR_GET_TIMING, 0, 0, 0, 0), PR_TIMING_STATISTICAL);
    CHECK_ERR(pr(PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0), EINVAL);
    CHECK(pr(PR_GET_TSC, (long)&v, 0, 0, 0) == 0 && v == PR_TSC_ENABLE);
    CHECK_ERR(pr(PR_SET_TSC, 9, 0, 0, 0), EINVAL);
    CHECK(pr(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0 && pr(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
    CHECK(pr(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1 && pr(PR_SET_THP_DISABLE, 0, 0, 0, 0) == 0);
    CHECK_ERR(pr(PR_GET_THP_DISABLE, 1, 0, 0, 0), EINVAL);
    CHECK(pr(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_DEFAULT);
    CHECK(pr(PR_TASK_PERF_EVENTS_DISABLE, 0, 0, 0, 0) == 0);
    CHECK_ERR(pr(PR_GET_UNALIGN, (long)&v, 0, 0, 0), EINVAL); // not on x86
    CHECK_ERR(pr(PR_GET_FPEMU, (long)&v, 0, 0, 0), EINVAL);
    CHECK_ERR(pr(PR_GET_ENDIAN, (long)&v, 0, 0, 0), EINVAL);

    // The program's own state; a translation layer has one of its own below.
    CHECK_EQ(pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    CHECK_EQ(pr(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
    CHECK_ERR(pr(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(pr(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK_ERR(pr(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0), EINVAL);
    pid = OK(fork());
    if (pid == 0) {
        CHECK(pr(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        pid = OK(fork());
        if (pid == 0) {
            CHECK_EQ(pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
            _exit(0);
        }
        wait_ok(pid);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(pr(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);

    CHECK_EQ(pr(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 1);
    CHECK_ERR(pr(PR_CAPBSET_READ, 64, 0, 0, 0), EINVAL);
    CHECK_EQ(pr(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    CHECK_ERR(pr(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0), EINVAL);
    CHECK_ERR(pr(PR_CAP_AMBIENT, 99, 0, 0, 0), EINVAL);
    CHECK(pr(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0);

    CHECK(pr(PR_GET_TID_ADDRESS, (long)&(void *){0}, 0, 0, 0) == 0 || errno == EINVAL);
    char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pr(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (long)m, 4096, (long)"name") == 0 ||
          errno == EINVAL);
    CHECK_ERR(pr(9999, 0, 0, 0, 0), EINVAL);
    return done();
}
