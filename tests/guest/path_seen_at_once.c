// SPDX-License-Identifier: MIT
// What one process does to names, owners and modes, another sees with its next call, however often
// it has looked at them before: renamed, removed, replaced and exchanged directories, links in
// their place, another working directory, other attributes.
// covers: rename, renameat2, rmdir, mkdir, symlink, chdir, fchdir, chmod, chown, stat, open
// timeout: 60
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mman.h>

#define ROUNDS 3000

static void put(const char *path, const char *text)
{
    int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static char first_byte(const char *path)
{
    char c = 0;
    int fd = open(path, O_RDONLY);

    if (fd < 0)
        return errno == ENOENT ? '-' : '?';
    CHECK_EQ(read(fd, &c, 1), 1);
    close(fd);
    return c;
}

// Looks often enough for anything to be remembered, by open and by stat.
static char look(const char *path)
{
    struct stat st;
    char c = 0;

    for (int i = 0; i < 4; i++) {
        bool there = stat(path, &st) == 0;
        c = first_byte(path);
        CHECK_EQ(there, c != '-');
    }
    return c;
}

static char real_look(const char *dir)
{
    char path[200], cwd[100];
    char c;

    snprintf(path, sizeof(path), "%s/f", dir);
    c = look(path);
    snprintf(path, sizeof(path), "%s/%s/f", getcwd(cwd, sizeof(cwd)), dir);
    CHECK_EQ(look(path), c);
    return c;
}

static void child(void (*change)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        change();
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

static void move_away(void)
{
    CHECK_EQ(rename("d/a", "d/z"), 0);
}

static void move_back(void)
{
    CHECK_EQ(rename("d/z", "d/a"), 0);
}

static void move_parent(void)
{
    CHECK_EQ(rename("d", "e"), 0);
}

static void parent_back(void)
{
    CHECK_EQ(rename("e", "d"), 0);
}

static void exchange(void)
{
    CHECK_EQ(renameat2(AT_FDCWD, "d/a", AT_FDCWD, "d/b", RENAME_EXCHANGE), 0);
}

static void replace(void)
{
    CHECK_EQ(unlink("d/a/f"), 0);
    CHECK_EQ(rmdir("d/a"), 0);
    CHECK_EQ(mkdir("d/a", 0755), 0);
}

static void fill(void)
{
    put("d/a/f", "n");
}

static void link_instead(void)
{
    CHECK_EQ(rename("d/a", "d/real"), 0);
    CHECK_EQ(symlink("b", "d/a"), 0);
}

static void link_elsewhere(void)
{
    CHECK_EQ(symlink("real", "d/link"), 0);
    CHECK_EQ(rename("d/link", "d/a"), 0);
}

static void over_empty(void)
{
    CHECK_EQ(mkdir("d/c", 0755), 0);
    put("d/c/f", "c");
    CHECK_EQ(rename("d/c", "d/empty"), 0);
}

static void in_another_process(void)
{
    CHECK_EQ(real_look("d/a"), 'a');
    child(move_away);
    CHECK_EQ(real_look("d/a"), '-');
    CHECK_EQ(real_look("d/z"), 'a');
    child(move_back);
    CHECK_EQ(real_look("d/a"), 'a');
    CHECK_EQ(real_look("d/z"), '-');
    child(move_parent);
    CHECK_EQ(real_look("d/a"), '-');
    CHECK_EQ(real_look("e/a"), 'a');
    child(parent_back);
    CHECK_EQ(real_look("d/a"), 'a');
    child(exchange);
    CHECK_EQ(real_look("d/a"), 'b');
    CHECK_EQ(real_look("d/b"), 'a');
    child(exchange);
    child(replace);
    CHECK_EQ(real_look("d/a"), '-');
    child(fill);
    CHECK_EQ(real_look("d/a"), 'n');
    child(link_instead);
    CHECK_EQ(real_look("d/a"), 'b');
    child(link_elsewhere);
    CHECK_EQ(real_look("d/a"), 'n');
    CHECK_EQ(real_look("d/empty"), '-');
    child(over_empty);
    CHECK_EQ(real_look("d/empty"), 'c');
    CHECK_EQ(real_look("d/c"), '-');
}

static void own_directory(void)
{
    int back = OK(open(".", O_RDONLY | O_DIRECTORY));

    CHECK_EQ(mkdir("w", 0755) | mkdir("w/d", 0755) | mkdir("w/d/b", 0755), 0);
    put("w/d/b/f", "w");
    CHECK_EQ(look("d/b/f"), 'b');
    CHECK_EQ(chdir("w"), 0);
    CHECK_EQ(look("d/b/f"), 'w');
    CHECK_EQ(fchdir(back), 0);
    CHECK_EQ(look("d/b/f"), 'b');
    // In a removed one there is nothing.
    CHECK_EQ(mkdir("gone", 0755) | chdir("gone"), 0);
    CHECK_EQ(look("x/f"), '-');
    CHECK_EQ(rmdir("../gone"), 0);
    CHECK_EQ(look("x/f"), '-');
    CHECK_EQ(fchdir(back), 0);
    CHECK_EQ(look("d/b/f"), 'b');
    close(back);
}

// ---- While it happens ----

static struct shared {
    volatile unsigned done;  // changes that are over
    volatile unsigned begun; // those that have begun
    volatile int stop;
} * shared;

static void flipper(void (*change)(unsigned))
{
    for (unsigned i = 1; i <= ROUNDS; i++) {
        shared->begun = i;
        change(i);
        shared->done = i;
        if (i % 64 == 0)
            sched_yield();
    }
    shared->stop = 1;
}

static void flip(unsigned i)
{
    (void)i;
    exchange();
}

static void set_attributes(unsigned i)
{
    CHECK_EQ(chmod("d/m", i & 1 ? 0640 : 04755), 0);
    CHECK_EQ(chown("d/m", getuid() == 0 ? i % 5 : getuid(), -1), 0);
    CHECK_EQ(chmod("d/m", 0600 | (i & 077)), 0);
}

static char flipped(unsigned i)
{
    return i & 1 ? 'b' : 'a';
}

static void *reader(void *arg)
{
    unsigned *hits = arg;

    while (!shared->stop) {
        unsigned before = shared->done;
        char c = first_byte("d/a/f");

        CHECK(c == 'a' || c == 'b');
        if (shared->begun == before) {
            CHECK_EQ(c, flipped(before));
            ++*hits;
        }
    }
    return NULL;
}

static void attribute_reader(unsigned *hits)
{
    struct stat st;

    while (!shared->stop) {
        unsigned before = shared->done;

        CHECK_EQ(stat("d/m", &st), 0);
        if (before && shared->begun == before) {
            CHECK_EQ(st.st_mode & 07777, 0600 | (before & 077));
            if (getuid() == 0)
                CHECK_EQ(st.st_uid, before % 5);
            ++*hits;
        }
    }
}

static void while_it_happens(void)
{
    unsigned hits[3] = {0};
    pthread_t thread;
    int status;
    pid_t pid;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    CHECK_EQ(unlink("d/a") | rename("d/real", "d/a"), 0);
    put("d/a/f", "a");
    put("d/m", "m");
    pid = fork();
    if (pid == 0) {
        flipper(flip);
        _exit(0);
    }
    CHECK_EQ(pthread_create(&thread, NULL, reader, &hits[0]), 0);
    reader(&hits[1]);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);

    shared->done = shared->begun = shared->stop = 0;
    pid = fork();
    if (pid == 0) {
        flipper(set_attributes);
        _exit(0);
    }
    attribute_reader(&hits[2]);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

int main(void)
{
    umask(022);
    CHECK_EQ(mkdir("d", 0755) | mkdir("d/a", 0755) | mkdir("d/b", 0755) | mkdir("d/x", 0755), 0);
    CHECK_EQ(rename("d/x", "d/empty"), 0);
    put("d/a/f", "a");
    put("d/b/f", "b");
    in_another_process();
    own_directory();
    while_it_happens();
    return done();
}
