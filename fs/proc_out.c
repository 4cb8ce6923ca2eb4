// SPDX-License-Identifier: MIT
// Text in and out for the made files of /proc (proc.h).
#include "host.h"
#include "proc.h"

static void write_all(struct proc_out *o, const char *text, size_t n)
{
    while (n && !o->error) {
        long r = host_write(o->fd, text, n);
        if (r == -EINTR)
            continue;
        if (r <= 0) {
            o->error = r == -EAGAIN ? -EFBIG : r ? r : -EIO; // a pipe that is full (proc_open.c)
            return;
        }
        text += r;
        n -= (size_t)r;
    }
}

// n == 0 empties the buffer.
void proc_put(struct proc_out *o, const char *text, size_t n)
{
    if (!n || o->used + n > sizeof o->buf) {
        write_all(o, o->buf, o->used);
        o->used = 0;
    }
    if (n > sizeof o->buf) {
        write_all(o, text, n);
    } else if (n) {
        memcpy(o->buf + o->used, text, n);
        o->used += n;
    }
}

void proc_puts(struct proc_out *o, const char *text)
{
    if (*text)
        proc_put(o, text, strlen(text));
}

void proc_printf(struct proc_out *o, const char *format, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, format);
    int n = fmt_va(line, sizeof line, format, ap);
    va_end(ap);
    if (n > 0)
        proc_put(o, line, MIN((size_t)n, sizeof line - 1));
}

long proc_lines_open(struct task *t, struct proc_lines *in, const char *path)
{
    in->at = in->end = 0;
    in->fd = (int)host_openat(reserved_fd(t, RESERVED_PROC), path, O_RDONLY | O_CLOEXEC, 0);
    return MIN(in->fd, 0);
}

char *proc_skip_words(char *line, int n)
{
    for (; n; n--) {
        while (*line && *line != ' ')
            line++;
        while (*line == ' ')
            line++;
    }
    return line;
}

char *proc_line(struct proc_lines *in)
{
    for (;;) {
        char *start = in->buf + in->at;
        char *newline = memchr(start, '\n', in->end - in->at);
        if (newline) {
            *newline = 0;
            in->at = (size_t)(newline + 1 - in->buf);
            return start;
        }
        memmove(in->buf, start, in->end - in->at);
        in->end -= in->at;
        in->at = 0;
        long n = 0;
        if (in->end < sizeof in->buf - 1)
            n = host_read(in->fd, in->buf + in->end, sizeof in->buf - 1 - in->end);
        if (n > 0) {
            in->end += (size_t)n;
        } else if (n != -EINTR) {
            if (!in->end)
                return NULL;
            in->buf[in->end] = 0;
            in->end = 0;
            return in->buf;
        }
    }
}
