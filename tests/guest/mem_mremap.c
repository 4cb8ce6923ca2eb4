// SPDX-License-Identifier: MIT
// mremap: shrinks in place, grows in place or moves, FIXED replaces, DONTUNMAP leaves an empty
// original, old length 0 doubles a shared mapping, and the errors.
// covers: mremap
#include "sig.h"
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define RW (PROT_READ | PROT_WRITE)

static char *map(size_t len, int flags)
{
    char *p = mmap(NULL, len, RW, flags | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

static int mapped(char *p)
{
    unsigned char v;

    return mincore(p, 4096, &v) == 0;
}

int main(void)
{
    char *p, *q, *to;

    p = map(4 * 4096, MAP_PRIVATE);
    for (int i = 0; i < 4; i++)
        p[4096 * i] = 10 + i;
    CHECK(mremap(p, 4 * 4096, 2 * 4096, 0) == p);
    CHECK(mapped(p + 4096) && !mapped(p + 8192));
    CHECK(mremap(p, 2 * 4096, 4 * 4096, 0) == p); // the room is still free
    CHECK(p[4096] == 11 && p[8192] == 0);
    // Something in the way: ENOMEM, or it moves.
    CHECK(mmap(p + 8192, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + 8192);
    CHECK_ERR(mremap(p, 8192, 4 * 4096, 0), ENOMEM);
    q = mremap(p, 8192, 64 * 4096, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p && q[0] == 10 && q[4096] == 11 && q[8192] == 0);
    CHECK(!mapped(p) && !mapped(p + 4096) && mapped(p + 8192));
    q[64 * 4096 - 1] = 9;

    // Fixed.
    to = map(4 * 4096, MAP_PRIVATE);
    memset(to, 7, 4 * 4096);
    CHECK(mremap(q, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    CHECK(to[0] == 10 && to[4096] == 11 && to[8192] == 7 && !mapped(q) && mapped(q + 8192));
    CHECK_ERR(mremap(to, 4096, 4096, MREMAP_FIXED, q), EINVAL);
    CHECK_ERR(mremap(to, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, q + 1), EINVAL);
    CHECK_ERR(mremap(to, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, to + 4096), EINVAL);

    // The original stays mapped, but empty.
    q = mremap(to, 8192, 8192, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    CHECK(q != MAP_FAILED && q != to && q[0] == 10 && q[4096] == 11);
    CHECK(mapped(to) && to[0] == 0 && to[4096] == 0);
    CHECK_ERR(mremap(q, 8192, 4096, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), EINVAL);
    CHECK_ERR(mremap(q, 8192, 8192, MREMAP_DONTUNMAP, NULL), EINVAL);

    // Length 0 of a shared mapping: seen twice.
    p = map(8192, MAP_SHARED);
    q = mremap(p, 0, 8192, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    p[5000] = 3;
    CHECK(q[5000] == 3);
    q = map(4096, MAP_PRIVATE);
    CHECK_ERR(mremap(q, 0, 4096, MREMAP_MAYMOVE), EINVAL);

    CHECK_ERR(mremap(q + 1, 4096, 8192, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERR(mremap(q, 4096, 0, MREMAP_MAYMOVE), EINVAL);
    CHECK_ERR(mremap(q, 4096, 8192, 0x10), EINVAL);
    CHECK_ERR(mremap(q, 4096, 1ul << 46, MREMAP_MAYMOVE), ENOMEM);
    CHECK(munmap(q, 4096) == 0);
    CHECK_ERR(mremap(q, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
    return done();
}
