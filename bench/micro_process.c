// SPDX-License-Identifier: MIT
// Memory, processes and threads.
#include "micro.h"

#include <pthread.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 1024 };

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("mmap");
    return p;
}

static void run_mmap(long n)
{
    while (n--) {
        volatile char *p = map(PAGE);
        *p = 1;
        MUST(munmap((void *)p, PAGE));
    }
}

static volatile char *region;

static void prepare_fault(void)
{
    region = map(PAGES * PAGE);
    MUST(madvise((void *)region, PAGES * PAGE, MADV_NOHUGEPAGE));
}

// One operation is one fault; one call in PAGES of them gives the memory back.
static void run_fault(long n)
{
    static long at;
    for (; n--; at = (at + 1) % PAGES) {
        if (!at)
            MUST(madvise((void *)region, PAGES * PAGE, MADV_DONTNEED));
        region[at * PAGE] = 1;
    }
}

static void reap(pid_t child)
{
    int status;
    MUST(child);
    if (waitpid(child, &status, 0) != child || status)
        die("the child failed");
}

static void run_fork(long n)
{
    while (n--) {
        pid_t child = fork();
        if (!child)
            _exit(0);
        reap(child);
    }
}

static void fork_exec(long n, char **argv)
{
    while (n--) {
        pid_t child = fork();
        if (!child) {
            execv(argv[0], argv);
            _exit(127);
        }
        reap(child);
    }
}

static void run_exec_static(long n)
{
    fork_exec(n, (char *[]){self, "--nothing", NULL});
}

static char *program[] = {"/bin/true", NULL}; // dynamic in every distribution

static void run_exec_dynamic(long n)
{
    fork_exec(n, program);
}

static void run_spawn(long n)
{
    while (n--) {
        pid_t child = -1;
        if (posix_spawn(&child, program[0], NULL, NULL, program, environ))
            die("posix_spawn");
        reap(child);
    }
}

static void *nothing(void *arg)
{
    return arg;
}

static void run_thread(long n)
{
    while (n--) {
        pthread_t t;
        if (pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL))
            die("pthread_create or pthread_join");
    }
}

const struct work process_works[] = {
    {"mmap", run_mmap, NULL},
    {"fault", run_fault, prepare_fault},
    {"fork", run_fork, NULL},
    {"exec-static", run_exec_static, NULL},
    {"exec-dynamic", run_exec_dynamic, NULL},
    {"spawn", run_spawn, NULL},
    {"thread", run_thread, NULL},
    {0},
};
