// SPDX-License-Identifier: MIT
// flock, F_SETLKW and F_OFD_SETLKW that wait for a lock: EINTR without SA_RESTART, restart with it.
// covers: flock, fcntl
#include "eintr.h"
#include <fcntl.h>
#include <sys/file.h>

static int mine, other;

static int lock(int fd, int cmd, short type)
{
    struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};

    return fcntl(fd, cmd, &fl);
}

static void setup_flock(void)
{
    CHECK(flock(mine, LOCK_UN) == 0);
    CHECK(flock(other, LOCK_EX) == 0);
}

// An open file description's lock conflicts with the same process's POSIX lock.
static void setup_record(void)
{
    CHECK(lock(mine, F_SETLK, F_UNLCK) == 0);
    CHECK(lock(mine, F_OFD_SETLK, F_UNLCK) == 0);
    CHECK(lock(other, F_OFD_SETLK, F_WRLCK) == 0);
}

static void release_flock(void)
{
    CHECK(flock(other, LOCK_UN) == 0);
}
static void release_record(void)
{
    CHECK(lock(other, F_OFD_SETLK, F_UNLCK) == 0);
}

static struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
static long do_flock(void)
{
    return raw(SYS_flock, mine, LOCK_EX);
}
static long do_posix(void)
{
    return raw(SYS_fcntl, mine, F_SETLKW, &wanted);
}
static long do_ofd(void)
{
    return raw(SYS_fcntl, mine, F_OFD_SETLKW, &wanted);
}

int main(void)
{
    static const struct eintr tests[] = {
        {"flock", RESTARTS, do_flock, release_flock, 0, setup_flock},
        {"F_SETLKW", RESTARTS, do_posix, release_record, 0, setup_record},
        {"F_OFD_SETLKW", RESTARTS, do_ofd, release_record, 0, setup_record},
    };

    mine = open("file", O_RDWR | O_CREAT, 0600);
    other = open("file", O_RDWR);
    CHECK(mine >= 0 && other >= 0);
    EINTR_TEST(tests);
    return done();
}
