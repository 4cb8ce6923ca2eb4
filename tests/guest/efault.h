// SPDX-License-Identifier: MIT
// What the generated EFAULT test (scripts/gen-efault.py) stands on: addresses that are bad in five
// ways, and objects on which each call would succeed but for the one bad pointer.
#ifndef GUEST_EFAULT_H
#define GUEST_EFAULT_H

#include "check.h"
#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <mqueue.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

enum direction { READ, WRITTEN, STRING }; // what the call does with the memory

// Zeroed before each call. page is a page of its own.
static char buf[8192] __attribute__((aligned(4096)));
#define page buf

static int file_fd, file2_fd, dir_fd, pipe_fd[2], sock, pair[2], listen_fd, client = -1;
static int epoll_fd, event_fd, timer_fd, inotify_fd, self_pidfd, mq;
static int shm, sem, msg, timer;
static aio_context_t aio;
static pid_t child;
static socklen_t len;
static struct iovec iov;
static uint64_t usr2_set = 1UL << (SIGUSR2 - 1);
static struct __user_cap_header_struct cap_header;
static struct {
    uint64_t value;
    uint32_t size, flags;
} xattr_args;

// The bad addresses.

#define WAYS 5
static unsigned long bad; // the one of this round
static int way;
static int release; // of the kernel, 6013 for 6.13
static char *no_access, *read_only, *edge;

static void make_bad_memory(void)
{
    char *p = OK(mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    read_only = p;
    edge = p + 2 * 4096 - 1;
    no_access = p + 2 * 4096;
    CHECK_EQ(mprotect(read_only, 4096, PROT_READ), 0);
    CHECK_EQ(mprotect(no_access, 2 * 4096, PROT_NONE), 0);
}

static void set_up(void)
{
    memset(buf, 0, sizeof(buf));
    iov = (struct iovec){buf, 8};
    len = 64;
    cap_header = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, 0};
    xattr_args.value = (unsigned long)buf;
    xattr_args.size = 8;
    xattr_args.flags = 0;
}

static void start(const char *what)
{
    printf("%s:", what);
    way = 0;
}

// The next address: near zero, outside the canonical range, the kernel's, present but forbidden,
// and the last byte before a hole. False, and the end of the line, after the last.
static int next_bad(enum direction dir)
{
    set_up();
    *edge = dir == STRING ? 'x' : 0;
    switch (way++) {
    case 0:
        bad = 8;
        return 1;
    case 1:
        bad = 0x0000800000001000;
        return 1;
    case 2:
        bad = 0xffff888000000000;
        return 1;
    case 3:
        bad = (unsigned long)(dir == WRITTEN ? read_only : no_access);
        return 1;
    case 4:
        bad = (unsigned long)edge;
        return 1;
    }
    printf("\n");
    fflush(stdout); // a crash shows where
    return 0;
}

// Line by line, so that native Linux and lxrun can be compared: what each bad address gave.
static void got(long result)
{
    printf(" %s", result == -1 ? strerrorname_np(errno) : "ok");
}

#define EACH(what, dir) for (start(what); next_bad(dir);)

// Before a call that needs something to be there.

static void rewind_files(void)
{
    lseek(file_fd, 0, SEEK_SET);
    lseek(file2_fd, 0, SEEK_SET);
    lseek(dir_fd, 0, SEEK_SET);
}

static void drain(void)
{
    char c;

    while (recv(pair[0], &c, 1, MSG_DONTWAIT) >= 0)
        ;
}

static void message(void)
{
    drain();
    CHECK_EQ(send(pair[1], "x", 1, MSG_DONTWAIT), 1);
}

static void connection(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    socklen_t size = sizeof(addr);
    int fd;

    while ((fd = accept(listen_fd, NULL, NULL)) >= 0)
        close(fd);
    close(client);
    client = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    CHECK_EQ(bind(client, (struct sockaddr *)&addr, sizeof(sa_family_t)), 0); // gets a name
    CHECK_EQ(getsockname(listen_fd, (struct sockaddr *)&addr, &size), 0);
    CHECK_EQ(connect(client, (struct sockaddr *)&addr, size), 0);
}

static void byte_in_pipe(void)
{
    char c;

    while (read(pipe_fd[0], &c, 1) == 1)
        ;
    CHECK_EQ(write(pipe_fd[1], "x", 1), 1);
}

static void dead_child(void)
{
    if (child > 0)
        waitpid(child, NULL, 0); // the last one, if the call did not take it
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(0);
}

static void pending_signal(void)
{
    CHECK_EQ(raise(SIGUSR2), 0);
}

static void queued_message(void)
{
    struct {
        long type;
        char text[8];
    } m = {1, "x"};

    while (msgrcv(msg, &m, 8, 0, IPC_NOWAIT) >= 0)
        ;
    m.type = 1;
    msgsnd(msg, &m, 1, IPC_NOWAIT);
}

static void empty_mq(void)
{
    char m[8];

    while (mq_receive(mq, m, sizeof(m), NULL) >= 0)
        ;
}

static void message_in_mq(void)
{
    empty_mq();
    mq_send(mq, "x", 1, 0);
}

static void aio_event(void)
{
    static struct iocb cb;
    struct iocb *cbs[] = {&cb};
    struct io_event done[8];

    while (syscall(SYS_io_getevents, aio, 0, 8, done, &(struct timespec){0}) > 0)
        ;
    cb = (struct iocb){.aio_lio_opcode = IOCB_CMD_PREAD,
                       .aio_fildes = file_fd,
                       .aio_buf = (unsigned long)buf,
                       .aio_nbytes = 1};
    CHECK_EQ(syscall(SYS_io_submit, aio, 1, cbs), 1);
}

static void one_group(void)
{
    CHECK_EQ(setgroups(1, (gid_t[]){0}), 0);
}

static void remove_sysv(void)
{
    shmctl(shm, IPC_RMID, NULL);
    semctl(sem, 0, IPC_RMID);
    msgctl(msg, IPC_RMID, NULL);
}

static void make_sockets(void)
{
    struct sockaddr_un unnamed = {.sun_family = AF_UNIX};

    sock = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    listen_fd = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    // A bind without a name gets one: then there is an address to write.
    CHECK_EQ(bind(pair[0], (struct sockaddr *)&unnamed, sizeof(sa_family_t)), 0);
    CHECK_EQ(bind(pair[1], (struct sockaddr *)&unnamed, sizeof(sa_family_t)), 0);
    CHECK_EQ(bind(listen_fd, (struct sockaddr *)&unnamed, sizeof(sa_family_t)), 0);
    CHECK_EQ(listen(listen_fd, 8), 0);
}

static void make_objects(void)
{
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    struct epoll_event ready = {.events = EPOLLOUT};
    struct utsname u;
    char name[64];
    int major, minor;
    sigset_t usr2;

    CHECK_EQ(uname(&u), 0);
    CHECK_EQ(sscanf(u.release, "%d.%d", &major, &minor), 2);
    release = major * 1000 + minor;

    make_bad_memory();
    set_up();
    put_file("file", "some text of more than a few bytes\n");
    put_file("file2", "");
    put_file("exec", "not a program\n");
    CHECK_EQ(chmod("exec", 0755), 0);
    CHECK_EQ(symlink("file", "link"), 0);
    CHECK_EQ(mkdir("dir", 0755), 0);
    CHECK_EQ(setxattr("file", "user.lx", "1", 1, 0), 0);
    file_fd = OK(open("file", O_RDWR));
    file2_fd = OK(open("file2", O_RDWR));
    dir_fd = OK(open(".", O_RDONLY | O_DIRECTORY));
    CHECK_EQ(pipe2(pipe_fd, O_NONBLOCK), 0);
    make_sockets();
    epoll_fd = OK(epoll_create1(0));
    event_fd = OK(eventfd(0, 0));
    CHECK_EQ(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &ready), 0);
    timer_fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
    inotify_fd = OK(inotify_init1(0));
    self_pidfd = OK(syscall(SYS_pidfd_open, getpid(), 0));

    // Not every kernel is built with these: the calls then fail alike.
    snprintf(name, sizeof(name), "/efault-%d", getpid());
    mq = mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0600,
                 &(struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 8});
    mq_unlink(name);
    shm = shmget(IPC_PRIVATE, 4096, 0600);
    sem = semget(IPC_PRIVATE, 1, 0600);
    msg = msgget(IPC_PRIVATE, 0600);
    atexit(remove_sysv);
    syscall(SYS_io_setup, 8, &aio);

    CHECK_EQ(syscall(SYS_timer_create, CLOCK_MONOTONIC, &none, &timer), 0);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &usr2, NULL), 0);
}

#endif
