// SPDX-License-Identifier: MIT
// Code in the middle of a program that nothing in it leads to, so that whoever looks for its system
// calls takes it for a table: it is shown and read as what it is, its calls are made rightly when
// it runs after all, in whatever thread or process first, and it obeys mprotect and munmap.
// covers: umask, mprotect, munmap, mremap, vfork, clone
#include "sig.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define MASK 0351 // of this process alone
#define SECRET 0x123456789

// mov $umask, %eax; syscall; ret, in pages of their own. How the program finds them shows nowhere.
// Between them are pages that are executed, or not even known.
extern const uintptr_t secret[3];
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "1: mov $95, %eax; syscall; ret\n"
        ".balign 4096\n"
        "   .fill 4096, 1, 0xcc\n"
        "2: mov $95, %eax; syscall; ret\n"
        ".balign 4096\n"
        ".globl known; .type known, @function; known: mov $95, %eax; ret\n"
        ".balign 4096\n"
        "3: mov $95, %eax; syscall; ret\n"
        ".balign 4096\n"
        ".popsection\n"
        ".pushsection .rodata\n"
        ".balign 8\n"
        ".globl secret\n"
        "secret: .quad 1b + 0x123456789, 2b + 0x123456789, 3b + 0x123456789\n"
        ".popsection\n");
typedef long (*code)(long arg);
long known(long arg);
static const unsigned char bytes[] = {0xb8, SYS_umask, 0, 0, 0, 0x0f, 0x05, 0xc3};

static unsigned char *place(int i)
{
    return (unsigned char *)(secret[i] - SECRET);
}

static void run(int i)
{
    for (int k = 0; k < 3; k++)
        CHECK_EQ(((code)place(i))(MASK), MASK);
    CHECK_EQ(getppid(), syscall(SYS_getppid));
}

// The protection of all of the program's text is the same.
static void check_maps(const char *perm)
{
    FILE *f = fopen("/proc/self/maps", "r");
    unsigned long from, to;
    char line[400], got[5];
    int in = 0;

    CHECK(f);
    while (fgets(line, sizeof(line), f)) {
        CHECK_EQ(sscanf(line, "%lx-%lx %4s", &from, &to, got), 3);
        if (from > (uintptr_t)place(2) || to <= (uintptr_t)place(0))
            continue;
        CHECK_STR(got, perm);
        in++;
    }
    CHECK_EQ(in, 1);
    fclose(f);
}

static void first(void)
{
    run(0);
}

static void each(void)
{
    for (int i = 2; i >= 0; i--) {
        CHECK(!memcmp(place(i), bytes, sizeof(bytes)));
        run(i);
        check_maps("r-xp");
    }
}

static void in_a_child(void)
{
    pid_t pid = OK(fork());

    run(1);
    if (pid == 0)
        _exit(0);
    wait_ok(pid);
    pid = vfork();
    if (pid == 0) {
        run(2);
        _exit(0);
    }
    wait_ok(pid);
    run(2);
}

static atomic_int ready, go;

static void *runs(void *arg)
{
    ready++;
    while (!go)
        ;
    run((int)(intptr_t)arg);
    return NULL;
}

static void *calls(void *arg)
{
    ready++;
    while (!go)
        CHECK_EQ(umask(MASK), MASK);
    return arg;
}

static void in_threads(void)
{
    pthread_t th[8];

    for (intptr_t i = 0; i < 8; i++)
        CHECK_EQ(pthread_create(&th[i], NULL, i % 2 ? calls : runs, (void *)(i % 3)), 0);
    while (ready < 8)
        sched_yield();
    go = 1;
    for (int i = 0; i < 8; i++)
        CHECK_EQ(pthread_join(th[i], NULL), 0);
}

static void handler(int sig)
{
    (void)sig;
    run(1);
}

static void in_a_handler(void)
{
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    CHECK_EQ(raise(SIGUSR1), 0);
    run(1);
}

static sigjmp_buf back;
static volatile int reason;

static void faulted(int sig, siginfo_t *info, void *uc)
{
    (void)sig;
    (void)uc;
    CHECK(info->si_addr == place(1) || info->si_addr == (void *)known);
    reason = info->si_code;
    siglongjmp(back, 1);
}

static int run_fault(code f)
{
    struct sigaction sa = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};

    OK(sigaction(SIGSEGV, &sa, NULL));
    reason = 0;
    if (!sigsetjmp(back, 1))
        f(MASK);
    return reason;
}

static void protected(void)
{
    CHECK_EQ(mprotect(place(1), 4096, PROT_READ), 0);
    CHECK_EQ(run_fault((code)place(1)), SEGV_ACCERR);
    CHECK_EQ(run_fault((code)place(1)), SEGV_ACCERR);
    run(0);
    run(2);
    CHECK_EQ(mprotect(place(1), 4096, PROT_READ | PROT_EXEC), 0);
    run(1);
    CHECK_EQ(known(0), SYS_umask);
    check_maps("r-xp");
}

static void protected_when_it_ran(void)
{
    run(1);
    protected();
}

static void protected_again(void)
{
    CHECK_EQ(mprotect(place(0), 5 * 4096 + 1, PROT_READ | PROT_EXEC), 0);
    run(1);
    CHECK_EQ(mprotect(place(1), 1, PROT_NONE), 0);
    CHECK_EQ(run_fault((code)place(1)), SEGV_ACCERR);
    run(0);
}

static void written(void)
{
    unsigned char *p = place(1);

    CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    run(1);
    p[1] = SYS_getppid;
    CHECK_EQ(((code)p)(0), getppid());
    run(2);
}

static void unmapped(void)
{
    CHECK_EQ(munmap(place(1), 4096), 0);
    CHECK_EQ(run_fault((code)place(1)), SEGV_MAPERR);
    CHECK(mmap(place(1), 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
          MAP_FAILED);
    CHECK_EQ(run_fault((code)place(1)), SEGV_ACCERR);
    run(0);
    run(2);
}

static void moved(void)
{
    unsigned char *to = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(mremap(place(1), 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    CHECK_EQ(((code)to)(MASK), MASK);
    CHECK_EQ(run_fault((code)place(1)), SEGV_MAPERR);
    run(0);
}

// So does code that is known.
static void known_protected(void)
{
    CHECK_EQ(mprotect((void *)known, 4096, PROT_NONE), 0);
    CHECK_EQ(run_fault(known), SEGV_ACCERR);
    CHECK_EQ(mprotect((void *)known, 4096, PROT_READ | PROT_EXEC), 0);
    CHECK_EQ(known(0), SYS_umask);
}

int main(void)
{
    void (*const way[])(void) = {
        first,
        each,
        in_a_child,
        in_threads,
        in_a_handler,
        protected,
        protected_when_it_ran,
        protected_again,
        written,
        unmapped,
        moved,
        known_protected,
    };

    umask(MASK);
    CHECK_EQ(known(0), SYS_umask);
    check_maps("r-xp");
    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        pid_t pid = OK(fork());
        if (pid == 0) {
            way[i]();
            _exit(0);
        }
        wait_ok(pid);
        printf("%zu\n", i);
    }
    return done();
}
