// SPDX-License-Identifier: MIT
// Root changes what a name means, while other processes put another file there: that one's owner
// and mode are no other's, whichever of the two was changed.
// covers: chmod, chown, renameat2, rename, unlink
// needs: root
// timeout: 40
#include "race.h"
#include <sched.h>

enum { FILES = 2 };

static const char *const files[FILES] = {"one", "two"};

// Files of owners 1001 and 1002, groups 2001 and 2002, by inode.
static ino_t inodes[FILES];

static void put(const char *path, unsigned owner)
{
    put_file(path, "");
    CHECK_EQ(chown(path, 1000 + owner, 2000 + owner), 0);
}

static unsigned owner_of(ino_t ino)
{
    for (unsigned i = 0; i < FILES; i++)
        if (inodes[i] == ino)
            return i + 1;
    check_failed(__FILE__, __LINE__, "owner_of", "no such inode");
    return 0;
}

static pid_t begin(void (*attack)(unsigned))
{
    pid_t pid = OK(fork());

    for (unsigned round = 0; !pid; round++)
        attack(round);
    return pid;
}

static void end(pid_t pid)
{
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

static void exchange(unsigned round)
{
    (void)round;
    CHECK_EQ(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE), 0);
}

// The owner stays with the inode when the mode is changed, and the group when the owner is.
static void exchanged(void)
{
    struct stat st;
    unsigned changes = 0;

    for (unsigned i = 0; i < FILES; i++) {
        put(files[i], i + 1);
        inodes[i] = stat_of(files[i]).st_ino;
    }
    pid_t pid = begin(exchange);
    for (long until = race_ms() + RACE_MS; race_ms() < until; changes++) {
        CHECK_EQ(chmod("one", changes % 2 ? 0640 : 0604), 0);
        CHECK_EQ(stat("two", &st), 0);
        CHECK_EQ(st.st_uid, 1000 + owner_of(st.st_ino));
    }
    for (long until = race_ms() + RACE_MS; race_ms() < until; changes++) {
        CHECK_EQ(chown("one", 3000 + changes % 2, -1), 0);
        CHECK_EQ(stat("two", &st), 0);
        CHECK_EQ(st.st_gid, 2000 + owner_of(st.st_ino));
    }
    end(pid);
}

// A new file of the other owner each time; of what was there nothing may come upon it.
static void renew(unsigned round)
{
    const unsigned owner = 1 + round % 2;
    struct stat st;

    int fd = OK(open("new", O_CREAT | O_EXCL | O_RDWR, 0600));
    CHECK_EQ(fchown(fd, 1000 + owner, 2000 + owner), 0);
    if (round % 3 == 0)
        CHECK_EQ(unlink("name"), 0);
    CHECK_EQ(rename("new", "name"), 0);
    if (round % 5 == 0)
        sched_yield();
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_uid, 1000 + owner);
    CHECK_EQ(st.st_gid, 2000 + owner);
    CHECK_EQ(close(fd), 0);
}

static void replaced(void)
{
    put("name", 1);
    pid_t pid = OK(fork());
    if (!pid) {
        unsigned round = 1;
        for (long until = race_ms() + RACE_MS; race_ms() < until; round++)
            renew(round);
        _exit(0);
    }
    int status;
    unsigned changes = 0;
    while (waitpid(pid, &status, WNOHANG) == 0)
        if (chmod("name", changes++ % 2 ? 0640 : 0604) != 0)
            CHECK_EQ(errno, ENOENT);
    CHECK_EQ(status, 0);
}

int main(void)
{
    exchanged();
    replaced();
    return done();
}
