// SPDX-License-Identifier: MIT
// Random layers, and random changes of the overlay over them: every result, and in the end what
// the overlay shows and what its upper layer holds, are those of Linux.
// covers: mount, open, write, unlink, rmdir, mkdir, rename, renameat2, link, symlink, chmod, chown, truncate, getdents64, readlink, setxattr
// needs: root
// timeout: 60
#include "overlay.h"
#include <sys/sysmacros.h>

static unsigned long state;

static unsigned rnd(unsigned n)
{
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(state >> 33) % n;
}

static const char *random_path(const char *top)
{
    static char paths[8][64];
    static int turn;
    char *p = paths[turn++ % 8];
    int n = sprintf(p, "%s", top);

    for (int depth = 1 + rnd(3); depth > 0; depth--)
        n += sprintf(p + n, "/%c", "abcd"[rnd(4)]);
    return p;
}

static void populate(const char *layer)
{
    for (int i = 0; i < 30; i++) {
        const char *p = random_path(layer);
        int fd;

        switch (rnd(5)) {
        case 0:
        case 1:
            mkdir(p, 0755);
            break;
        case 2:
            if (symlink("a/b", p) == 0)
                CHECK_EQ(lchown(p, rnd(3), rnd(3)), 0);
            break;
        default:
            fd = open(p, O_WRONLY | O_CREAT | O_EXCL, 0644);
            if (fd >= 0) {
                CHECK_EQ(write(fd, p, strlen(p)), strlen(p));
                CHECK_EQ(fchown(fd, rnd(3), rnd(3)) | close(fd), 0);
            }
        }
    }
}

static void show(const char *path)
{
    char target[64], names[4096], below[300];
    struct stat st = stat_of(path);
    ssize_t n;

    printf("%s ", path);
    if (S_ISCHR(st.st_mode)) {
        printf("node %u:%u\n", major(st.st_rdev), minor(st.st_rdev));
        return;
    }
    printf("%o %d:%d", st.st_mode, st.st_uid, st.st_gid);
    if (S_ISLNK(st.st_mode)) {
        n = OK(readlink(path, target, sizeof(target)));
        printf(" -> %.*s\n", (int)n, target);
    } else if (S_ISREG(st.st_mode)) {
        printf(" %d links: %s\n", (int)st.st_nlink, get_file(path));
    } else {
        char *at, *end;
        snprintf(names, sizeof(names), "%s", names_in(path));
        printf(": %s\n", names);
        for (at = names; *at; at = end) {
            end = strchrnul(at, ' ');
            snprintf(below, sizeof(below), "%s/%.*s", path, (int)(end - at), at);
            end += *end == ' ';
            show(below);
        }
    }
}

static int outcome(int r)
{
    return r < 0 ? -errno : 0;
}

static void change(int i)
{
    const char *p = random_path("m"), *q = random_path("m"), *what = "";
    struct stat st;
    int fd, r = 0, op = rnd(18);
    unsigned flags = (unsigned[]){0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE}[rnd(5)];

    errno = 0;
    switch (op) {
    case 0:
    case 1:
        what = "create";
        r = fd = open(p, O_WRONLY | O_CREAT | (op ? O_EXCL : 0), 0640);
        break;
    case 2:
        what = "append";
        r = fd = open(p, O_WRONLY | O_APPEND);
        break;
    case 3:
    case 4:
        what = "unlink";
        r = unlink(p);
        break;
    case 5:
    case 6:
        what = "rmdir";
        r = rmdir(p);
        break;
    case 7:
    case 8:
        what = "mkdir";
        r = mkdir(p, 0755);
        break;
    case 9:
    case 10:
    case 11:
        what = "rename";
        r = renameat2(AT_FDCWD, p, AT_FDCWD, q, flags);
        break;
    case 12:
        what = "link";
        // Each name of a symlink has an owner of its own under lxrun (docs/files.md).
        r = lstat(p, &st) == 0 && S_ISLNK(st.st_mode) ? 0 : link(p, q);
        break;
    case 13:
        what = "symlink";
        r = symlink("b/c", p);
        break;
    case 14:
        what = "chmod";
        r = chmod(p, 0700 + i % 64);
        break;
    case 15:
        what = "chown";
        r = lchown(p, i % 5, i % 7);
        break;
    case 16:
        what = "truncate";
        r = truncate(p, i % 9);
        break;
    default:
        what = "setxattr";
        r = lsetxattr(p, "user.x", what, i % 8, 0);
    }
    printf("%d %s %s", i, what, p);
    if (op >= 9 && op <= 12)
        printf(" %s %u", q, flags);
    printf(" = %d\n", outcome(r));
    if (op <= 2 && r >= 0) {
        CHECK_EQ(write(fd, "+", 1), 1);
        CHECK_EQ(close(fd), 0);
    }
}

static void mount_of(const char *lower, const char *upper, const char *work)
{
    char options[128];

    snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
    CHECK_EQ(mount("o", "m", "overlay", 0, options), 0);
}

// The first overlay's upper layer is the second's lower one.
static void both_layers(void)
{
    CHECK_EQ(mkdir("work1", 0755), 0);
    populate("l2");
    mount_of("l2", "l1", "work1");
    for (int i = 0; i < 60; i++)
        change(i);
    show("m");
    CHECK_EQ(umount("m"), 0);
    populate("up");
    mount_of("l1:l2", "up", "work");
    show("m");
    for (int i = 0; i < 150; i++)
        change(i);
    show("m");
    CHECK_EQ(umount("m"), 0);
    mount_of("l1:l2", "up", "work");
    show("m");
    show("up");
    show("l1");
    show("l2");
}

int main(int argc, char **argv)
{
    char name[16];

    for (int seed = 1; seed <= (argc > 1 ? atoi(argv[1]) : 25); seed++) {
        state = seed * 1000003UL;
        snprintf(name, sizeof(name), "r%d", seed);
        CHECK_EQ(mkdir(name, 0755) | chdir(name), 0);
        overlay_layers();
        printf("---- %d\n", seed);
        both_layers();
        overlay_end();
        CHECK_EQ(chdir(".."), 0);
    }
    return done();
}
