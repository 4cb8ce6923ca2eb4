// SPDX-License-Identifier: MIT
// Memory and strings for lxcore. gcc itself calls memcpy, memmove, memset and memcmp.
#include "lib.h"

#define LONG 128 // bytes: from here on the processor's own loop is worth its start

typedef u64 __attribute__((aligned(1), may_alias)) word;
typedef u32 __attribute__((aligned(1), may_alias)) half;

// Forwards, and what is read last is read before anything is written: memmove counts on it.
void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    char *d = dst;
    const char *s = src;
    if (n > LONG) {
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
    } else if (n >= sizeof(word)) {
        word last = *(const word *)(s + n - sizeof(word));
        for (size_t i = 0; i + sizeof(word) < n; i += sizeof(word))
            *(word *)(d + i) = *(const word *)(s + i);
        *(word *)(d + n - sizeof(word)) = last;
    } else if (n >= sizeof(half)) {
        half first = *(const half *)s, last = *(const half *)(s + n - sizeof(half));
        *(half *)d = first;
        *(half *)(d + n - sizeof(half)) = last;
    } else {
        for (size_t i = 0; i < n; i++)
            d[i] = s[i];
    }
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    if ((uptr)dst - (uptr)src >= n)
        return memcpy(dst, src, n);
    char *d = dst;
    const char *s = src;
    for (; n >= sizeof(word); n -= sizeof(word)) // from the end: what is written has been read
        *(word *)(d + n - sizeof(word)) = *(const word *)(s + n - sizeof(word));
    while (n--)
        d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    char *d = dst;
    if (n > LONG || n < sizeof(word)) {
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
        return dst;
    }
    word all = (u8)c * 0x0101010101010101UL;
    for (size_t i = 0; i + sizeof(word) < n; i += sizeof(word))
        *(word *)(d + i) = all;
    *(word *)(d + n - sizeof(word)) = all;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;
    for (; n >= sizeof(word) && *(const word *)x == *(const word *)y; n -= sizeof(word))
        x += sizeof(word), y += sizeof(word);
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    for (const u8 *p = s; n; n--, p++)
        if (*p == (u8)c)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s)
{
    u64 bits;
    const word_in_text *w = first_word(s, &bits);
    u64 end = zero_bytes(*w) & bits;
    while (!end)
        end = zero_bytes(*++w);
    return (size_t)(byte_in(w, end) - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--)
        a++, b++;
    return n ? (u8)*a - (u8)*b : 0;
}

char *strchr(const char *s, int c)
{
    u64 all = (u8)c * EACH_BYTE, bits, found;
    const word_in_text *w = first_word(s, &bits);
    for (; !(found = (zero_bytes(*w) | zero_bytes(*w ^ all)) & bits); bits = ~0UL)
        w++;
    s = byte_in(w, found);
    return *s == (char)c ? (char *)s : NULL;
}

char *strrchr(const char *s, int c)
{
    u64 all = (u8)c * EACH_BYTE, bits;
    const word_in_text *w = first_word(s, &bits);
    for (const char *last = NULL;; w++, bits = ~0UL) {
        u64 end = zero_bytes(*w) & bits, found = zero_bytes(*w ^ all) & bits;
        if (end)
            found &= end ^ (end - 1); // up to the end, which may be what is looked for
        if (found)
            last = (const char *)w + (63 - (unsigned)__builtin_clzl(found)) / 8;
        if (end)
            return (char *)last;
    }
}

char *strstr(const char *s, const char *sub)
{
    size_t n = strlen(sub);
    for (; *s; s++)
        if (!strncmp(s, sub, n))
            return (char *)s;
    return n ? NULL : (char *)s;
}
