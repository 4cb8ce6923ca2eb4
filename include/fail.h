// SPDX-License-Identifier: MIT
// lxrun's own errors: one line on stderr beginning "lxrun: ", and exit status 125.
#ifndef LX_FAIL_H
#define LX_FAIL_H

#include <stdarg.h>

#define EXIT_LXRUN 125

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
// The same with the text of errno behind it.
_Noreturn void fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Called before the process ends by one of these; NULL: nothing to do.
extern void (*fail_hook)(void);
// Zeroed memory, and a formatted string, that need no check. They are the caller's, for free().
void *must_alloc(unsigned long size);
char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *must_vformat(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#endif
