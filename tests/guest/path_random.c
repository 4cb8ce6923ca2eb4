// SPDX-License-Identifier: MIT
// Random calls on random paths, with links, dots and slashes anywhere: each result, and now and
// then the whole tree, is what Linux gives; by root and by an ordinary user in turn.
// covers: mkdir, rmdir, unlink, renameat2, linkat, symlink, mknod, open, openat2, stat, lstat, access
// covers: chmod, lchown, truncate, readlink, chdir, utimensat, statfs
// needs: root
// timeout: 60
#include "check.h"
#include "openat2.h"
#include <dirent.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

enum { DEPTH = 120, STEPS = 12000, SHOW_EVERY = 500 };

static unsigned long state;
static int home;

static unsigned rnd(unsigned n)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(state >> 33) % n;
}

// The start is so deep below the working directory of the test that no path of these gets out.
static const char *path(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", ".", "..", "a", "b"};
    static char text[4][256];
    static int turn;
    char *p = text[turn++ % 4];

    *p = 0;
    if (rnd(200) == 0)
        return p;
    for (unsigned i = 0, n = 1 + rnd(4); i < n; i++) {
        strcat(p, names[rnd(i || n > 1 ? 10 : 8)]);
        if (i + 1 < n || rnd(8) == 0)
            strcat(p, rnd(10) ? "/" : "//");
    }
    return p;
}

static void show(const char *dir)
{
    struct dirent **list;
    int n = scandir(dir, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char name[512], link[256];
        struct stat st;

        snprintf(name, sizeof(name), "%s/%s", dir, list[i]->d_name);
        if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0) {
            st = stat_of(name);
            CHECK_EQ(list[i]->d_type, IFTODT(st.st_mode));
            printf("  %s %o %d:%d %d", name, st.st_mode, st.st_uid, st.st_gid, (int)st.st_nlink);
            if (S_ISREG(st.st_mode))
                printf(" %d", (int)st.st_size);
            ssize_t len = readlink(name, link, sizeof(link));
            if (len >= 0)
                printf(" -> %.*s", (int)len, link);
            puts("");
            if (S_ISDIR(st.st_mode))
                show(name);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

static int close_it(int fd)
{
    struct stat st;

    if (fd < 0)
        return fd;
    CHECK_EQ(fstat(fd, &st), 0);
    // A layer's device is the host's, with the host's mode.
    int mode = (int)(S_ISCHR(st.st_mode) ? S_IFCHR : st.st_mode);
    close(fd);
    return mode;
}

static int do_open(const char *p)
{
    static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR, O_PATH};
    static const int bits[] = {O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_APPEND};
    int flags = access[rnd(4)] | O_NONBLOCK;

    for (int i = 0; i < 6; i++)
        flags |= rnd(3) ? 0 : bits[i];
    if ((flags & O_EXCL) && !(flags & O_CREAT))
        flags &= ~O_EXCL; // undefined
    int mode = (int)rnd(01000);
    printf("open %s %o %o", p, flags, mode);
    return close_it(open(p, flags, mode));
}

static int do_openat2(const char *p)
{
    static const int bits[] = {RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS,
                               RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS};
    struct open_how how = {.flags = O_PATH | (rnd(2) ? O_NOFOLLOW : 0), .resolve = bits[rnd(5)]};

    printf("openat2 %s %lx %lx", p, (long)how.flags, (long)how.resolve);
    return close_it(openat2_again(AT_FDCWD, p, &how));
}

static int do_stat(const char *p, int flags)
{
    struct stat st;
    int r = fstatat(AT_FDCWD, p, &st, flags);

    printf("stat %s %x", p, flags);
    return r ? r : (int)(st.st_mode ^ st.st_uid << 16 ^ st.st_gid << 20);
}

static int do_rename(const char *p, const char *q)
{
    unsigned flags = rnd(3) ? 0 : rnd(4);

    printf("rename %s %s %u", p, q, flags);
    return renameat2(AT_FDCWD, p, AT_FDCWD, q, flags);
}

// Not of nodes and links themselves: a layer may keep their owners by name.
static int do_link(const char *p, const char *q)
{
    struct stat st;

    printf("link %s %s", p, q);
    if (stat(p, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return 0;
    return linkat(AT_FDCWD, p, AT_FDCWD, q, AT_SYMLINK_FOLLOW);
}

static int do_mknod(const char *p)
{
    static const int types[] = {S_IFREG, S_IFIFO, S_IFCHR, S_IFBLK, S_IFSOCK};
    int mode = types[rnd(5)] | (int)rnd(01000);

    printf("mknod %s %o", p, mode);
    return mknod(p, mode, (mode & S_IFMT) == S_IFCHR ? makedev(1, 3) : makedev(240, 7));
}

static int do_readlink(const char *p)
{
    char text[256];

    printf("readlink %s", p);
    return (int)readlink(p, text, sizeof(text));
}

static int do_chdir(const char *p)
{
    int r = chdir(p);

    printf("chdir %s", p);
    if (r == 0 && rnd(2))
        printf(" then %d", mkdir(path(), 0755));
    CHECK_EQ(seteuid(0) | fchdir(home), 0);
    return r;
}

static int do_chmod(const char *p)
{
    int mode = (int)rnd(rnd(4) ? 01000 : 010000);

    printf("chmod %s %o", p, mode);
    return chmod(p, mode);
}

static int do_chown(const char *p)
{
    static const int ids[] = {0, 1000, 1001, -1};
    int uid = ids[rnd(4)], gid = ids[rnd(4)];

    printf("lchown %s %d %d", p, uid, gid);
    return lchown(p, uid, gid);
}

static int do_truncate(const char *p)
{
    int size = (int)rnd(100);

    printf("truncate %s %d", p, size);
    return truncate(p, size);
}

static int do_utimens(const char *p)
{
    struct timespec ts[2] = {{rnd(1000), 0}, {0, UTIME_NOW}};
    int nofollow = rnd(2) ? AT_SYMLINK_NOFOLLOW : 0, own = (int)rnd(2);

    printf("utimensat %s %d %d", p, nofollow, own);
    return utimensat(AT_FDCWD, p, own ? ts : NULL, nofollow);
}

static int step(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    const char *p = path(), *q = path();
    struct statfs fs;
    char name[8];

    switch (rnd(25)) {
    case 0:
    case 1:
        printf("mkdir %s", p);
        return mkdir(p, 0700 | rnd(01000));
    case 2:
        printf("rmdir %s", p);
        return rmdir(p);
    case 3:
        printf("unlink %s", p);
        return unlink(p);
    case 4:
    case 5:
        return do_rename(p, q);
    case 6:
        return do_link(p, q);
    case 7:
        if (rnd(3))
            return do_stat(p, 0);
        printf("symlink %s %s", p, q);
        return symlink(p, q);
    case 8:
    case 21:
    case 22:
    case 23:
        strcpy(name, names[rnd(6)]);
        printf("unlink %s", name);
        return unlink(name);
    case 9:
        return do_mknod(p);
    case 10:
    case 11:
    case 12:
        return do_open(p);
    case 13:
        return do_openat2(p);
    case 14:
        return do_stat(p, 0);
    case 15:
        return do_stat(p, AT_SYMLINK_NOFOLLOW);
    case 16: {
        int mode = (int)rnd(8);

        printf("access %s %d", p, mode);
        return faccessat(AT_FDCWD, p, mode, AT_EACCESS);
    }
    case 17:
        return do_chmod(p);
    case 18:
        return rnd(2) ? do_chown(p) : do_truncate(p);
    case 19:
        return do_readlink(p);
    case 20:
        return do_chdir(p);
    default:
        if (rnd(2))
            return do_utimens(p);
        printf("statfs %s", p);
        return statfs(p, &fs);
    }
}

int main(void)
{
    CHECK_EQ(setgroups(0, NULL), 0);
    for (unsigned long seed = 1; seed <= 3; seed++) {
        char top[] = "seed0";
        int back = OK(open(".", O_PATH));

        state = seed + 100;
        umask(0);
        top[4] = (char)('0' + seed);
        CHECK_EQ(mkdir(top, 0777) | chdir(top), 0);
        for (int i = 0; i < DEPTH; i++)
            CHECK_EQ(mkdir("t", 0777) | chdir("t"), 0);
        home = OK(open(".", O_PATH));
        for (int i = 0; i < STEPS; i++) {
            int user = rnd(3) == 0;

            if (user)
                CHECK_EQ(setegid(1000) | seteuid(1000), 0);
            errno = 0;
            int r = step(), error = r == -1 ? errno : 0;
            printf(" = %d %s\n", r, r == -1 ? strerrorname_np(error) : "");
            if (user)
                CHECK_EQ(seteuid(0) | setegid(0), 0);
            if (i % SHOW_EVERY == 0)
                show(".");
        }
        CHECK_EQ(fchdir(back), 0);
        close(back);
        close(home);
    }
    return done();
}
