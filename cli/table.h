// SPDX-License-Identifier: MIT
//
// The table for people: what `lxrun --table` prints and what traces and reports look calls up in.
#ifndef LX_CLI_TABLE_H
#define LX_CLI_TABLE_H

#include "syscall_rows.h"

#include <stdio.h>

struct call_arg {
    enum arg_kind kind;
    const char *type;
    const char *name;
};

struct call_info {
    const char *name; // NULL: no such number
    const char *note; // partial: what is missing; refused: why; else ""
    const char *error_name;
    int error; // refused: the errno that the guest gets, else 0
    enum syscall_how how;
    enum syscall_level level;
    unsigned nargs;
    struct call_arg args[6];
};

// "passed" and such, and what that means.
const char *table_how_name(enum syscall_how how);
const char *table_how_meaning(enum syscall_how how);

enum table_format { TABLE_TEXT, TABLE_JSON, TABLE_MARKDOWN };

// The row of a number, NULL where there is none.
const struct call_info *table_call(unsigned long nr);

// Prints the whole table. 0, or -1 when the stream has failed.
int table_print(enum table_format format, FILE *out);

#endif
