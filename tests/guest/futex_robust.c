// SPDX-License-Identifier: MIT
// Robust mutexes: when their owner dies (thread end, exit, SIGKILL, execve) the next one gets
// EOWNERDEAD, within a process and between processes; get_robust_list finds the list of each
// thread.
// covers: set_robust_list, get_robust_list, futex, exit, execve
#include "sig.h"
#include <linux/futex.h>
#include <sys/mman.h>

static pthread_mutex_t *m;

static void *take(void *arg)
{
    CHECK(pthread_mutex_lock(m) == 0);
    return arg;
}

static void *own_list(void *arg)
{
    struct robust_list_head *head = NULL;
    size_t len = 0;

    CHECK(syscall(SYS_get_robust_list, 0, &head, &len) == 0);
    CHECK(head && len == sizeof(*head));
    *(void **)arg = head;
    return NULL;
}

static void recover(void)
{
    CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
    CHECK(pthread_mutex_consistent(m) == 0);
    CHECK(pthread_mutex_unlock(m) == 0);
    CHECK(pthread_mutex_lock(m) == 0 && pthread_mutex_unlock(m) == 0);
}

enum { EXIT, KILL, THREAD_EXIT, EXEC, CRASH, WAYS };

static void dies(int how)
{
    struct rlimit none = {0, 0};
    pthread_t th;

    setrlimit(RLIMIT_CORE, &none);
    CHECK(pthread_mutex_lock(m) == 0);
    switch (how) {
    case EXIT:
        _exit(0);
    case KILL:
        kill(getpid(), SIGKILL);
        break;
    case THREAD_EXIT: // a second thread dies with another lock state
        CHECK(pthread_mutex_unlock(m) == 0);
        CHECK(pthread_create(&th, NULL, take, NULL) == 0 && pthread_join(th, NULL) == 0);
        _exit(0);
    case EXEC:
        execl("/proc/self/exe", "x", "again", NULL);
        break;
    case CRASH:
        *(volatile int *)8 = 1;
    }
    _exit(1);
}

int main(int argc, char **argv)
{
    pthread_mutexattr_t at;
    struct robust_list_head *mine = NULL, *others = NULL;
    size_t len;
    pthread_t th;

    (void)argv;
    if (argc > 1)
        return 0;
    m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(m != MAP_FAILED);
    CHECK(pthread_mutexattr_init(&at) == 0);
    CHECK(pthread_mutexattr_setrobust(&at, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutexattr_setpshared(&at, PTHREAD_PROCESS_SHARED) == 0);
    for (int pi = 0; pi < 2; pi++) {
        CHECK(pthread_mutexattr_setprotocol(&at, pi ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE) ==
              0);
        CHECK(pthread_mutex_init(m, &at) == 0);
        CHECK(pthread_create(&th, NULL, take, NULL) == 0 && pthread_join(th, NULL) == 0);
        recover();
        for (int how = 0; how < WAYS; how++) {
            pid_t pid = OK(fork());

            if (pid == 0)
                dies(how);
            CHECK(waitpid(pid, NULL, 0) == pid);
            recover();
            // Waiting while the owner dies.
            int p[2];
            char c;
            CHECK(pipe(p) == 0);
            pid = OK(fork());
            if (pid == 0) {
                CHECK(pthread_mutex_lock(m) == 0);
                CHECK(write(p[1], "x", 1) == 1);
                pause();
            }
            CHECK(read(p[0], &c, 1) == 1);
            CHECK_EQ(pthread_mutex_trylock(m), EBUSY);
            CHECK(kill(pid, SIGKILL) == 0);
            recover(); // before it is reaped
            CHECK(waitpid(pid, NULL, 0) == pid);
            close(p[0]), close(p[1]);
        }
        CHECK(pthread_mutex_destroy(m) == 0);
    }
    CHECK(syscall(SYS_get_robust_list, 0, &mine, &len) == 0 && mine);
    CHECK(syscall(SYS_get_robust_list, tid(), &others, &len) == 0 && others == mine);
    CHECK(pthread_create(&th, NULL, own_list, &others) == 0 && pthread_join(th, NULL) == 0);
    CHECK(others != mine);
    CHECK_ERR(syscall(SYS_set_robust_list, mine, 1), EINVAL);
    CHECK(syscall(SYS_set_robust_list, mine, sizeof(*mine)) == 0);
    CHECK_ERR(syscall(SYS_get_robust_list, 0, 8, &len), EFAULT);
    CHECK_ERR(syscall(SYS_get_robust_list, 0x3fffffff, &mine, &len), ESRCH);
    return done();
}
