// SPDX-License-Identifier: MIT
// System calls from code made at run time: written bytes, code rewritten in place, a changed page
// of the program's own text, a file mapping made executable later, a memfd mapped twice, and after
// fork. Whatever translates the calls has to catch them wherever they stand.
// covers: mmap, mprotect, memfd_create, mremap, getppid, clone
#include "sig.h"
#include <sys/mman.h>

typedef long (*code)(void);

// mov $nr, %eax; syscall; ret
static size_t emit(unsigned char *p, int nr)
{
    static const unsigned char bytes[] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3};

    memcpy(p, bytes, sizeof(bytes));
    memcpy(p + 1, &nr, 4);
    return sizeof(bytes);
}

long own(long nr, long a, long b, long c);
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        ".globl own\n"
        "own:\n"
        "    mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx\n"
        "    syscall\n"
        "    ret\n"
        ".balign 4096\n"
        ".popsection\n");

static void *run(void *arg)
{
    for (int i = 0; i < 100; i++)
        CHECK_EQ(((code)arg)(), getppid());
    return NULL;
}

int main(void)
{
    unsigned char *p, *w, *x;
    pthread_t th[2];
    int fd;
    pid_t pid;

    // Writable, then executable.
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    emit(p, SYS_getppid);
    emit(p + 4096 - 6, SYS_getpid); // 0f 05 across the page's end
    CHECK(mprotect(p, 8192, PROT_READ | PROT_EXEC) == 0);
    CHECK_EQ(((code)p)(), getppid());
    CHECK_EQ(((code)(p + 4096 - 6))(), getpid());
    // Rewritten.
    for (int i = 0; i < 20; i++) {
        CHECK(mprotect(p, 8192, PROT_READ | PROT_WRITE) == 0);
        emit(p, i % 2 ? SYS_gettid : SYS_getppid);
        CHECK(mprotect(p, 8192, PROT_READ | PROT_EXEC) == 0);
        CHECK_EQ(((code)p)(), i % 2 ? tid() : getppid());
    }
    // Moved.
    x = mremap(p, 8192, 16384, MREMAP_MAYMOVE);
    CHECK(x != MAP_FAILED && ((code)x)() == tid());
    // All permissions at once, rewritten while mapped.
    w = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(w != MAP_FAILED);
    for (int i = 0; i < 200; i++) {
        emit(w + i, i % 2 ? SYS_getpid : SYS_getppid);
        CHECK_EQ(((code)(w + i))(), i % 2 ? getpid() : getppid());
    }
    // From several threads, and in a child.
    emit(w, SYS_getppid);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&th[i], NULL, run, w) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_join(th[i], NULL) == 0);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(((code)w)(), getppid());
        emit(w, SYS_getpid);
        CHECK_EQ(((code)w)(), getpid());
        _exit(0);
    }
    wait_ok(pid);

    // This program's own text, made writable and changed under its own address.
    CHECK_EQ(own(SYS_getpid, 0, 0, 0), getpid());
    CHECK(mprotect((void *)own, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    emit((unsigned char *)own, SYS_getppid);
    CHECK_EQ(own(0, 0, 0, 0), getppid());

    // A memfd seen twice: written here, executed there.
    fd = OK(memfd_create("code", 0));
    CHECK(ftruncate(fd, 4096) == 0);
    w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    CHECK(w != MAP_FAILED && x != MAP_FAILED);
    for (int i = 0; i < 100; i++) {
        emit(w, i % 2 ? SYS_getpid : SYS_getppid);
        CHECK_EQ(((code)x)(), i % 2 ? getpid() : getppid());
    }
    // Code in a file, mapped private.
    fd = OK(open("code", O_RDWR | O_CREAT, 0600));
    CHECK(write(fd, w, 4096) == 4096);
    x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    CHECK(x != MAP_FAILED && ((code)x)() == getpid());
    // On the stack.
    unsigned char page[8192], *at = (unsigned char *)(((uintptr_t)page + 4095) & -4096ul);
    emit(at, SYS_getppid);
    CHECK(mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    CHECK_EQ(((code)at)(), getppid());
    return done();
}
