// SPDX-License-Identifier: MIT
// lxrun's own errors (fail.h).
#define _GNU_SOURCE
#include "fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void (*fail_hook)(void);

static _Noreturn void end(const char *text, int error)
{
    fprintf(stderr, "lxrun: %s%s%s\n", text, error ? ": " : "", error ? strerror(error) : "");
    if (fail_hook)
        fail_hook();
    exit(EXIT_LXRUN);
}

void fail(const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    end(text, 0);
}

void fail_errno(const char *format, ...)
{
    int error = errno;
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    end(text, error);
}

void *must_alloc(unsigned long size)
{
    void *p = calloc(1, size);
    if (!p)
        fail("out of memory");
    return p;
}

char *must_vformat(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0)
        fail("out of memory");
    return text;
}

char *must_format(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char *text = must_vformat(format, ap);
    va_end(ap);
    return text;
}
