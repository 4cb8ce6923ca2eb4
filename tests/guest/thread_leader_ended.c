// SPDX-License-Identifier: MIT
// A process goes on when its first thread has ended, and the kernel shows no descriptors and no
// working directory for that one: the others find what they have open, and where they are.
// covers: openat, getcwd, execveat, linkat, utimensat, fchmodat2
// needs: root
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_t first;

static void *other(void *arg)
{
    struct timespec times[2] = {{1000000000, 0}, {1000000001, 0}};
    char path[4096];
    struct stat a, b;
    int dir, file, up;

    CHECK(pthread_join(first, NULL) == 0);
    CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0700) == 0);
    dir = OK(open("d/e", O_PATH | O_DIRECTORY));
    up = OK(openat(dir, "..", O_RDONLY | O_DIRECTORY));
    CHECK(fstat(up, &a) == 0 && stat("d", &b) == 0);
    CHECK(a.st_ino == b.st_ino);
    CHECK(openat(dir, "../absent", O_RDONLY) < 0 && errno == ENOENT);
    OK(openat(dir, ".", O_RDONLY | O_DIRECTORY));
    OK(open(".", O_RDONLY | O_DIRECTORY));

    CHECK(chdir("d") == 0 && getcwd(path, sizeof(path)) != NULL);
    CHECK(strcmp(path + strlen(path) - 2, "/d") == 0);
    CHECK(fchdir(dir) == 0 && getcwd(path, sizeof(path)) != NULL);
    CHECK(strcmp(path + strlen(path) - 4, "/d/e") == 0);
    CHECK(chdir("../..") == 0 && stat("d/e", &a) == 0);

    file = OK(open(".", O_TMPFILE | O_RDWR, 0600));
    snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", file);
    CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
    CHECK(utimensat(dir, "", times, AT_EMPTY_PATH) == 0 || errno == EINVAL);
    CHECK(fchmodat(dir, "", 0711, AT_EMPTY_PATH) == 0 || errno == EOPNOTSUPP || errno == EINVAL);
    CHECK(fchownat(dir, "", 5, 6, AT_EMPTY_PATH) == 0);
    CHECK(fstat(dir, &a) == 0 && a.st_uid == 5 && a.st_gid == 6);

    file = OK(open("/proc/version", O_RDONLY));
    CHECK(fstat(file, &a) == 0 && stat("/proc/version", &b) == 0);
    CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && read(file, path, 14) == 14);
    CHECK(memcmp(path, "Linux version ", 14) == 0);

    file = OK(open("/proc/thread-self/exe", O_PATH | O_CLOEXEC));
    char *const argv[] = {"prog", "again", NULL}, *const env[] = {NULL};
    syscall(SYS_execveat, file, "", argv, env, AT_EMPTY_PATH);
    CHECK(!"execveat");
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t th;

    (void)argv;
    if (argc > 1) {
        CHECK_EQ(syscall(SYS_gettid), getpid());
        return done();
    }
    first = pthread_self();
    CHECK(pthread_create(&th, NULL, other, NULL) == 0);
    pthread_exit(NULL);
}
