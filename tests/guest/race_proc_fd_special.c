// SPDX-License-Identifier: MIT
// As race_proc_fd.c, of what lxcore knows the owner of by its name: FIFOs, symlinks, sockets and
// device nodes. And of descriptors that came from another process, of link(2) and of execve(2).
// covers: open, stat, chmod, chown, linkat, connect, execve, utimensat
// needs: root
// timeout: 60
#include "race_names.h"
#include "scm.h"
#include <stdbool.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define ROUNDS 300

static int s[2];
static bool sends; // in an overlay, what was received is of the layer
static const char *programs[] = {"x", "y", NULL};
static const char *names[][2] = {{"f", "g"}, {"p", "q"}, {"l", "m"},
                                 {"n", "o"}, {"s", "t"}, {NULL}};

// A descriptor of one of the two names, itself or as another process has sent it. Which it is the
// mode of the inode tells: 0600 or 0640; of a symlink its owner.
static int hold(int kind, int i, char path[64])
{
    int fd = OK(open(names[kind][i & 1], O_PATH | O_NOFOLLOW));
    if ((i & 2) && sends) {
        CHECK_EQ(send_fds(s[0], &fd, 1), 1);
        CHECK_EQ(close(fd), 0);
        CHECK_EQ(recv_fds(s[1], &fd, 1, 0, NULL), 1);
    }
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void changed(int kind, int i)
{
    char path[64];
    struct timespec times[2] = {{i, 0}, {i, 0}};
    struct stat st;
    int fd = hold(kind, i, path), mode = 0600 + i % 64;
    ino_t ino = inode(fd);
    CHECK_EQ(stat(path, &st), 0);
    CHECK(st.st_ino == ino);
    CHECK_EQ(chown(path, (uid_t)i % 50, 5), 0);
    CHECK_EQ(utimensat(AT_FDCWD, path, times, 0), 0);
    if (kind == 2)
        CHECK_ERR(chmod(path, (mode_t)mode), EOPNOTSUPP);
    else
        CHECK_EQ(chmod(path, (mode_t)mode), 0);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK(st.st_ino == ino);
    CHECK_EQ(st.st_uid, i % 50);
    CHECK_EQ(st.st_gid, 5);
    CHECK_EQ(st.st_mtime, i);
    if (kind != 2)
        CHECK_EQ(st.st_mode & 0777, mode);
    CHECK_EQ(close(fd), 0);
}

static void opened(int i)
{
    char path[64], text[8] = "";
    int fd = hold(1, i, path), again = OK(open(path, O_RDWR | O_NONBLOCK));
    CHECK(inode(again) == inode(fd));
    CHECK_EQ(close(again) | close(fd), 0);
    fd = hold(2, i, path);
    CHECK_ERR(open(path, O_RDONLY), ELOOP);
    again = OK(open(path, O_PATH));
    CHECK(inode(again) == inode(fd));
    CHECK_EQ(close(again), 0);
    CHECK_EQ(readlinkat(fd, "", text, sizeof text), 6);
    CHECK_EQ(close(fd), 0);
    fd = hold(3, i, path); // null or zero
    struct stat st;
    CHECK_EQ(fstat(fd, &st), 0);
    again = OK(open(path, O_RDONLY));
    CHECK_EQ(read(again, text, 1), minor(st.st_rdev) == 5);
    CHECK_EQ(close(again) | close(fd), 0);
}

static void connected(int i)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    char path[64];
    int fd = hold(4, i, path), c = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct stat st;
    CHECK_EQ(fstat(fd, &st), 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    // One of them has a listener of another type.
    int r = connect(c, (void *)&to, sizeof to);
    int error = r < 0 ? errno : 0;
    CHECK_EQ(error, st.st_uid == 1 ? 0 : EPROTOTYPE);
    CHECK_EQ(close(c) | close(fd), 0);
}

static void linked(int kind, int i)
{
    char path[64];
    struct stat st;
    int fd = hold(kind, i, path);
    CHECK_EQ(linkat(AT_FDCWD, path, top, "link", AT_SYMLINK_FOLLOW), 0);
    CHECK_EQ(fstatat(top, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    CHECK(st.st_ino == inode(fd));
    CHECK_EQ(unlinkat(top, "link", 0) | close(fd), 0);
}

// Two programs, copies of this one, with another digit in it each.
static volatile char digit[] = "the digit of this program: 0";
#define DIGIT (sizeof digit - 2)

static void copy(const char *to, char is)
{
    int in = OK(open("/proc/self/exe", O_RDONLY)), out = OK(open(to, O_CREAT | O_WRONLY, 0755));
    struct stat st;
    CHECK_EQ(fstat(in, &st), 0);
    char *all = malloc((size_t)st.st_size), *at;
    CHECK_EQ(read(in, all, (size_t)st.st_size), st.st_size);
    at = memmem(all, (size_t)st.st_size, (char *)digit, DIGIT);
    CHECK(at);
    at[DIGIT] = is;
    CHECK_EQ(write(out, all, (size_t)st.st_size), st.st_size);
    free(all);
    CHECK_EQ(fsetxattr(out, "user.digit", &is, 1, 0), 0);
    CHECK_EQ(close(out) | close(in), 0);
}

static void run(int i)
{
    char path[64], is, *args[] = {"", "", NULL};
    int status, fd = OK(open(i & 1 ? "x" : "y", O_RDONLY));
    CHECK_EQ(fgetxattr(fd, "user.digit", &is, 1), 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pid_t pid = fork();
    if (!pid) {
        execve(path, args, NULL);
        _exit(126);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(WEXITSTATUS(status), is - '0');
    CHECK_EQ(close(fd), 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    pthread_t thread;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (argc > 1)
        return digit[DIGIT] - '0';
    top = OK(open(".", O_PATH));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    struct statfs fs;
    CHECK_EQ(fstatfs(top, &fs), 0);
    sends = fs.f_type != 0x794c7630; // OVERLAYFS_SUPER_MAGIC
    put_file("f", "");
    put_file("g", "");
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(mkfifo(names[1][i], 0600) | symlink("target", names[2][i]), 0);
        CHECK_EQ(mknod(names[3][i], S_IFCHR | 0600, makedev(1, i ? 5 : 3)), 0);
        int b = OK(socket(AF_UNIX, i ? SOCK_STREAM : SOCK_DGRAM, 0));
        snprintf(at.sun_path, sizeof at.sun_path, "%s", names[4][i]);
        CHECK_EQ(bind(b, (void *)&at, sizeof at), 0);
        CHECK_EQ(chown(names[4][i], i ? 2 : 1, 0), 0);
    }
    CHECK_EQ(pthread_create(&thread, NULL, exchange, names), 0);
    for (int i = 0; i < ROUNDS || swaps < ROUNDS; i++) {
        for (int kind = 1; kind < 4; kind++)
            changed(kind, i);
        for (int kind = 0; kind < 5; kind++)
            linked(kind, i);
        opened(i);
        connected(i);
    }
    stop = 1;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    copy("x", '1');
    copy("y", '2');
    stop = 0;
    CHECK_EQ(pthread_create(&thread, NULL, exchange, programs), 0);
    for (int i = 0; i < 60; i++)
        run(i);
    stop = 1;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    return done();
}
