// SPDX-License-Identifier: MIT
// A large directory: every entry exactly once with a tiny buffer, after seeks to a remembered
// place, and while the entries already seen are removed.
// covers: getdents64, lseek
#include "check.h"
#include <dirent.h>

enum { FILES = 300 };

static char seen[FILES];

static void note(const char *name)
{
    int n;

    if (sscanf(name, "file-with-a-rather-long-name-%d", &n) == 1) {
        CHECK(n >= 0 && n < FILES);
        seen[n]++;
    }
}

static void all_once(void)
{
    for (int i = 0; i < FILES; i++)
        CHECK_EQ(seen[i], 1);
    memset(seen, 0, sizeof(seen));
}

int main(void)
{
    struct dirent *e;
    char buf[200], name[64], next[256];
    long n, at;
    int fd;
    DIR *dir;

    CHECK_EQ(mkdir("d", 0755), 0);
    CHECK_EQ(chdir("d"), 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "file-with-a-rather-long-name-%03d", i);
        put_file(name, "");
    }
    fd = OK(open(".", O_RDONLY));
    while ((n = OK(syscall(SYS_getdents64, fd, buf, sizeof(buf)))) > 0)
        for (long o = 0; o < n; o += *(unsigned short *)(buf + o + 16))
            note(buf + o + 19);
    all_once();

    // A remembered place is valid as long as the directory is open.
    dir = opendir(".");
    CHECK(dir != NULL);
    for (int i = 0; i < 100; i++)
        CHECK(readdir(dir) != NULL);
    at = telldir(dir);
    e = readdir(dir);
    CHECK(e != NULL);
    strcpy(next, e->d_name);
    while (readdir(dir))
        ;
    seekdir(dir, at);
    e = readdir(dir);
    CHECK(e != NULL);
    CHECK_STR(e->d_name, next);

    rewinddir(dir);
    while ((e = readdir(dir)) != NULL) {
        note(e->d_name);
        if (e->d_name[0] == 'f')
            CHECK_EQ(unlink(e->d_name), 0);
    }
    all_once();
    rewinddir(dir);
    for (int i = 0; i < 2; i++) {
        e = readdir(dir);
        CHECK(e != NULL && e->d_name[0] == '.');
    }
    CHECK(readdir(dir) == NULL);
    return done();
}
