// SPDX-License-Identifier: MIT
// Calls that do not wait are never cut short by a signal, whatever the flags of its handler: path
// and descriptor calls under a timer that fires thousands of times a second give the right answer
// every time, also those that a translation layer makes of several.
// covers: openat, stat, mkdir, rename, unlink, rmdir, readlink, getcwd, chmod, chown, link, symlink
// covers: getdents64, fstat, dup, mmap, setitimer
// timeout: 30
#include "sig.h"
#include <dirent.h>
#include <sys/mman.h>
#include <sys/time.h>

static volatile int handled;

static void handler(int sig)
{
    (void)sig;
    handled++;
    pace_tick();
}

static void round_of_calls(int n)
{
    char buf[4096], name[32];
    struct stat st;
    struct dirent *de;
    int fd, entries = 0;
    DIR *dir;
    void *p;

    pace_progress++;
    snprintf(name, sizeof(name), "d/e/../f%d", n % 7);
    fd = OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    CHECK(fstat(fd, &st) == 0 && st.st_size == 0);
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK(pread(fd, buf, 5, 0) == 5 && memcmp(buf, "hello", 5) == 0);
    CHECK(close(OK(dup(fd))) == 0 && close(fd) == 0);
    CHECK(stat(name, &st) == 0 && st.st_size == 5);
    CHECK(chmod(name, 0640) == 0 && mode_of(name) == 0640);
    CHECK(chown(name, -1, getegid()) == 0);
    CHECK(link(name, "d/hard") == 0 && symlink("hard", "d/soft") == 0);
    CHECK(readlink("d/soft", buf, sizeof(buf)) == 4);
    CHECK(stat("d/soft", &st) == 0 && st.st_nlink == 2);
    CHECK(rename("d/soft", "d/softer") == 0 && unlink("d/softer") == 0);
    CHECK(mkdir("d/sub", 0700) == 0 && rmdir("d/sub") == 0);
    CHECK((dir = opendir("d")) != NULL);
    while ((de = readdir(dir)) != NULL)
        entries++;
    CHECK(closedir(dir) == 0);
    CHECK_EQ(entries, 5); // . .. e f hard
    CHECK(unlink("d/hard") == 0 && unlink(name) == 0);
    CHECK_ERR(open(name, O_RDONLY), ENOENT);
    CHECK(getcwd(buf, sizeof(buf)) == buf);
    p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && munmap(p, 4096) == 0);
}

int main(void)
{
    struct sigaction sa = {.sa_handler = handler};

    CHECK(mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0);
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
    pace_start(200);
    for (int n = 0; n < 200 || handled < 200; n++)
        round_of_calls(n);
    pace_start(0);
    return done();
}
