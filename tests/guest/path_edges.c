// SPDX-License-Identifier: MIT
// A path is read up to its end and no further, wherever it lies: right before a hole, and not
// ended there; names of all lengths with bytes of all kinds, and what is between them.
#include "check.h"
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096
#define LONGEST 255

static char *edge; // behind the last byte before the hole

static void name_of(char *name, int n)
{
    for (int i = 0; i < n; i++)
        name[i] = (char)("a\x80\xff.\x01~\xafz"[(i + n) % 8]);
    name[0] = 'x';
    name[n] = 0;
}

static char *at_edge(const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(edge - n, text, n);
}

static void one_length(int n)
{
    char name[LONGEST + 1], path[PAGE];
    struct stat st, other;
    name_of(name, n);
    CHECK_EQ(mkdir(at_edge(name), 0700), 0);
    CHECK_EQ(stat(name, &st), 0);
    for (int shift = 0; shift < 9; shift++) {
        memcpy(path + shift, name, (size_t)n + 1);
        CHECK_EQ(stat(path + shift, &other), 0);
        CHECK_EQ(other.st_ino, st.st_ino);
    }
    static const char *const ways[] = {"%s/f",           "./%s/f",     "%s//f",     "%s/./f",
                                       ".//.//%s/././f", "%s/../%s/f", "%s/f/../f", "%s/.f/.././f",
                                       "%s/..f/",        "%s/.../f"};
    snprintf(path, sizeof path, "%s/f", name);
    put_file(path, "1");
    CHECK_EQ(stat(path, &st), 0);
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        snprintf(path, sizeof path, ways[i], name, name);
        int expected = i < 6 ? 0 : i == 6 ? ENOTDIR : ENOENT;
        int r = stat(at_edge(path), &other);
        CHECK_EQ(r ? errno : 0, expected);
        if (!expected)
            CHECK_EQ(other.st_ino, st.st_ino);
    }
    snprintf(path, sizeof path, "%s/f/", name);
    CHECK_ERR(stat(at_edge(path), &other), ENOTDIR);
    snprintf(path, sizeof path, "%s/f", name);
    CHECK_EQ(unlink(path), 0);
    memcpy(edge - n, name, (size_t)n);
    CHECK_ERR(rmdir(edge - n), EFAULT); // without its end
    CHECK_EQ(rmdir(at_edge(name)), 0);
}

// Of PATH_MAX bytes the last is the end.
static void longest(void)
{
    char path[PAGE + 1];
    struct stat st;
    for (int i = 0; i < PAGE - 1; i++)
        path[i] = "./"[i % 2];
    path[PAGE - 1] = 0;
    CHECK_EQ(stat(path, &st), 0);
    memcpy(path + PAGE - 2, "/.", 3);
    CHECK_ERR(stat(path, &st), ENAMETOOLONG);
    memset(path, 'n', PAGE);
    path[LONGEST + 1] = 0;
    CHECK_ERR(stat(at_edge(path), &st), ENAMETOOLONG);
    path[LONGEST] = 0;
    CHECK_ERR(stat(at_edge(path), &st), ENOENT);
}

static void results(void)
{
    for (size_t n = 0; n < sizeof(struct stat); n++) {
        struct stat *st = (struct stat *)(edge - n);
        CHECK_ERR(stat(".", st), EFAULT);
        CHECK_ERR(fstat(0, st), EFAULT);
    }
    CHECK_EQ(stat(".", (struct stat *)(edge - sizeof(struct stat))), 0);
}

int main(void)
{
    edge = (char *)OK(
               mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) +
           PAGE;
    CHECK_EQ(munmap(edge, PAGE), 0);
    for (int n = 1; n <= LONGEST; n += n < 40 ? 1 : 43)
        one_length(n);
    longest();
    results();
    return done();
}
