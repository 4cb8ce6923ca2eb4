// SPDX-License-Identifier: MIT
// A process's program is there by each of its threads' names and by no other's, as its root is; the
// links themselves anybody can see, and only who may trace the process read.
// needs: root
// covers: readlink, newfstatat
#include "check.h"
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static const char *const links[] = {"exe", "root", "cwd"};
static int started[2], finish[2];

static void *thread(void *arg)
{
    char c;
    int tid = (int)syscall(SYS_gettid);

    CHECK_EQ(write(started[1], &tid, sizeof(tid)), sizeof(tid));
    CHECK_EQ(read(finish[0], &c, 1), 1);
    return arg;
}

static const char *in(const char *format, int id, const char *name)
{
    static char path[100];

    snprintf(path, sizeof(path), format, id, name);
    return path;
}

int main(void)
{
    char text[4096], own[4096];
    struct stat st;
    pthread_t other;
    int tid, self = getpid();

    memset(own, 0, sizeof(own));
    OK(readlink("/proc/self/exe", own, sizeof(own)));
    CHECK_EQ(pipe(started) | pipe(finish), 0);
    CHECK_EQ(pthread_create(&other, NULL, thread, NULL), 0);
    CHECK_EQ(read(started[0], &tid, sizeof(tid)), sizeof(tid));
    for (int i = 0; i < 3; i++) {
        ssize_t n = OK(readlink(in("/proc/self/task/%d/%s", tid, links[i]), text, sizeof(text)));

        CHECK(i || (n == (ssize_t)strlen(own) && !memcmp(text, own, (size_t)n)));
        CHECK(readlink(in("/proc/%d/%s", tid, links[i]), text, sizeof(text)) == n);
        CHECK_ERR(readlink(in("/proc/self/task/%d/%s", 4999999, links[i]), text, sizeof(text)),
                  ENOENT);
        CHECK_ERR(readlink(in("/proc/%d/%s", 4999999, links[i]), text, sizeof(text)), ENOENT);
        CHECK_ERR(readlink(in("/proc/self/nothing%.0d/%s", 0, links[i]), text, sizeof(text)),
                  ENOENT);
        CHECK_ERR(readlink(in("/proc/self%.0d/%s/", 0, links[i]), text, sizeof(text)),
                  i ? EINVAL : ENOTDIR);
        CHECK_ERR(readlink(in("/proc/self/status%.0d/%s", 0, links[i]), text, sizeof(text)),
                  ENOTDIR);
    }
    // A thread of another process is none of this one's.
    pid_t pid = OK(fork());
    if (!pid) {
        pause();
        _exit(0);
    }
    CHECK_ERR(readlink(in("/proc/self/task/%d/%s", pid, "exe"), text, sizeof(text)), ENOENT);
    CHECK(readlink(in("/proc/%d/%s", pid, "exe"), text, sizeof(text)) == (ssize_t)strlen(own));
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
    CHECK_ERR(readlink(in("/proc/%d/%s", pid, "exe"), text, sizeof(text)), ENOENT);

    if (!(pid = OK(fork()))) {
        become(1000, 1000);
        for (int i = 0; i < 3; i++) {
            const char *path = in("/proc/%d/%s", self, links[i]);

            CHECK_ERR(readlink(path, text, sizeof(text)), EACCES);
            CHECK_ERR(stat(path, &st), EACCES);
            CHECK_EQ(lstat(path, &st), 0);
            CHECK(S_ISLNK(st.st_mode));
            CHECK_EQ(st.st_uid, 0);
            CHECK_EQ(close(OK(open(path, O_PATH | O_NOFOLLOW))), 0);
            CHECK_ERR(open(path, O_RDONLY | O_NOFOLLOW), ELOOP);
        }
        CHECK_ERR(lstat(in("/proc/%d/fd/%s", self, "0"), &st), EACCES);
        return 0;
    }
    wait_ok(pid);
    CHECK_EQ(write(finish[1], "x", 1), 1);
    CHECK_EQ(pthread_join(other, NULL), 0);
    return done();
}
