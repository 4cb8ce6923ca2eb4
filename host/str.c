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

static bool is_plain(u8 c)
{
    return c > ' ' && c < 0x7f && c != '%' && c != '/' && c != ';' && c != '=' && c != '@';
}

bool str_escape(char **out, const char *end, const void *bytes, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const u8 *s = bytes;
    for (size_t i = 0; i < n; i++) {
        if (end - *out < 4)
            return false;
        if (is_plain(s[i])) {
            *(*out)++ = (char)s[i];
            continue;
        }
        *(*out)++ = '%';
        *(*out)++ = digit[s[i] >> 4];
        *(*out)++ = digit[s[i] & 15];
    }
    return true;
}

static u32 digit_of(char c)
{
    return c >= '0' && c <= '9' ? (u32)(c - '0') : c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : 0;
}

size_t str_unescape(const char **text, const char *ends, char *out, size_t room)
{
    const char *s = *text;
    size_t n = 0;
    for (; *s && *s != ends[0] && *s != ends[1]; n++) {
        bool escaped = *s == '%' && s[1] && s[2];
        u8 c = escaped ? (u8)(digit_of(s[1]) << 4 | digit_of(s[2])) : (u8)*s;
        if (out && n < room)
            out[n] = (char)c;
        s += escaped ? 3 : 1;
    }
    *text = s;
    return n;
}
