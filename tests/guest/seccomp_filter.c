// SPDX-License-Identifier: MIT
// What a filter says of a call: errno, trap, kill, let pass; the strongest of several; by number,
// argument and place. It stays over fork, vfork, clone and execve, and only privilege or
// no_new_privs lets one be installed.
// covers: seccomp, prctl
#include "filter.h"
#include <spawn.h>
#include <sys/mman.h>
#include <ucontext.h>

extern char **environ;
static volatile int caught;

static void errno_of(int nr, u32 said, int error)
{
    OK(filter_call(nr, said));
    CHECK_ERR(syscall(nr, -1, -1, -1), error);
}

// Calls that lxrun answers itself, passes on, translates, does not have.
static void kinds(void)
{
    errno_of(SYS_getppid, SECCOMP_RET_ERRNO | 71, 71);
    errno_of(SYS_getuid, SECCOMP_RET_ERRNO | 72, 72);
    errno_of(SYS_lseek, SECCOMP_RET_ERRNO | 73, 73);
    errno_of(SYS_mkdir, SECCOMP_RET_ERRNO | 74, 74);
    errno_of(SYS_clock_gettime, SECCOMP_RET_ERRNO | 75, 75);
    errno_of(999, SECCOMP_RET_ERRNO | 76, 76);
    errno_of(SYS_clone, SECCOMP_RET_ERRNO | 0xffff, 4095);
    OK(filter_call(SYS_fork, SECCOMP_RET_ERRNO));
    CHECK_EQ(syscall(SYS_fork), 0); // nothing was forked
    errno_of(SYS_umask, SECCOMP_RET_TRACE | 1, ENOSYS);
    errno_of(SYS_getpgrp, SECCOMP_RET_USER_NOTIF, ENOSYS);
    OK(filter_call(SYS_getpid, SECCOMP_RET_LOG));
    CHECK(syscall(SYS_getpid) > 0);
    CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
    CHECK(strstr(get_file("/proc/self/status"), "\nSeccomp:\t2\nSeccomp_filters:\t11\n"));
}

// The newest does not win over a stronger one, but of equals it does.
static void order(void)
{
    errno_of(SYS_getuid, SECCOMP_RET_ERRNO | 72, 72);
    errno_of(SYS_getuid, SECCOMP_RET_ERRNO | 73, 73);
    errno_of(SYS_getuid, SECCOMP_RET_ALLOW, 73);
    errno_of(SYS_getuid, SECCOMP_RET_TRACE, 73);
    OK(filter_call(SYS_getuid, SECCOMP_RET_KILL_THREAD));
    OK(filter_call(SYS_getuid, SECCOMP_RET_ERRNO | 1));
    syscall(SYS_getuid);
}

static void killed(void)
{
    OK(filter_call(SYS_getuid, SECCOMP_RET_KILL_PROCESS));
    syscall(SYS_getuid);
}

// What no constant says kills, too.
static void killed_by_unknown(void)
{
    OK(filter_call(SYS_getuid, 0x12340000));
    syscall(SYS_getuid);
}

static void handler(int sig, siginfo_t *info, void *context)
{
    caught++;
    CHECK_EQ(sig, SIGSYS);
    CHECK_EQ(info->si_code, 1);
    CHECK_EQ(info->si_errno, 0x1234);
    CHECK_EQ(info->si_arch, AUDIT_ARCH_X86_64);
    CHECK_EQ(info->si_syscall, SYS_mkdir);
    CHECK_EQ((u64)info->si_call_addr, GREG(context, RIP));
    CHECK_EQ(GREG(context, RAX), SYS_mkdir);
    CHECK_EQ(GREG(context, RDI), 5);
    GREG(context, RAX) = 4711;
}

static void trapped(void)
{
    catch_info(SIGSYS, handler, 0);
    OK(filter_call(SYS_mkdir, SECCOMP_RET_TRAP | 0x1234));
    CHECK_EQ(syscall(SYS_mkdir, 5, 6), 4711);
    CHECK_EQ(caught, 1);
    block(SIGSYS);
    syscall(SYS_mkdir, 5, 6);
}

static void trapped_ignored(void)
{
    signal(SIGSYS, SIG_IGN);
    OK(filter_call(SYS_mkdir, SECCOMP_RET_TRAP));
    syscall(SYS_mkdir, 5, 6);
}

static void sigreturn_killed(void)
{
    catch_info(SIGUSR1, (void (*)(int, siginfo_t *, void *))_exit, 0);
    signal(SIGUSR2, (void (*)(int))getpid);
    OK(filter_call(SYS_rt_sigreturn, SECCOMP_RET_KILL_PROCESS));
    raise(SIGUSR2);
}

// Both halves of an argument, and where the call was made.
long call_there(long nr, long arg);
extern char call_behind[];
__asm__(".pushsection .text\n"
        "call_there: mov %rdi, %rax\nmov %rsi, %rdi\nsyscall\n"
        "call_behind: ret\n"
        ".popsection");

static void by_argument(void)
{
    const u64 place = (u64)call_behind;
    struct sock_filter by_arg[] = {
        LOAD(nr),      UNLESS(SYS_close, 5),  LOAD_HIGH(args[0]),          UNLESS(0x1234, 3),
        LOAD(args[0]), UNLESS(0xffffffff, 1), SAY(SECCOMP_RET_ERRNO | 99), SAY(SECCOMP_RET_ALLOW)};
    struct sock_filter by_place[] = {LOAD(instruction_pointer),      UNLESS((u32)place, 3),
                                     LOAD_HIGH(instruction_pointer), UNLESS(place >> 32, 1),
                                     SAY(SECCOMP_RET_ERRNO | 98),    SAY(SECCOMP_RET_ALLOW)};
    OK(FILTER(by_arg));
    CHECK_ERR(syscall(SYS_close, 0x1234ffffffff), 99);
    CHECK_ERR(syscall(SYS_close, 0xffffffff), EBADF);
    CHECK_ERR(syscall(SYS_close, 0x1234fffffffe), EBADF);
    OK(FILTER(by_place));
    CHECK_EQ(call_there(SYS_close, -1), -98);
    CHECK_EQ(call_there(SYS_getpid, 0), -98);
    CHECK_ERR(close(-1), EBADF);
}

static void *refused_here(void *arg)
{
    (void)arg;
    CHECK_ERR(syscall(SYS_getppid), 71);
    return NULL;
}

static void *waits(void *arg)
{
    OK(filter_call(SYS_getuid, SECCOMP_RET_ERRNO | 70)); // this thread's alone
    while (!atomic_load((atomic_int *)arg))
        sched_yield();
    return NULL;
}

// Who is there already has nothing of it.
static void inherited(void)
{
    atomic_int end = 0;
    pthread_t before, behind;
    int status;
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_EQ(pthread_create(&before, NULL, waits, &end), 0);
    OK(filter_call(SYS_getppid, SECCOMP_RET_ERRNO | 71));
    CHECK_EQ(pthread_create(&behind, NULL, refused_here, NULL), 0);
    CHECK_EQ(pthread_join(behind, NULL), 0);
    CHECK(syscall(SYS_getuid) != 70 && (int)getuid() >= 0);
    atomic_store(&end, 1);
    CHECK_EQ(pthread_join(before, NULL), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        refused_here(NULL);
        _exit(5);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 5);
    pid = vfork();
    if (!pid) {
        long r = syscall(SYS_getppid);
        _exit(r == -1 && errno == 71 ? 6 : 1);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), 6);
    char *argv[] = {"/proc/self/exe", "again", NULL};
    OK(filter_call(SYS_getpgrp, SECCOMP_RET_ERRNO | 72));
    CHECK_EQ(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 7 << 8);
    execv("/proc/self/exe", argv);
}

static int after_exec(void)
{
    CHECK_ERR(syscall(SYS_getppid), 71);
    CHECK_ERR(syscall(SYS_getpgrp), 72);
    CHECK(strstr(get_file("/proc/self/status"),
                 "\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n"));
    CHECK_EQ(open("nothing", O_RDONLY), -1);
    CHECK_EQ(OK(dup(0)), 3); // no descriptor is left of it
    return 7;
}

static void *dies(void *arg)
{
    (void)arg;
    syscall(SYS_getuid);
    _exit(1);
}

static void thread_killed(void)
{
    pthread_t thread;
    OK(filter_call(SYS_getuid, SECCOMP_RET_KILL_THREAD));
    CHECK_EQ(pthread_create(&thread, NULL, dies, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    syscall(SYS_getuid); // the last one: the process
}

static void without_privilege(void)
{
    struct sock_filter allow[] = {SAY(SECCOMP_RET_ALLOW)};
    if (!geteuid())
        OK(setresuid(12345, 12345, 12345));
    CHECK_ERR(FILTER(allow), EACCES);
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    OK(FILTER(allow));
}

static void strict(void)
{
    OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    CHECK_EQ(write(2, "", 0), 0);
    syscall(SYS_exit, 9);
}

static void strict_killed(void)
{
    OK(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL));
    syscall(SYS_getpid);
}

static void strict_after_filter(void)
{
    struct sock_filter allow[] = {SAY(SECCOMP_RET_ALLOW)};
    OK(FILTER(allow));
    CHECK_ERR(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "again"))
        return after_exec();
    CHECK_EQ(status_of(without_privilege), 0);
    CHECK_EQ(status_of(kinds), 0);
    CHECK_EQ(status_of(order), SIGSYS);
    CHECK_EQ(status_of(killed), SIGSYS);
    CHECK_EQ(status_of(killed_by_unknown), SIGSYS);
    CHECK_EQ(status_of(trapped), SIGSYS);
    CHECK_EQ(status_of(trapped_ignored), SIGSYS);
    CHECK_EQ(status_of(sigreturn_killed), SIGSYS);
    CHECK_EQ(status_of(by_argument), 0);
    CHECK_EQ(status_of(inherited), 7 << 8);
    CHECK_EQ(status_of(thread_killed), SIGSYS);
    CHECK_EQ(status_of(strict), 9 << 8);
    CHECK_EQ(status_of(strict_killed), SIGKILL);
    CHECK_EQ(status_of(strict_after_filter), 0);
    CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
    return done();
}
