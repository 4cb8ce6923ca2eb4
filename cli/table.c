// SPDX-License-Identifier: MIT
//
// Prints the table of system calls (include/syscalls.def) as text, as JSON, and as the page
// docs/syscalls.md. The dispatcher's own view of the same rows is syscalls/table.c.
#include "table.h"

#include <errno.h>

#define ARG_(kind, type, name) {ARG_##kind, #type, #name},
#define ARG(i, arg) ARG_ arg
#define ROW(name_, how_, level_, error_, error_name_, note_, nargs_, ...)                          \
    {                                                                                              \
        .name = name_, .how = how_, .level = level_, .error = error_, .error_name = error_name_,   \
        .note = note_, .nargs = nargs_, .args = {                                                  \
            ROW_MAP(nargs_, ARG, __VA_ARGS__)                                                      \
        }                                                                                          \
    }
static const struct call_info calls[SYSCALL_ROWS] = {
#define SERVED(nr, name, how, level, note, nargs, ...)                                             \
    [nr] = ROW(#name, HOW_##how, LEVEL_##level, 0, NULL, note, nargs, __VA_ARGS__),
#define REFUSED(nr, name, error, reason, nargs, ...)                                               \
    [nr] = ROW(#name, HOW_REFUSED, LEVEL_NONE, error, #error, reason, nargs, __VA_ARGS__),
#include "syscalls.def"
};

static const char *const how_names[HOW_COUNT] = {
    [HOW_EMULATED] = "emulated",
    [HOW_TRANSLATED] = "translated",
    [HOW_PASSED] = "passed",
    [HOW_REFUSED] = "refused",
};

static const char *const how_meanings[HOW_COUNT] = {
    [HOW_EMULATED] = "lxcore alone decides, from its own state",
    [HOW_TRANSLATED] = "lxcore changes arguments or results around host calls",
    [HOW_PASSED] = "goes to the host kernel with the same number and arguments",
    [HOW_REFUSED] = "answered with the errno that Linux gives where the feature is not there",
};

static const char *const level_names[] = {
    [LEVEL_NONE] = "", [LEVEL_FULL] = "full", [LEVEL_PARTIAL] = "partial"};

static const char *const kind_names[ARG_KINDS] = {
    [ARG_FD] = "fd",     [ARG_DIRFD] = "dirfd", [ARG_PATH] = "path",   [ARG_STR] = "str",
    [ARG_IN] = "in",     [ARG_OUT] = "out",     [ARG_INOUT] = "inout", [ARG_TIME] = "time",
    [ARG_ADDR] = "addr", [ARG_INT] = "int",     [ARG_UINT] = "uint",   [ARG_LONG] = "long",
    [ARG_OFF] = "off",   [ARG_SIZE] = "size",   [ARG_HEX] = "hex",     [ARG_FLAGS] = "flags",
    [ARG_MODE] = "mode", [ARG_PID] = "pid",     [ARG_UID] = "uid",     [ARG_GID] = "gid",
    [ARG_SIG] = "sig",   [ARG_FUNC] = "func",
};

const struct call_info *table_call(unsigned long nr)
{
    return nr < SYSCALL_ROWS && calls[nr].name ? &calls[nr] : NULL;
}

const char *table_how_name(enum syscall_how how)
{
    return how_names[how];
}

const char *table_how_meaning(enum syscall_how how)
{
    return how_meanings[how];
}

static const char *level_or_error(const struct call_info *c)
{
    return c->how == HOW_REFUSED ? c->error_name : level_names[c->level];
}

static void print_text(FILE *out)
{
    for (unsigned nr = 0; nr < SYSCALL_ROWS; nr++) {
        const struct call_info *c = table_call(nr);

        if (c)
            fprintf(out, "%3u  %-24s %-10s  %-*s%s\n", nr, c->name, how_names[c->how],
                    *c->note ? 12 : 0, level_or_error(c), c->note);
    }
}

// Names and notes are our own literals: a quote or a backslash is all that can need an escape.
static void print_json_string(FILE *out, const char *s)
{
    putc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            putc('\\', out);
        putc(*s, out);
    }
    putc('"', out);
}

static void print_json_row(FILE *out, unsigned nr, const struct call_info *c)
{
    fprintf(out, "{\"number\":%u,\"name\":\"%s\",\"how\":\"%s\"", nr, c->name, how_names[c->how]);
    if (c->how == HOW_REFUSED)
        fprintf(out, ",\"level\":null,\"errno\":\"%s\"", c->error_name);
    else
        fprintf(out, ",\"level\":\"%s\",\"errno\":null", level_names[c->level]);
    fputs(",\"note\":", out);
    print_json_string(out, c->note);
    fputs(",\"args\":[", out);
    for (unsigned i = 0; i < c->nargs; i++)
        fprintf(out, "%s{\"kind\":\"%s\",\"type\":\"%s\",\"name\":\"%s\"}", i ? "," : "",
                kind_names[c->args[i].kind], c->args[i].type, c->args[i].name);
    fputs("]}", out);
}

static void print_json(FILE *out)
{
    const char *separator = "[\n";

    for (unsigned nr = 0; nr < SYSCALL_ROWS; nr++) {
        const struct call_info *c = table_call(nr);

        if (c) {
            fputs(separator, out);
            print_json_row(out, nr, c);
            separator = ",\n";
        }
    }
    fputs("\n]\n", out);
}

static void print_markdown_counts(FILE *out)
{
    unsigned total = 0, count[HOW_COUNT] = {0}, partial[HOW_COUNT] = {0};

    for (unsigned nr = 0; nr < SYSCALL_ROWS; nr++) {
        const struct call_info *c = table_call(nr);

        if (c) {
            total++;
            count[c->how]++;
            partial[c->how] += c->level == LEVEL_PARTIAL;
        }
    }
    fputs("| how | calls | of them partial | meaning |\n|---|--:|--:|---|\n", out);
    for (unsigned how = HOW_EMULATED; how < HOW_COUNT; how++)
        fprintf(out, "| %s | %u | %u | %s |\n", how_names[how], count[how], partial[how],
                how_meanings[how]);
    fprintf(out, "| all | %u | | |\n", total);
}

static void print_markdown(FILE *out)
{
    fputs("<!-- Generated by `lxrun --table --markdown` from include/syscalls.def. -->\n"
          "# System calls\n\n"
          "One row for each x86-64 system call of Linux 6.18; a number that is not here is\n"
          "ENOSYS, as on Linux.\n\n",
          out);
    print_markdown_counts(out);
    fputs("\n| number | call | how | level or errno | what is missing, or why it is refused |\n"
          "|--:|---|---|---|---|\n",
          out);
    for (unsigned nr = 0; nr < SYSCALL_ROWS; nr++) {
        const struct call_info *c = table_call(nr);

        if (c)
            fprintf(out, "| %u | `%s` | %s | %s | %s |\n", nr, c->name, how_names[c->how],
                    level_or_error(c), c->note);
    }
}

int table_print(enum table_format format, FILE *out)
{
    switch (format) {
    case TABLE_TEXT:
        print_text(out);
        break;
    case TABLE_JSON:
        print_json(out);
        break;
    case TABLE_MARKDOWN:
        print_markdown(out);
        break;
    }
    return fflush(out) || ferror(out) ? -1 : 0;
}
