// SPDX-License-Identifier: MIT
// Calls on memory that may be missing in a kernel: membarrier, remap_file_pages, mseal, the memory
// policy family. What works is used; what is missing has to be missing with the same error.
// covers: membarrier, remap_file_pages, mseal, get_mempolicy
// covers: set_mempolicy, mbind, migrate_pages, move_pages, set_mempolicy_home_node
// covers: memfd_secret
// trap: not container,old: such a host refuses the memory policy calls, or has no mseal and memfd_secret
#include "sig.h"
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define RW (PROT_READ | PROT_WRITE)

int main(void)
{
    long all = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0), ret;
    int fd, mode = -1, status = -1;
    unsigned long nodes = 0;
    void *page;
    char *p;

    CHECK(all > 0 && (all & MEMBARRIER_CMD_GLOBAL) && (all & MEMBARRIER_CMD_PRIVATE_EXPEDITED));
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0);
    CHECK_ERR(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0),
              EPERM); // not registered
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
    CHECK_ERR(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);

    // The emulated remap_file_pages: swaps the two pages of a shared file mapping.
    fd = OK(open("file", O_RDWR | O_CREAT, 0600));
    CHECK(ftruncate(fd, 8192) == 0 && pwrite(fd, "A", 1, 0) == 1 && pwrite(fd, "B", 1, 4096) == 1);
    p = mmap(NULL, 8192, RW, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED && p[0] == 'A' && p[4096] == 'B');
    CHECK(remap_file_pages(p, 4096, 0, 1, 0) == 0 && p[0] == 'B' && p[4096] == 'B');
    CHECK_ERR(remap_file_pages(p, 4096, PROT_READ, 0, 0), EINVAL);

    page = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ret = syscall(462 /* mseal */, page, 4096, 0);
    printf("mseal: %s\n", ret ? strerror(errno) : "0");
    if (ret == 0) {
        CHECK_ERR(munmap(page, 4096), EPERM);
        CHECK_ERR(mprotect(page, 4096, PROT_READ), EPERM);
        CHECK_ERR(mremap(page, 4096, 8192, MREMAP_MAYMOVE), EPERM);
        CHECK_ERR(syscall(462, page, 4096, 1), EINVAL);
        CHECK_ERR(syscall(462, (char *)page + 1, 4096, 0), EINVAL);
        *(char *)page = 1;
    }

    fd = syscall(SYS_memfd_secret, 0);
    printf("memfd_secret: %s\n", fd < 0 ? strerror(errno) : "0");
    if (fd >= 0) {
        CHECK(ftruncate(fd, 4096) == 0);
        p = mmap(NULL, 4096, RW, MAP_SHARED, fd, 0);
        CHECK(p != MAP_FAILED);
        strcpy(p, "secret");
        char copy[8];
        struct iovec to = {copy, 6}, from = {p, 6};
        CHECK_ERR(process_vm_readv(getpid(), &to, 1, &from, 1, 0), EFAULT); // not even oneself
        CHECK(strcmp(p, "secret") == 0 && munmap(p, 4096) == 0 && close(fd) == 0);
    }

    page = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(char *)page = 1;
    ret = syscall(SYS_get_mempolicy, &mode, &nodes, 64, NULL, 0);
    printf("get_mempolicy: %s %d\n", ret ? strerror(errno) : "0", mode);
    ret = syscall(SYS_set_mempolicy, 0, NULL, 0);
    printf("set_mempolicy: %s\n", ret ? strerror(errno) : "0");
    nodes = 1;
    ret = syscall(SYS_mbind, page, 4096, 2 /* MPOL_BIND */, &nodes, 64, 0);
    printf("mbind: %s\n", ret ? strerror(errno) : "0");
    ret = syscall(SYS_mbind, page, 4096, 99, &nodes, 64, 0);
    printf("mbind, bad mode: %s\n", ret ? strerror(errno) : "0");
    ret = syscall(SYS_set_mempolicy_home_node, page, 4096, 0, 0);
    printf("set_mempolicy_home_node: %s\n", ret ? strerror(errno) : "0");
    ret = syscall(SYS_migrate_pages, getpid(), 64, &nodes, &nodes);
    printf("migrate_pages: %s\n", ret ? strerror(errno) : "0");
    ret = syscall(SYS_move_pages, 0, 1ul, &page, NULL, &status, 0);
    printf("move_pages: %s %d\n", ret ? strerror(errno) : "0", status);
    return done();
}
