// SPDX-License-Identifier: MIT
//
// What the rows of syscalls.def become: numbers, prototypes, and the row that the dispatcher reads
// (syscalls/table.c). The hosted side has its own view with names of arguments and notes,
// cli/table.h. To derive something new, define SERVED and REFUSED and include syscalls.def;
// it undefines both at its end.
#ifndef LX_SYSCALL_ROWS_H
#define LX_SYSCALL_ROWS_H

#include "types.h"

struct regs;
struct task;

// ROW_MAP(n, f, arg...) is f(0, arg) f(1, arg)... for the n argument tuples of a row. f takes a
// tuple apart by putting a macro's name before it: `ARG_TYPE (FD, int, fd)` is `int`.
#define ROW_MAP(n, f, ...) ROW_MAP_##n(f, __VA_ARGS__)
#define ROW_MAP_0(f, ...)
#define ROW_MAP_1(f, a) f(0, a)
#define ROW_MAP_2(f, a, b) ROW_MAP_1(f, a) f(1, b)
#define ROW_MAP_3(f, a, b, c) ROW_MAP_2(f, a, b) f(2, c)
#define ROW_MAP_4(f, a, b, c, d) ROW_MAP_3(f, a, b, c) f(3, d)
#define ROW_MAP_5(f, a, b, c, d, e) ROW_MAP_4(f, a, b, c, d) f(4, e)
#define ROW_MAP_6(f, a, b, c, d, e, g) ROW_MAP_5(f, a, b, c, d, e) f(5, g)

#define ARG_KIND(kind, type, name) ARG_##kind
#define ARG_TYPE(kind, type, name) type
#define ARG_NAME(kind, type, name) name

enum arg_kind {
    ARG_FD,
    ARG_DIRFD,
    ARG_PATH,
    ARG_STR,
    ARG_IN,
    ARG_OUT,
    ARG_INOUT,
    ARG_TIME,
    ARG_ADDR,
    ARG_INT,
    ARG_UINT,
    ARG_LONG,
    ARG_OFF,
    ARG_SIZE,
    ARG_HEX,
    ARG_FLAGS,
    ARG_MODE,
    ARG_PID,
    ARG_UID,
    ARG_GID,
    ARG_SIG,
    ARG_FUNC,
    ARG_KINDS
};

enum syscall_how { HOW_NONE, HOW_EMULATED, HOW_TRANSLATED, HOW_PASSED, HOW_REFUSED, HOW_COUNT };
enum syscall_level { LEVEL_NONE, LEVEL_FULL, LEVEL_PARTIAL };

// NR_read = 0 and so on. Not __NR_read: the installed kernel headers may be older than the table.
enum syscall_nr {
#define SERVED(nr, name, ...) NR_##name = nr,
#define REFUSED(nr, name, ...) NR_##name = nr,
#include "syscalls.def"
    SYSCALL_ROWS
};

// long sys_NAME(struct task *t, typed arguments) for every row that has a handler.
#define PARAM(i, arg) , ARG_TYPE arg ARG_NAME arg
#define PROTOTYPE(name, nargs, ...)                                                                \
    long sys_##name(struct task *t ROW_MAP(nargs, PARAM, __VA_ARGS__));
#define PROTOTYPE_EMULATED PROTOTYPE
#define PROTOTYPE_TRANSLATED PROTOTYPE
#define PROTOTYPE_PASSED(...)
#define SERVED(nr, name, how, level, note, nargs, ...) PROTOTYPE_##how(name, nargs, __VA_ARGS__)
#define REFUSED(...)
#include "syscalls.def"
#undef PARAM
#undef PROTOTYPE
#undef PROTOTYPE_EMULATED
#undef PROTOTYPE_TRANSLATED
#undef PROTOTYPE_PASSED

// What the dispatcher reads of a row. HOW_NONE (all zero): no such number, ENOSYS.
struct syscall_row {
    const char *name;
    // The handler behind its typed prototype; NULL for passed and refused rows.
    long (*call)(struct task *t, const struct regs *r);
    short error; // refused: what the guest gets, as a positive errno
    unsigned char how;
    unsigned char level;
    unsigned char nargs;
    unsigned char fd_mask; // bit i: argument i is a descriptor
};

extern const struct syscall_row syscall_rows[SYSCALL_ROWS];

#endif
