// SPDX-License-Identifier: MIT
// process_vm_readv and process_vm_writev: own memory, a child's, several pieces, partial transfers
// at a bad address, and the errors.
// covers: process_vm_readv, process_vm_writev
#include "sig.h"
#include <sys/mman.h>
#include <sys/uio.h>

static char mine[4096], theirs[4096];

static ssize_t rd(pid_t pid, void *to, size_t n, void *from, size_t m)
{
    struct iovec l = {to, n}, r = {from, m};

    return process_vm_readv(pid, &l, 1, &r, 1, 0);
}

static ssize_t wr(pid_t pid, void *from, size_t n, void *to, size_t m)
{
    struct iovec l = {from, n}, r = {to, m};

    return process_vm_writev(pid, &l, 1, &r, 1, 0);
}

int main(void)
{
    int ready[2], gate[2];
    pid_t pid, gone;
    char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), c;

    CHECK(two != MAP_FAILED && munmap(two + 4096, 4096) == 0);
    strcpy(theirs, "hello");
    CHECK(rd(getpid(), mine, 6, theirs, 6) == 6 && strcmp(mine, "hello") == 0);
    CHECK(wr(getpid(), "world", 6, theirs, 6) == 6 && strcmp(theirs, "world") == 0);

    CHECK(pipe(ready) == 0 && pipe(gate) == 0);
    pid = OK(fork());
    if (pid == 0) {
        strcpy(theirs, "child's text");
        memset(two, 'z', 4096);
        CHECK(write(ready[1], "r", 1) == 1 && read(gate[0], &c, 1) == 1);
        CHECK(strcmp(theirs, "CHILD'S text") == 0);
        _exit(0);
    }
    CHECK(read(ready[0], &c, 1) == 1);
    CHECK(rd(pid, mine, 4096, theirs, 13) == 13 && strcmp(mine, "child's text") == 0);
    CHECK(strcmp(theirs, "world") == 0);
    struct iovec l[2] = {{mine, 3}, {mine + 100, 50}},
                 r[3] = {{theirs, 2}, {theirs + 8, 1}, {theirs, 5}};
    memset(mine, 0, sizeof(mine));
    CHECK_EQ(process_vm_readv(pid, l, 2, r, 3, 0), 8);
    CHECK(memcmp(mine, "cht", 3) == 0 && memcmp(mine + 100, "child", 5) == 0);
    // Ends at the hole.
    CHECK_EQ(rd(pid, mine, 200, two + 4096 - 100, 200), 100);
    CHECK(mine[99] == 'z');
    CHECK_ERR(rd(pid, mine, 10, two + 4096, 10), EFAULT);
    CHECK_ERR(rd(pid, (void *)8, 10, theirs, 10), EFAULT);
    CHECK_ERR(wr(pid, "x", 1, (void *)rd, 1), EFAULT); // read-only there
    CHECK_ERR(process_vm_readv(pid, l, 1, r, 1, 1), EINVAL);
    CHECK_ERR(process_vm_readv(pid, l, 2000, r, 1, 0), EINVAL);
    CHECK_ERR(process_vm_readv(pid, (void *)8, 1, r, 1, 0), EFAULT);
    CHECK_EQ(process_vm_readv(pid, l, 0, r, 0, 0), 0);
    CHECK(wr(pid, "CHILD'S", 7, theirs, 7) == 7 && write(gate[1], "g", 1) == 1);
    wait_ok(pid);
    gone = pid;
    CHECK_ERR(rd(gone, mine, 1, theirs, 1), ESRCH);
    CHECK_EQ(rd(gone, mine, 0, theirs, 1), 0); // nothing to copy: nobody is asked
    CHECK_EQ(rd(gone, mine, 1, theirs, 0), 0);
    CHECK_EQ(process_vm_readv(gone, NULL, 0, r, -1, 0), 0);
    CHECK_ERR(rd(gone, (void *)-4096, 1, (void *)8, -1), EFAULT);
    return done();
}
