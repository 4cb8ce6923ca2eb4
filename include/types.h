// SPDX-License-Identifier: MIT
// Basic types shared by every folder.
#ifndef LX_TYPES_H
#define LX_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

// A guest address. Never a pointer: only the copy functions of uaccess.h turn it into memory,
// so that a stray dereference does not compile.
typedef unsigned long uptr;

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a) (((x) + (a)-1) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define LX_PAGE 4096UL

#endif
