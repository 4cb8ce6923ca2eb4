// SPDX-License-Identifier: MIT
// String helpers of lxcore's own (lib.h); what libc would have is in lib.c.
#include "lib.h"

size_t str_copy(char *dst, const char *src, size_t n)
{
    size_t len = strlen(src);
    if (n) {
        size_t k = MIN(len, n - 1);
        memcpy(dst, src, k);
        dst[k] = 0;
    }
    return len;
}

bool str_starts(const char *s, const char *prefix)
{
    return !strncmp(s, prefix, strlen(prefix));
}

long str_number(const char *s, size_t n)
{
    long v = 0;
    if (!n || n > 18)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        v = v * 10 + (s[i] - '0');
    }
    return v;
}
