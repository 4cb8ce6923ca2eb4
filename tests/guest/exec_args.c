// SPDX-License-Identifier: MIT
// Arguments and environment: passed through byte for byte in number and size, E2BIG for a single
// string over 128 KiB and for a total over a quarter of the stack limit, argv NULL or empty becomes
// one empty string, /proc/self/cmdline and environ show them.
// covers: execve
#include "exec.h"
#include <sys/mman.h>

#define STRING_MAX (128 * 1024)

static char big[STRING_MAX + 1];
static char *many[20001];

static void fill_big(size_t len)
{
    memset(big, 'x', sizeof(big));
    big[len - 1] = 0;
}

static int try(char **args, char **envp)
{
    int err[2], e = 0, st;
    pid_t pid;

    CHECK(pipe2(err, O_CLOEXEC) == 0);
    pid = OK(fork());
    if (pid == 0) {
        execve("/proc/self/exe", args, envp);
        e = errno;
        CHECK(write(err[1], &e, sizeof(e)) == sizeof(e));
        _exit(1);
    }
    close(err[1]);
    CHECK(read(err[0], &e, sizeof(e)) >= 0);
    close(err[0]);
    CHECK(waitpid(pid, &st, 0) == pid);
    return e ? -e : st;
}

static size_t file_has(const char *path, const char *text, size_t len)
{
    static char buf[65536];
    int fd = OK(open(path, O_RDONLY));
    size_t n = 0;
    ssize_t got;

    while ((got = read(fd, buf + n, sizeof(buf) - n)) > 0)
        n += got;
    close(fd);
    return n == len && memcmp(buf, text, n) == 0;
}

int main(int argc, char **argv)
{
    extern char **environ;
    char *none[] = {NULL}, *empty[] = {"", NULL};
    struct rlimit lim = {1 << 20, RLIM_INFINITY};

    if (argc == 1 && argv[0][0] == 0) { // NULL, {NULL} and {""} look alike
        CHECK(argv[1] == NULL && environ[0] == NULL);
        _exit(50);
    }
    if (strcmp(argv[0], "many") == 0) {
        for (int i = 1; i < argc; i++)
            CHECK(strlen(argv[i]) == (size_t)i % 10 && (i % 10 == 0 || argv[i][0] == 'a' + i % 26));
        _exit(argc / 100);
    }
    if (strcmp(argv[0], "big") == 0) {
        CHECK(argc == 2 && strlen(argv[1]) == STRING_MAX - 1 && argv[1][STRING_MAX - 2] == 'x');
        _exit(51);
    }
    if (strcmp(argv[0], "files") == 0) {
        CHECK(file_has("/proc/self/cmdline", "files\0a b\0\0\377\1\0", 14));
        CHECK(file_has("/proc/self/environ", "A=1\0B\0=C=\0A=2\0", 14));
        CHECK(argc == 4 && strcmp(argv[3], "\377\1") == 0 && argv[2][0] == 0);
        CHECK(strcmp(environ[1], "B") == 0 && strcmp(environ[3], "A=2") == 0 && !environ[4]);
        _exit(52);
    }
    if (strcmp(argv[0], "limit") == 0)
        _exit(53);

    CHECK_EQ(try(none, none), 50 << 8);
    CHECK_EQ(try(empty, none), 50 << 8);
    CHECK_EQ(try(NULL, NULL), 50 << 8);
    CHECK_EQ(try((char *[]){"files", "a b", "", "\377\1", NULL},
                 (char *[]){"A=1", "B", "=C=", "A=2", NULL}),
             52 << 8);
    fill_big(STRING_MAX);
    CHECK_EQ(try((char *[]){"big", big, NULL}, none), 51 << 8);
    memset(big, 'x', sizeof(big)); // one byte more, with its NUL
    big[STRING_MAX] = 0;
    CHECK_EQ(try((char *[]){"big", big, NULL}, none), -E2BIG);
    CHECK_EQ(try((char *[]){"big", NULL}, (char *[]){big, NULL}), -E2BIG);

    many[0] = "many";
    for (int i = 1; i < 20000; i++) {
        char *s = malloc(10);

        memset(s, 'a' + i % 26, 9);
        s[i % 10] = 0;
        many[i] = s;
    }
    CHECK_EQ(try(many, none), 200 << 8);

    // A quarter of the stack limit, pointers counted too.
    CHECK(setrlimit(RLIMIT_STACK, &lim) == 0);
    fill_big(10000);
    for (int n = 22; n <= 28; n += 6) {
        many[0] = "limit";
        for (int i = 1; i <= n; i++)
            many[i] = big;
        many[n + 1] = NULL;
        CHECK_EQ(try(many, none), n == 22 ? 53 << 8 : -E2BIG);
        CHECK_EQ(try((char *[]){"limit", NULL}, many), n == 22 ? 53 << 8 : -E2BIG);
    }
    return done();
}
