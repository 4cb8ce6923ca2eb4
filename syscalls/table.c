// SPDX-License-Identifier: MIT
//
// The table as the dispatcher sees it: one row per number, each handler behind a wrapper that casts
// the raw registers to the types its row declares, as the kernel's own entry stubs do (an `int`
// argument loses its upper half). The rows are in include/syscalls.def, the dispatcher in
// dispatch.c.
#include "syscall_rows.h"
#include "task.h"

#include <asm/errno.h>
#include <asm/unistd.h>

// Each number is what the installed kernel header says, where it knows the call: an unknown __NR_
// name stays a name, a known one turns into its number.
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define SAME_TEXT(a, b) (__builtin_strcmp(a, b) == 0)
#define CHECK_NUMBER(nr, name)                                                                     \
    _Static_assert(SAME_TEXT(TEXT(__NR_##name), "__NR_" #name) ||                                  \
                       SAME_TEXT(TEXT(__NR_##name), #nr),                                          \
                   #name ": number differs from the kernel header");
#define SERVED(nr, name, ...) CHECK_NUMBER(nr, name)
#define REFUSED(nr, name, ...) CHECK_NUMBER(nr, name)
#include "syscalls.def"

// The register that holds argument i (syscall(2)).
#define REG_0 rdi
#define REG_1 rsi
#define REG_2 rdx
#define REG_3 r10
#define REG_4 r8
#define REG_5 r9
#define CAST(i, arg) , (ARG_TYPE arg)r->REG_##i
#define WRAPPER(name, nargs, ...)                                                                  \
    static long call_##name(struct task *t, const struct regs *r)                                  \
    {                                                                                              \
        (void)r;                                                                                   \
        return sys_##name(t ROW_MAP(nargs, CAST, __VA_ARGS__));                                    \
    }
#define WRAPPER_EMULATED WRAPPER
#define WRAPPER_TRANSLATED WRAPPER
#define WRAPPER_PASSED(...)
#define SERVED(nr, name, how, level, note, nargs, ...) WRAPPER_##how(name, nargs, __VA_ARGS__)
#define REFUSED(...)
#include "syscalls.def"

#define IS_FD(kind) ((kind) == ARG_FD || (kind) == ARG_DIRFD)
#define FD_BIT(i, arg) | IS_FD(ARG_KIND arg) << (i)
#define CALL_EMULATED(name) call_##name
#define CALL_TRANSLATED(name) call_##name
#define CALL_PASSED(name) NULL
const struct syscall_row syscall_rows[SYSCALL_ROWS] = {
#define SERVED(nr, name_, how_, level_, note, nargs_, ...)                                         \
    [nr] = {.name = #name_,                                                                        \
            .call = CALL_##how_(name_),                                                            \
            .how = HOW_##how_,                                                                     \
            .level = LEVEL_##level_,                                                               \
            .nargs = nargs_,                                                                       \
            .fd_mask = 0 ROW_MAP(nargs_, FD_BIT, __VA_ARGS__)},
#define REFUSED(nr, name_, error_, reason, nargs_, ...)                                            \
    [nr] = {.name = #name_,                                                                        \
            .error = error_,                                                                       \
            .how = HOW_REFUSED,                                                                    \
            .nargs = nargs_,                                                                       \
            .fd_mask = 0 ROW_MAP(nargs_, FD_BIT, __VA_ARGS__)},
#include "syscalls.def"
};
