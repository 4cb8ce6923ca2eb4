// SPDX-License-Identifier: MIT
// Attributes of symlinks, FIFOs, sockets and device nodes stay with them: by rename, onto another
// one, exchanged, after chmod and chown, by descriptor; with the name they are gone. Who may not
// have them, and what the flags of setxattr say.
// covers: lsetxattr, lgetxattr, llistxattr, lremovexattr, fsetxattr, fgetxattr, rename, renameat2
// needs: root
#include "check.h"
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

static const char *const special[] = {"l", "p", "s", "n"};

static void make(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s;

    if (*name == 'l') {
        CHECK_EQ(symlink("target", name), 0);
    } else if (*name == 's') {
        s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        strcpy(a.sun_path, name);
        CHECK_EQ(bind(s, (void *)&a, sizeof(a)) | close(s), 0);
    } else {
        CHECK_EQ(mknod(name, *name == 'n' ? S_IFBLK | 0600 : S_IFIFO | 0600, makedev(240, 1)), 0);
    }
}

static const char *get(const char *path, const char *name)
{
    static char text[8192];
    ssize_t n = lgetxattr(path, name, text, sizeof(text) - 1);

    text[n < 0 ? 0 : n] = 0;
    return n < 0 ? strerror(errno) : text;
}

static int count(const char *path)
{
    char list[4096];
    ssize_t size = OK(llistxattr(path, list, sizeof(list)));
    int n = 0;

    for (char *s = list; s < list + size; s += strlen(s) + 1)
        n++;
    return n;
}

int main(void)
{
    char text[2048], odd[256];
    struct stat st;
    pid_t pid;

    CHECK_EQ(chmod(".", 0755), 0);
    for (size_t i = 0; i < 4; i++) {
        const char *p = special[i];

        make(p);
        CHECK_ERR(lsetxattr(p, "trusted.a", "1", 1, XATTR_REPLACE), ENODATA);
        CHECK_EQ(lsetxattr(p, "trusted.a", "1", 1, XATTR_CREATE), 0);
        CHECK_ERR(lsetxattr(p, "trusted.a", "2", 1, XATTR_CREATE), EEXIST);
        CHECK_EQ(lsetxattr(p, "trusted.a", "two; = %20 @\n\xff", 14, XATTR_REPLACE), 0);
        CHECK_EQ(lsetxattr(p, "security.b", NULL, 0, 0), 0);
        CHECK_ERR(lsetxattr(p, "user.u", "u", 1, 0), EPERM);
        CHECK_ERR(lgetxattr(p, "user.u", text, 8), ENODATA);
        CHECK_ERR(lremovexattr(p, "user.u"), EPERM);
        CHECK_ERR(lremovexattr(p, "trusted.none"), ENODATA);
        CHECK_EQ(lgetxattr(p, "trusted.a", NULL, 0), 14);
        CHECK_ERR(lgetxattr(p, "trusted.a", text, 13), ERANGE);
        CHECK_STR(get(p, "trusted.a"), "two; = %20 @\n\xff");
        CHECK_EQ(lgetxattr(p, "security.b", text, 8), 0);
        CHECK_EQ(llistxattr(p, NULL, 0), 21);
        CHECK_ERR(llistxattr(p, text, 20), ERANGE);
        CHECK_EQ(count(p), 2);

        // Owner, mode and times change, they stay.
        CHECK_EQ(lchown(p, 1000, 1001), 0);
        if (*p != 'l')
            CHECK_EQ(chmod(p, 0644), 0);
        CHECK_EQ(utimensat(AT_FDCWD, p, NULL, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_STR(get(p, "trusted.a"), "two; = %20 @\n\xff");
        CHECK_EQ(lstat(p, &st), 0);
        printf("%s %o %u:%u\n", p, st.st_mode, st.st_uid, st.st_gid);

        // An ordinary user does not see trusted.*, and sets neither, owner or not.
        pid = OK(fork());
        if (pid == 0) {
            become(1000, 1000);
            CHECK_EQ(count(p), 1);
            CHECK_ERR(lgetxattr(p, "trusted.a", text, 64), ENODATA);
            CHECK_EQ(lgetxattr(p, "security.b", text, 64), 0);
            CHECK_ERR(lsetxattr(p, "trusted.a", "x", 1, 0), EPERM);
            CHECK_ERR(lsetxattr(p, "security.b", "x", 1, 0), EPERM);
            CHECK_ERR(lremovexattr(p, "security.b"), EPERM);
            _exit(0);
        }
        wait_ok(pid);

        // A long value, and a name of odd bytes.
        memset(text, 'v', 1500);
        CHECK_EQ(lsetxattr(p, "trusted.long", text, 1500, 0), 0);
        snprintf(odd, sizeof(odd), "trusted.%s", "=;% @\xc3\xa4\n");
        CHECK_EQ(lsetxattr(p, odd, "o", 1, 0), 0);
        CHECK_STR(get(p, odd), "o");
        CHECK_EQ(lgetxattr(p, "trusted.long", text, sizeof(text)), 1500);
        CHECK_EQ(count(p), 4);
        CHECK_EQ(lremovexattr(p, "trusted.long") | lremovexattr(p, odd), 0);

        // Into another directory, and onto another such file that has some.
        CHECK(mkdir("d", 0755) == 0 || errno == EEXIST);
        CHECK_EQ(rename(p, "d/moved"), 0);
        CHECK_STR(get("d/moved", "trusted.a"), "two; = %20 @\n\xff");
        make(p);
        CHECK_EQ(count(p), 0);
        CHECK_EQ(lsetxattr(p, "trusted.other", "o", 1, 0), 0);
        CHECK_EQ(syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, "d/moved", RENAME_EXCHANGE), 0);
        CHECK_STR(get("d/moved", "trusted.other"), "o");
        CHECK_STR(get(p, "trusted.a"), "two; = %20 @\n\xff");
        CHECK_EQ(count(p) * 10 + count("d/moved"), 21);
        CHECK_EQ(rename("d/moved", p), 0);
        CHECK_STR(get(p, "trusted.other"), "o");
        CHECK_EQ(count(p), 1);

        // The next of the name has none.
        CHECK_EQ(unlink(p), 0);
        make(p);
        CHECK_EQ(count(p), 0);
        CHECK_ERR(lgetxattr(p, "trusted.other", text, 64), ENODATA);
    }
    // By descriptor.
    int fd = OK(open("p", O_RDWR));
    CHECK_EQ(fsetxattr(fd, "trusted.f", "f", 1, 0), 0);
    CHECK_STR(get("p", "trusted.f"), "f");
    CHECK_EQ(rename("p", "q"), 0);
    CHECK_EQ(fgetxattr(fd, "trusted.f", text, 8), 1);
    CHECK_EQ(flistxattr(fd, text, 64), 10);
    CHECK_EQ(fremovexattr(fd, "trusted.f"), 0);
    CHECK_EQ(count("q"), 0);

    // Capabilities go with a change of owner.
    unsigned caps[5] = {0x02000001, 1};
    CHECK_EQ(lsetxattr("q", "security.capability", caps, sizeof(caps), 0), 0);
    CHECK_EQ(chmod("q", 0640) | count("q"), 1);
    CHECK_EQ(chown("q", 0, 5), 0);
    CHECK_EQ(count("q"), 0);
    return done();
}
