// SPDX-License-Identifier: MIT
// 10,000 damaged ELF files through execve: each ends as on Linux, with the same errno or the same
// death. The damage is in the headers only, so that no stray code runs.
// covers: execve
// timeout: 120
// level: test
// trap: slow ptrace: thousands of programs started
#include "elfimage.h"

#include <sys/resource.h>

#define FILES 10000
#define VADDR 0x400000

struct image {
    Elf64_Ehdr ehdr;
    Elf64_Phdr phdr[4];
    char interp[16];
    unsigned char code[16];
    char data[64];
};

static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void make(struct image *m, int type, int interp)
{
    *m = (struct image){
        .ehdr =
            elf_header(type, VADDR + offsetof(struct image, code), offsetof(struct image, phdr), 4),
        .interp = "./interp",
        .code = EXIT_42,
    };
    m->phdr[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0, VADDR, VADDR, sizeof *m, sizeof *m, 4096};
    m->phdr[1] = (Elf64_Phdr){PT_LOAD,         PF_R | PF_W, 0,      VADDR + 0x10000,
                              VADDR + 0x10000, sizeof *m,   0x3000, 4096};
    m->phdr[2] = (Elf64_Phdr){PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16};
    m->phdr[3] = (Elf64_Phdr){interp ? PT_INTERP : PT_NULL,
                              PF_R,
                              offsetof(struct image, interp),
                              0,
                              0,
                              sizeof("./interp"),
                              0,
                              1};
}

// Low addresses are left out: whether they can be mapped is a matter of privilege
// (vm.mmap_min_addr).
static int low_address(const struct image *m)
{
    for (int i = 0; i < 4; i++)
        if (m->phdr[i].p_type == PT_LOAD && m->phdr[i].p_vaddr < 0x10000)
            return 1;
    return 0;
}

// One to three fields get another value, mostly an edge.
static void damage(struct image *m)
{
    static const uint64_t edges[] = {0,          1,          2,          3,     0xff,
                                     0x7fff,     0xffff,     0x1000,     0xfff, 0x7fffffff,
                                     0xffffffff, 1ull << 47, 1ull << 63, ~0ull, VADDR,
                                     VADDR + 1,  62,         4,          56};
    for (int n = 1 + rnd() % 3; n > 0; n--) {
        size_t at = rnd() % offsetof(struct image, code);
        uint64_t v = rnd() % 4 ? edges[rnd() % (sizeof edges / sizeof edges[0])] : rnd();
        size_t size = 1u << rnd() % 4;
        at &= ~(size - 1);
        if (at + size > offsetof(struct image, code))
            continue;
        memcpy((char *)m + at, &v, size);
    }
}

static void put(const char *name, const void *p, size_t n)
{
    unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT, 0700);
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    CHECK(fchmod(fd, 0700) == 0 && close(fd) == 0);
}

static int death(int sig)
{
    return 1000 + (sig == SIGBUS ? SIGSEGV : sig);
}

// -errno of execve, an exit status, or 1000 + signal. An entry in a hole between segments may meet
// the vDSO's data there, by chance: SIGBUS counts as SIGSEGV.
static int outcome(void)
{
    int status, p[2], err = 0;
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    pid_t pid = vfork();
    if (pid == 0) {
        execl("./m", "m", NULL);
        err = errno;
        (void)!write(p[1], &err, sizeof err);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    close(p[1]);
    int got = read(p[0], &err, sizeof err) == sizeof err ? -err
              : WIFSIGNALED(status)                      ? death(WTERMSIG(status))
                                                         : WEXITSTATUS(status);
    close(p[0]);
    return got;
}

int main(void)
{
    struct image m;
    struct rlimit core = {0, 0}, cpu = {60, 60};
    CHECK(setrlimit(RLIMIT_CORE, &core) == 0 && setrlimit(RLIMIT_CPU, &cpu) == 0);
    make(&m, ET_DYN, 0);
    put("interp", &m, sizeof m);
    for (int i = 0; i < FILES; i++) {
        make(&m, rnd() % 2 ? ET_EXEC : ET_DYN, rnd() % 3 == 0);
        size_t size = sizeof m;
        if (i % 7 == 0)
            size = rnd() % sizeof m;
        if (i % 11) {
            struct image whole = m;
            do {
                m = whole;
                damage(&m);
            } while (low_address(&m));
        }
        put("m", &m, size);
        int got = outcome();
        printf("%d: %d\n", i, got);
    }
    return done();
}
