// SPDX-License-Identifier: MIT
// #! scripts: how the first line is cut into interpreter and one argument, what the interpreter is
// started with, scripts as interpreters of scripts up to the limit, and the errors.
// covers: execve
#include "exec.h"

static void run(const char *title, const char *script, char *const argv[])
{
    printf("%s\n", title);
    put_script("script", script, 0755);
    int e = try_exec("./script", argv);
    if (e)
        printf("  %s\n", strerror(e));
}

int main(int argc, char **argv)
{
    char *args[] = {"zero", "one", "two words", "", NULL}, *only[] = {"zero", NULL},
         *none[] = {NULL};
    char line[600], name[16], text[32];

    show_and_exit(argc, argv);
    copy_self("prog", 0755);
    run("plain", "#!./prog\n", args);
    run("one argument", "#!./prog -x\n", args);
    run("blanks inside make no second argument", "#!./prog -x  -y\t z\n", args);
    run("blanks around", "#! \t ./prog \t -x \t \n", args);
    run("no line end", "#!./prog -x", only);
    run("text follows", "#!./prog\n#!./other\n", only);
    run("argv[0] is replaced", "#!./prog\n", only);
    run("no argv at all", "#!./prog\n", none);
    run("a carriage return belongs to the name", "#!./prog\r\n", only);
    run("empty", "#!\n", only);
    run("blanks only", "#! \t \n", only);
    run("missing interpreter", "#!./absent\n", only);
    run("a directory", "#!.\n", only);
    run("no #!", "# !./prog\n", only);
    run("no line end, blanks behind the argument", "#!./prog -x \t ", only);
    run("no line end, blanks behind the name", "#!./prog ", only);
    run("no line end, blanks only", "#! ", only);
    run("no line end, nothing", "#!", only);

    // The kernel looks at 256 bytes: a longer argument is cut, a longer name refused.
    memset(line, 0, sizeof(line));
    strcpy(line, "#!./prog ");
    memset(line + 9, 'a', 400);
    strcat(line, "\n");
    run("long argument", line, only);
    memset(line, 0, sizeof(line));
    strcpy(line, "#!./");
    for (int i = 4; i < 252; i += 2)
        memcpy(line + i, "./", 2);
    strcpy(line + 250, "prog\n");
    run("name to the last byte", line, only);
    strcpy(line + 252, "prog\n");
    run("name one too long", line, only);
    strcpy(line + 251, "prog \n");
    line[250] = '/';
    run("blank in the last byte", line, only);

    puts("nested");
    put_script("s1", "#!./prog A1\n", 0755);
    for (int i = 2; i <= 7; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        snprintf(text, sizeof(text), "#!./s%d A%d\n", i - 1, i);
        put_script(name, text, 0755);
        int e = try_exec(name, only);
        if (e)
            printf("  %d: %s\n", i, strerror(e));
    }
    puts("itself");
    put_script("self", "#!./self\n", 0755);
    printf("  %s\n", strerror(try_exec("self", only)));
    puts("no x bit");
    CHECK(chmod("s1", 0644) == 0);
    printf("  %s\n", strerror(try_exec("s1", only)));
    printf("  %s\n", strerror(try_exec("s2", only)));
    CHECK(chmod("s1", 0755) == 0 && chmod("prog", 0644) == 0);
    printf("  %s\n", strerror(try_exec("s1", only)));
    return done();
}
