// SPDX-License-Identifier: MIT
// Formatting and messages for lxcore.
#include "host.h"
#include "lib.h"

struct sink {
    char *buf;
    size_t size, len;
};

static void put(struct sink *s, char c)
{
    if (s->len + 1 < s->size)
        s->buf[s->len] = c;
    s->len++;
}

static void put_padded(struct sink *s, const char *text, size_t n, size_t width, char fill,
                       bool left)
{
    size_t pad = width > n ? width - n : 0;
    for (size_t i = 0; !left && i < pad; i++)
        put(s, fill);
    for (size_t i = 0; i < n; i++)
        put(s, text[i]);
    for (size_t i = 0; left && i < pad; i++)
        put(s, ' ');
}

// Digits of v in the base, written backwards from end; returns where they begin.
static char *digits(char *end, unsigned long v, unsigned base)
{
    do
        *--end = "0123456789abcdef"[v % base];
    while (v /= base);
    return end;
}

int fmt_va(char *buf, size_t n, const char *f, va_list ap)
{
    struct sink s = {buf, n, 0};
    for (; *f; f++) {
        if (*f != '%') {
            put(&s, *f);
            continue;
        }
        bool left = false, is_long = false;
        char fill = ' ';
        size_t width = 0;
        for (f++; *f == '0' || *f == '-'; f++) {
            left |= *f == '-';
            fill = *f == '0' ? '0' : fill;
        }
        for (; *f >= '0' && *f <= '9'; f++)
            width = width * 10 + (size_t)(*f - '0');
        for (; *f == 'l' || *f == 'z'; f++)
            is_long = true;
        char tmp[32], *end = tmp + sizeof tmp, *p = end;
        unsigned base = *f == 'x' ? 16 : *f == 'o' ? 8 : 10;
        switch (*f) {
        case 's': {
            const char *text = va_arg(ap, const char *);
            put_padded(&s, text, strlen(text), width, ' ', left);
            continue;
        }
        case 'c':
            *--p = (char)va_arg(ap, int);
            break;
        case 'd': {
            long v = is_long ? va_arg(ap, long) : va_arg(ap, int);
            p = digits(end, v < 0 ? -(unsigned long)v : (unsigned long)v, 10);
            if (v < 0)
                *--p = '-';
            break;
        }
        case 'u':
        case 'x':
        case 'o':
            p = digits(end, is_long ? va_arg(ap, unsigned long) : va_arg(ap, unsigned), base);
            break;
        default:
            *--p = *f;
        }
        put_padded(&s, p, (size_t)(end - p), width, fill, left);
    }
    if (n)
        buf[MIN(s.len, n - 1)] = 0;
    return (int)s.len;
}

int fmt(char *buf, size_t n, const char *f, ...)
{
    va_list ap;
    va_start(ap, f);
    int len = fmt_va(buf, n, f, ap);
    va_end(ap);
    return len;
}

static void log_va(const char *f, va_list ap)
{
    char line[1024] = "lxrun: ";
    size_t n = 7 + (size_t)fmt_va(line + 7, sizeof line - 8, f, ap);
    n = MIN(n, sizeof line - 2);
    line[n++] = '\n';
    host_write(2, line, n);
}

void log_line(const char *f, ...)
{
    va_list ap;
    va_start(ap, f);
    log_va(f, ap);
    va_end(ap);
}

void die(const char *f, ...)
{
    va_list ap;
    va_start(ap, f);
    log_va(f, ap);
    va_end(ap);
    host_exit_group(125);
}
