// SPDX-License-Identifier: MIT
// A process whose code is all known comes by code that nobody has looked at, each child in another
// way, and the calls of that code are made rightly from the first one on.
// covers: mmap, mprotect, shmat, personality, vfork, memfd_create, getuid
// needs: root
#include "sig.h"
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>

typedef long (*code)(void);

// Who serves a call is told by this: to the host, an ordinary user's process has no such id.
#define UID 12345

// mov $SYS_getuid, %eax; syscall; ret
static const unsigned char bytes[]
    __attribute__((aligned(4096))) = {0xb8, SYS_getuid, 0, 0, 0, 0x0f, 0x05, 0xc3};

static unsigned char *writable(void)
{
    unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return memcpy(p, bytes, sizeof(bytes));
}

static unsigned char *executable(void)
{
    unsigned char *p = writable();

    CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
    return p;
}

static void check_code(const void *p)
{
    CHECK_EQ(((code)p)(), UID);
}

static void protected(void)
{
    check_code(executable());
}

static void all_at_once(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    check_code(memcpy(p, bytes, sizeof(bytes)));
}

static void of_a_memfd(void)
{
    int fd = OK(memfd_create("code", 0));

    CHECK_EQ(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    check_code(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
}

static void of_a_file(void)
{
    int fd = OK(open("code", O_RDWR | O_CREAT | O_TRUNC, 0600));

    CHECK_EQ(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
    check_code(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
}

static void of_sysv_memory(void)
{
    int id = OK(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0700));
    void *w = OK(shmat(id, NULL, 0));

    memcpy(w, bytes, sizeof(bytes));
    void *x = OK(shmat(id, NULL, SHM_EXEC));
    OK(shmctl(id, IPC_RMID, NULL));
    check_code(x);
}

static void on_the_stack(void)
{
    unsigned char page[8192], *at = (unsigned char *)(((uintptr_t)page + 4095) & -4096ul);

    memcpy(at, bytes, sizeof(bytes));
    CHECK_EQ(mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    check_code(at);
}

static void by_personality(void)
{
    CHECK(personality(READ_IMPLIES_EXEC) != -1);
    check_code(writable());
}

long own(void);
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "own: mov $-1, %rax; ret\n"
        ".balign 4096\n"
        ".popsection\n");

static void in_its_own_text(void)
{
    CHECK_EQ(own(), -1);
    CHECK_EQ(mprotect((void *)own, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    memcpy((void *)own, bytes, sizeof(bytes));
    check_code((void *)own);
}

static void by_proc_mem(void)
{
    int fd = open("/proc/self/mem", O_RDWR);

    CHECK(fd >= 0);
    CHECK_EQ(pwrite(fd, bytes, sizeof(bytes), (off_t)(uintptr_t)own), sizeof(bytes));
    check_code((void *)own);
}

static unsigned char *shared_page;

static void of_a_vfork_child(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        shared_page = executable();
        _exit(((code)shared_page)() != UID);
    }
    wait_ok(pid);
    check_code(shared_page);
}

static void *map_and_run(void *arg)
{
    (void)arg;
    shared_page = executable();
    check_code(shared_page);
    return NULL;
}

static void of_a_thread(void)
{
    pthread_t th;

    CHECK_EQ(pthread_create(&th, NULL, map_and_run, NULL), 0);
    CHECK_EQ(pthread_join(th, NULL), 0);
    check_code(shared_page);
}

static void after_fork(void)
{
    unsigned char *p = executable();
    pid_t pid = OK(fork());

    check_code(p);
    if (pid == 0)
        _exit(0);
    wait_ok(pid);
}

// In the handler of a signal, whose return is a call as well.
static void handler(int sig)
{
    (void)sig;
    check_code(executable());
}

static void in_a_handler(void)
{
    CHECK(signal(SIGUSR1, handler) != SIG_ERR);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    check_code(executable());
}

// The instruction itself, without what stands before it; and in a loop that jumps to it.
long jumped(long nr);
__asm__(".pushsection .text\n"
        "jumped: mov %rdi, %rax; xor %edx, %edx; jmp 2f\n"
        "1: xor %edi, %edi\n"
        "2: syscall\n"
        "   test %edx, %edx; jnz 3f\n"
        "   inc %edx; mov $102, %eax; jmp 2b\n"
        "3: ret\n"
        ".popsection\n");

static void at_the_instruction(void)
{
    CHECK_EQ(jumped(SYS_getppid), UID);
    CHECK_EQ(jumped(SYS_getuid), UID);
}

int main(void)
{
    void (*const way[])(void) = {
        protected,        all_at_once,    of_a_memfd,      of_a_file,          of_sysv_memory,
        on_the_stack,     by_personality, in_its_own_text, by_proc_mem,        of_a_thread,
        of_a_vfork_child, after_fork,     in_a_handler,    at_the_instruction,
    };

    CHECK_EQ(chmod(".", 0777), 0);
    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        pid_t pid = OK(fork());
        if (pid == 0) {
            uid_t effective = way[i] == by_proc_mem ? 0 : UID; // others may not open it

            CHECK_EQ(setresuid(UID, effective, effective), 0);
            way[i]();
            _exit(0);
        }
        wait_ok(pid);
        printf("%zu\n", i);
    }
    return done();
}
