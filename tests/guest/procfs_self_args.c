// SPDX-License-Identifier: MIT
// /proc/self/cmdline, environ, exe, auxv after an exec: the guest's own arguments, environment,
// program and start values.
// covers: execve, open, read, readlink
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>

static void again(void)
{
    static const char args[] = "zero\0one two\0\0three";
    static const char env[] = "A=1\0B=x y";
    char text[4096], exe[4096] = "";
    unsigned long auxv[128];
    struct stat st;
    long n;

    n = OK(read(OK(open("/proc/self/cmdline", O_RDONLY)), text, sizeof(text)));
    CHECK_EQ(n, sizeof(args));
    CHECK(memcmp(text, args, n) == 0);
    n = OK(read(OK(open("/proc/self/environ", O_RDONLY)), text, sizeof(text)));
    CHECK_EQ(n, sizeof(env));
    CHECK(memcmp(text, env, n) == 0);
    CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    CHECK_STR(strrchr(exe, '/'), "/procfs_self_args");
    CHECK_STR(get_file("/proc/self/comm"), "procfs_self_arg\n");
    CHECK_EQ(stat("/proc/self/exe", &st), 0);
    CHECK_EQ(stat_of(exe).st_ino, st.st_ino);

    n = OK(read(OK(open("/proc/self/auxv", O_RDONLY)), auxv, sizeof(auxv)));
    CHECK(n > 0 && n % 16 == 0);
    CHECK_EQ(auxv[n / 8 - 2], AT_NULL);
    for (long i = 0; i < n / 8 - 2; i += 2)
        if (auxv[i] != AT_HWCAP) // libc has its own idea of that one
            CHECK_EQ(getauxval(auxv[i]), auxv[i + 1]);
    CHECK_EQ(getauxval(AT_UID), getuid());
    CHECK_EQ(getauxval(AT_PAGESZ), 4096);
    exit(done());
}

int main(int argc, char **argv)
{
    char *args[] = {"zero", "one two", "", "three", NULL}, *env[] = {"A=1", "B=x y", NULL};
    char exe[4096] = "";

    (void)argv;
    if (argc == 4)
        again();
    CHECK(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
    execve(exe, args, env);
    CHECK(!"execve came back");
}
