// SPDX-License-Identifier: MIT
// Kernel AIO: contexts, reads and writes submitted and collected, poll and eventfd notification,
// cancel, limits and errors.
// covers: io_setup, io_destroy, io_submit, io_getevents, io_cancel, io_pgetevents
#include "sig.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>

static aio_context_t ctx;

static long submit(struct iocb *cb)
{
    return syscall(SYS_io_submit, ctx, 1, &cb);
}

static struct iocb make(int op, int fd, void *buf, size_t len, long off, uint64_t data)
{
    return (struct iocb){.aio_lio_opcode = op,
                         .aio_fildes = fd,
                         .aio_buf = (uintptr_t)buf,
                         .aio_nbytes = len,
                         .aio_offset = off,
                         .aio_data = data};
}

int main(void)
{
    int fd = OK(open("file", O_RDWR | O_CREAT, 0600)), ev = OK(eventfd(0, 0)), p[2];
    struct timespec zero = {0, 0};
    struct io_event done_[4];
    struct iocb cb, *two[2];
    char buf[16] = {0};
    uint64_t n;

    CHECK_ERR(syscall(SYS_io_setup, 0, &ctx), EINVAL);
    CHECK(syscall(SYS_io_setup, 8, &ctx) == 0 && ctx);
    cb = make(IOCB_CMD_PWRITE, fd, "hello", 5, 3, 77);
    cb.aio_flags = IOCB_FLAG_RESFD;
    cb.aio_resfd = ev;
    CHECK_EQ(submit(&cb), 1);
    CHECK(read(ev, &n, 8) == 8 && n == 1);
    CHECK_EQ(syscall(SYS_io_getevents, ctx, 1, 4, done_, NULL), 1);
    CHECK(done_[0].data == 77 && done_[0].res == 5 && done_[0].obj == (uintptr_t)&cb);
    struct iocb rd = make(IOCB_CMD_PREAD, fd, buf, 16, 0, 1), bad = make(99, fd, buf, 16, 0, 2);
    two[0] = &rd, two[1] = &bad;
    CHECK_EQ(syscall(SYS_io_submit, ctx, 2, two), 1); // up to the bad one
    CHECK_EQ(syscall(SYS_io_pgetevents, ctx, 1, 4, done_, NULL, NULL), 1);
    CHECK(done_[0].res == 8 && memcmp(buf, "\0\0\0hello", 8) == 0);
    CHECK_ERR(submit(&bad), EINVAL);
    bad = make(IOCB_CMD_PREAD, 900, buf, 1, 0, 0);
    CHECK_ERR(submit(&bad), EBADF);
    CHECK_EQ(syscall(SYS_io_getevents, ctx, 0, 4, done_, &zero), 0);

    CHECK(pipe(p) == 0);
    cb = make(IOCB_CMD_POLL, p[0], (void *)POLLIN, 0, 0, 5);
    cb.aio_buf = POLLIN;
    CHECK_EQ(submit(&cb), 1);
    CHECK_EQ(syscall(SYS_io_getevents, ctx, 0, 4, done_, &zero), 0);
    CHECK(write(p[1], "x", 1) == 1);
    CHECK_EQ(syscall(SYS_io_getevents, ctx, 1, 4, done_, NULL), 1);
    CHECK(done_[0].data == 5 && (done_[0].res & POLLIN));
    CHECK(read(p[0], buf, 1) == 1);
    CHECK_EQ(submit(&cb), 1);
    CHECK_ERR(syscall(SYS_io_cancel, ctx, &cb, done_), EINPROGRESS);
    CHECK_EQ(syscall(SYS_io_getevents, ctx, 1, 4, done_, NULL), 1);
    CHECK_ERR(syscall(SYS_io_cancel, ctx, &cb, done_), EINVAL);
    CHECK(syscall(SYS_io_destroy, ctx) == 0);
    CHECK_ERR(syscall(SYS_io_destroy, ctx), EINVAL);
    CHECK_ERR(syscall(SYS_io_submit, ctx, 1, two), EINVAL);
    return done();
}
