// SPDX-License-Identifier: MIT
// The strings of execve(2) are copied before the file is looked into: what is wrong with them comes
// before ENOEXEC, a missing interpreter and the like, and after that the file is not there.
// covers: execve, execveat
#include "check.h"
#include <sys/mman.h>
#include <sys/resource.h>

static char *bad = (char *)8, *fine[] = {"x", NULL}, *hurts[] = {"x", (char *)8, NULL};

static void with(const char *path, char **argv, char **envp, int err)
{
    CHECK_ERR(execve(path, argv, envp), err);
}

static void all(const char *path, int err)
{
    static char *many[300];
    char *huge = malloc(131073);

    memset(huge, 'a', 131072);
    huge[131072] = 0;
    with(path, fine, fine, err);
    with(path, NULL, NULL, err);
    with(path, hurts, fine, EFAULT);
    with(path, fine, hurts, EFAULT);
    with(path, &bad, fine, EFAULT);
    with(path, (char **)bad, fine, EFAULT);
    with(path, fine, (char **)bad, EFAULT);
    // One string may have 131072 bytes with its end.
    with(path, (char *[]){huge, NULL}, fine, E2BIG);
    with(path, fine, (char *[]){"a", huge, NULL}, E2BIG);
    with(path, fine, (char *[]){huge, (char *)8, NULL}, EFAULT); // from the last to the first
    with(path, fine, (char *[]){(char *)8, huge, NULL}, E2BIG);
    with(path, (char *[]){huge, NULL}, (char *[]){(char *)8, NULL}, EFAULT);
    huge[131071] = 0;
    with(path, (char *[]){huge, NULL}, fine, err);
    // All together a quarter of the stack, but at most 6 MiB.
    for (int i = 0; i < 15; i++)
        many[i] = huge;
    with(path, many, fine, err);
    many[15] = huge;
    with(path, many, fine, E2BIG);
    many[15] = NULL;
    free(huge);
}

static void make(const char *name, const char *text, mode_t mode)
{
    int fd = OK(open(name, O_CREAT | O_WRONLY | O_EXCL, mode));

    CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    CHECK_EQ(close(fd), 0);
}

int main(void)
{
    struct rlimit stack = {8 << 20, RLIM_INFINITY};

    CHECK_EQ(getrlimit(RLIMIT_STACK, &stack), 0);
    stack.rlim_cur = 8 << 20;
    CHECK_EQ(setrlimit(RLIMIT_STACK, &stack), 0);
    make("none", "nothing to run", 0755);
    make("empty", "", 0755);
    make("missing", "#!/no/such/file\n", 0755);
    make("directory", "#!/\n", 0755);
    make("twice", "#!missing\n", 0755);
    make("none_again", "#!none\n", 0755);
    make("closed", "#!/bin/true\n", 0644);
    all("none", ENOEXEC);
    all("empty", ENOEXEC);
    all("missing", ENOENT);
    all("directory", EACCES);
    all("twice", ENOENT);
    all("none_again", ENOEXEC);
    // The file itself comes first.
    with("closed", hurts, fine, EACCES);
    with("gone", hurts, hurts, ENOENT);
    with("/", hurts, hurts, EACCES);
    with("none/x", hurts, hurts, ENOTDIR);
    CHECK_ERR(execve((char *)8, hurts, hurts), EFAULT);
    int fd = OK(open("none", O_WRONLY));
    with("none", hurts, fine, ETXTBSY);
    CHECK_EQ(close(fd), 0);
    with("none", hurts, fine, EFAULT);
    // A script whose descriptor closes.
    fd = OK(open("missing", O_RDONLY | O_CLOEXEC));
    CHECK_ERR(syscall(SYS_execveat, fd, "", hurts, fine, AT_EMPTY_PATH), EFAULT);
    CHECK_ERR(syscall(SYS_execveat, fd, "", fine, fine, AT_EMPTY_PATH), ENOENT);
    return done();
}
