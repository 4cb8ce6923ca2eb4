// SPDX-License-Identifier: MIT
// Frames and the buffers they stand in (frames.h). Part of lxrun and of the VM's init.
#include "frames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make_room(struct buffer *b, size_t n)
{
    if (b->size + n <= b->room)
        return;
    b->room = (b->size + n) * 2;
    b->data = realloc(b->data, b->room);
    if (!b->data) {
        fputs("lxrun: out of memory\n", stderr);
        abort();
    }
}

void buffer_add(struct buffer *b, const void *data, size_t n)
{
    make_room(b, n);
    if (n)
        memcpy(b->data + b->size, data, n);
    b->size += n;
}

void buffer_string(struct buffer *b, const char *s)
{
    buffer_add(b, s, strlen(s) + 1);
}

void buffer_drop(struct buffer *b, size_t n)
{
    if (!n)
        return;
    b->size -= n;
    memmove(b->data, b->data + n, b->size);
}

static bool later(void)
{
    return errno == EAGAIN || errno == EINTR;
}

bool buffer_read(struct buffer *b, int fd)
{
    make_room(b, WINDOW);
    ssize_t n = read(fd, b->data + b->size, WINDOW);
    if (n > 0)
        b->size += (size_t)n;
    return n > 0 || (n < 0 && later());
}

bool buffer_write(struct buffer *b, int fd)
{
    return buffer_write_some(b, fd, b->size);
}

bool buffer_write_some(struct buffer *b, int fd, size_t most)
{
    size_t done = 0, end = most < b->size ? most : b->size;
    ssize_t n = 0;
    while (done < end && (n = write(fd, b->data + done, end - done)) > 0)
        done += (size_t)n;
    buffer_drop(b, done);
    return n >= 0 || later();
}

void frame_add(struct buffer *b, uint32_t session, int type, int stream, const void *data, size_t n)
{
    struct frame f = {session, (uint16_t)type, (uint16_t)stream, (uint32_t)n};
    buffer_add(b, &f, sizeof f);
    buffer_add(b, data, n);
    buffer_add(b, "\0\0\0", -n & 3);
}

void frame_u32(struct buffer *b, uint32_t session, int type, int stream, uint32_t value)
{
    frame_add(b, session, type, stream, &value, sizeof value);
}

struct frame *frame_next(struct buffer *b, size_t *at, bool *bad)
{
    if (b->size - *at < sizeof(struct frame))
        return NULL;
    struct frame *f = (struct frame *)(void *)(b->data + *at);
    if (f->size > FRAME_MAX || f->stream > 2) {
        *bad = true;
        return NULL;
    }
    size_t all = sizeof *f + ((f->size + 3u) & ~3u);
    if (b->size - *at < all)
        return NULL;
    *at += all;
    return f;
}

uint32_t frame_value(const struct frame *f)
{
    uint32_t v = 0;
    if (f->size >= sizeof v)
        memcpy(&v, f + 1, sizeof v);
    return v;
}
