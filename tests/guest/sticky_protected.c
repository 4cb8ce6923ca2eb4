// SPDX-License-Identifier: MIT
// Sticky directories that others may write to: whose links are followed and whose files are opened
// with O_CREAT there, as fs.protected_symlinks, protected_regular and protected_fifos say.
// covers: open, stat, mknod
// needs: root
#include "check.h"

static int setting(const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
    return atoi(get_file(path));
}

// As uid: can it be opened so? 0 or errno.
static int opens(uid_t uid, const char *path, int flags)
{
    int status;
    pid_t pid = OK(fork());

    if (pid == 0) {
        if (uid)
            become(uid, uid);
        _exit(open(path, flags | O_NONBLOCK, 0644) < 0 ? errno : 0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// Files of 1000 in a directory of root's, to root, 1000 and 1001.
static void show(const char *dir, int mode)
{
    char path[64];

    CHECK_EQ(mkdir(dir, 0777), 0);
    CHECK_EQ(chmod(dir, mode), 0);
    for (int type = 0; type < 4; type++) {
        static const mode_t types[] = {S_IFREG, S_IFIFO, S_IFCHR};
        int sum = 0;

        snprintf(path, sizeof(path), "%s/%d", dir, type);
        if (type < 3)
            CHECK_EQ(mknod(path, types[type] | 0666, 1 << 8 | 3), 0);
        else
            CHECK_EQ(symlink("../file", path), 0);
        CHECK_EQ(lchown(path, 1000, 1000), 0);
        printf("%o %d:", mode, type);
        for (uid_t uid = 0; uid < 1002; uid = uid ? uid + 1 : 1000) {
            int plain = opens(uid, path, O_RDWR), create = opens(uid, path, O_RDWR | O_CREAT);
            int itself = opens(uid, path, O_RDWR | O_CREAT | O_NOFOLLOW);

            sum += plain + create;
            printf(" %d %d %d", plain, create, itself);
        }
        printf("\n");
        // What the settings say of it, by the book.
        if (mode == 01777 && type < 2)
            CHECK_EQ(sum != 0, setting(type ? "protected_fifos" : "protected_regular") != 0);
        if (mode == 01777 && type == 3)
            CHECK_EQ(sum != 0, setting("protected_symlinks") != 0);
        if (!(mode & S_ISVTX))
            CHECK_EQ(sum, 0);
    }
}

// A FIFO without a peer: who may not open it so is told at once; who may waits for the other end.
static void show_waiting(const char *path)
{
    static const int flags[] = {O_RDONLY | O_CREAT, O_WRONLY | O_CREAT, O_WRONLY};

    for (size_t i = 0; i < 3; i++) {
        int status;
        int waits = i == 2 || !setting("protected_fifos");
        pid_t pid = OK(fork());

        if (pid == 0) {
            become(1001, 1001);
            alarm(waits); // who is told may be told late
            _exit(open(path, flags[i], 0644) < 0 ? errno : 0);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(WIFSIGNALED(status), waits);
        CHECK_EQ(WIFSIGNALED(status) ? WTERMSIG(status) == SIGALRM : WEXITSTATUS(status) == EACCES,
                 1);
    }
}

int main(void)
{
    umask(0);
    CHECK_EQ(chmod(".", 0777), 0);
    put_file("file", "");
    CHECK_EQ(chmod("file", 0666), 0);
    show("sticky", 01777);
    show_waiting("sticky/1");
    show("group", 01775);
    show("plain", 0777);
    return done();
}
