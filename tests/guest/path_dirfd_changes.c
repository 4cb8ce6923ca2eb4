// SPDX-License-Identifier: MIT
// A path from a directory's descriptor leads on from what the number stands for at that moment,
// however often it was used before: closed, replaced by dup2, dup3, close_range or by what came in
// over a socket, in a forked child, behind execve, and while directories below it are moved.
// covers: openat, newfstatat, close, dup2, dup3, close_range, fcntl, rename, execve, recvmsg
#include "check.h"
#include <sys/socket.h>
#include <sys/syscall.h>

static void make(const char *dir, const char *text)
{
    char path[64];

    CHECK_EQ(mkdir(dir, 0755), 0);
    snprintf(path, sizeof(path), "%s/s", dir);
    CHECK_EQ(mkdir(path, 0755), 0);
    snprintf(path, sizeof(path), "%s/s/f", dir);
    put_file(path, text);
}

// The first byte of s/f below fd, or errno; asked often enough for the way to be known.
static int look(int fd)
{
    struct stat st;
    int first = 0;

    for (int i = 0; i < 5; i++) {
        char c = 0;
        int f = openat(fd, "s/f", O_RDONLY), e = f < 0 ? errno : 0;

        CHECK_EQ(fstatat(fd, "s/f", &st, 0) ? errno : 0, e);
        if (f >= 0) {
            CHECK_EQ(read(f, &c, 1), 1);
            close(f);
        }
        e = e ? e : c;
        if (!i)
            first = e;
        CHECK_EQ(e, first);
    }
    return first;
}

static int dir(const char *path)
{
    return OK(open(path, O_RDONLY | O_DIRECTORY));
}

static void send_dir(int sock, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    CHECK_EQ(sendmsg(sock, &m, 0), 1);
}

static int receive(int sock)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    int fd;

    CHECK_EQ(recvmsg(sock, &m, 0), 1);
    CHECK(CMSG_FIRSTHDR(&m) != NULL);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
    return fd;
}

int main(int argc, char **argv)
{
    int a, b, pair[2], status;
    char number[16];

    if (argc > 1) { // behind execve: the number is another's, or nobody's
        a = atoi(argv[1]);
        CHECK_EQ(look(a), EBADF);
        CHECK_EQ(dup2(dir("b"), a), a);
        CHECK_EQ(look(a), 'b');
        return done();
    }
    make("a", "a");
    make("b", "b");
    a = dir("a");
    CHECK_EQ(look(a), 'a');
    CHECK_EQ(close(a), 0);
    CHECK_EQ(look(a), EBADF);
    CHECK_EQ(dir("b"), a);
    CHECK_EQ(look(a), 'b');
    CHECK_EQ(close(a), 0);
    CHECK_EQ(pipe(pair), 0); // no directory
    CHECK_EQ(pair[0], a);
    CHECK_EQ(look(a), ENOTDIR);
    close(pair[1]);
    b = dir("b");
    CHECK_EQ(look(b), 'b');
    CHECK_EQ(dup2(b, a), a);
    CHECK_EQ(look(a), 'b');
    close(b);
    b = dir("a");
    CHECK_EQ(look(b), 'a');
    CHECK_EQ(dup3(b, a, O_CLOEXEC), a);
    CHECK_EQ(look(a), 'a');
    CHECK_EQ(syscall(SYS_close_range, a, a, 0), 0);
    CHECK_EQ(look(a), EBADF);
    CHECK_EQ(fcntl(b, F_DUPFD, a), a);
    CHECK_EQ(look(a), 'a');
    close(a);

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(b);
    b = dir("b");
    send_dir(pair[0], b);
    send_dir(pair[0], b);
    b = receive(pair[1]);
    CHECK_EQ(look(b), 'b');
    close(b);
    CHECK_EQ(dir("a"), b);
    CHECK_EQ(look(b), 'a');
    close(b);
    CHECK_EQ(receive(pair[1]), b);
    CHECK_EQ(look(b), 'b');

    // A child has a table of its own.
    a = dir("a");
    CHECK_EQ(look(a), 'a');
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK_EQ(look(a), 'a');
        CHECK_EQ(dup2(b, a), a);
        CHECK_EQ(look(a), 'b');
        _exit(0);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(look(a), 'a');

    CHECK_EQ(rename("a/s", "a/t"), 0);
    CHECK_EQ(look(a), ENOENT);
    CHECK_EQ(rename("b/s", "a/s"), 0);
    CHECK_EQ(look(a), 'b');
    CHECK_EQ(look(b), ENOENT);
    CHECK_EQ(rename("a/s", "b/s"), 0);
    CHECK_EQ(rename("a/t", "a/s"), 0);
    CHECK_EQ(look(a), 'a');
    CHECK_EQ(rename("a", "c"), 0); // the descriptor goes along
    CHECK_EQ(look(a), 'a');
    close(b);
    close(pair[0]);
    close(pair[1]);
    CHECK_EQ(fcntl(a, F_SETFD, FD_CLOEXEC), 0);
    snprintf(number, sizeof(number), "%d", a);
    execl("/proc/self/exe", argv[0], number, NULL);
    return 1;
}
