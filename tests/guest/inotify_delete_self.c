// SPDX-License-Identifier: MIT
// A directory's watch tells at once that it was removed, also where the watcher and other processes
// have used names in it again and again: tail -F counts on that.
// covers: inotify_add_watch, rmdir
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/wait.h>

static void use(const char *path)
{
    struct stat st;

    for (int i = 0; i < 8; i++)
        CHECK_EQ(stat(path, &st), 0);
}

// Removes the directory and the file in it by another process; in: watches it.
static void removed_at_once(int in, const char *dir, const char *file)
{
    char buf[4096] __attribute__((aligned(8)));
    struct pollfd p = {.fd = in, .events = POLLIN};
    uint32_t seen = 0;
    int status;

    pid_t pid = OK(fork());
    if (!pid)
        _exit(unlink(file) || rmdir(dir));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    while (!(seen & IN_DELETE_SELF) && poll(&p, 1, 2000) == 1) {
        ssize_t n = read(in, buf, sizeof buf);
        for (char *s = buf; s < buf + n;) {
            struct inotify_event *e = (void *)s;
            seen |= e->mask;
            s += sizeof *e + e->len;
        }
    }
    CHECK(seen & IN_DELETE_SELF);
}

static int watch(const char *dir)
{
    int in = OK(inotify_init1(0));

    OK(inotify_add_watch(in, dir, IN_DELETE_SELF));
    return in;
}

int main(void)
{
    static const char *const dirs[] = {"a", "b", "c", "e"}; // four inodes at a time
    char file[4][8], c = 'x';
    int go[2], went[2];

    for (int i = 0; i < 4; i++) {
        snprintf(file[i], sizeof file[i], "%s/f", dirs[i]);
        CHECK_EQ(mkdir(dirs[i], 0755), 0);
        put_file(file[i], "");
    }
    // The watcher has used it before, and does after.
    use(file[0]);
    int in = watch(dirs[0]);
    use(file[0]);
    removed_at_once(in, dirs[0], file[0]);
    close(in);

    // So has another process, that goes on to use paths and then sleeps, or only waits for a child.
    for (int waits = 0; waits < 2; waits++) {
        const char *dir = dirs[1 + waits], *name = file[1 + waits];
        CHECK_EQ(pipe(go) | pipe(went), 0);
        pid_t pid = OK(fork());
        if (!pid) {
            use(name);
            CHECK_EQ(write(went[1], &c, 1), 1);
            CHECK_EQ(read(go[0], &c, 1), 1);
            if (waits) {
                if (fork())
                    _exit(wait(NULL) < 0);
            } else {
                use(file[3]);
                use(name);
            }
            CHECK_EQ(write(went[1], &c, 1), 1);
            _exit(read(go[0], &c, 1) != 1);
        }
        CHECK_EQ(read(went[0], &c, 1), 1);
        in = watch(dir);
        CHECK_EQ(write(go[1], &c, 1), 1);
        CHECK_EQ(read(went[0], &c, 1), 1);
        removed_at_once(in, dir, name);
        CHECK_EQ(write(go[1], &c, 1), 1);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        close(in);
        CHECK_EQ(close(go[0]) | close(go[1]) | close(went[0]) | close(went[1]), 0);
    }
    return done();
}
