// SPDX-License-Identifier: MIT
// getrandom: lengths, flags, errors, and that the bytes look random.
// covers: getrandom
#include "sig.h"
#include <sys/random.h>

int main(void)
{
    static unsigned char a[1 << 20], b[64];
    int zeros = 0;

    CHECK(getrandom(a, 0, 0) == 0);
    CHECK(getrandom(a, 32, 0) == 32 && getrandom(b, 32, GRND_NONBLOCK) == 32);
    CHECK(memcmp(a, b, 32) != 0);
    CHECK(getrandom(b, 64, GRND_RANDOM) == 64);
    CHECK(getrandom(b, 16, 4 /* GRND_INSECURE */) == 16);
    CHECK(getrandom(a, sizeof(a), 0) == sizeof(a));
    for (size_t i = 0; i < sizeof(a); i++)
        zeros += a[i] == 0;
    CHECK(zeros > 2000 && zeros < 8000);
    CHECK_ERR(getrandom(b, 16, 8), EINVAL);
    CHECK_ERR(getrandom(b, 16, GRND_RANDOM | 4), EINVAL);
    CHECK_ERR(syscall(SYS_getrandom, 8, 16, 0), EFAULT);
    return done();
}
