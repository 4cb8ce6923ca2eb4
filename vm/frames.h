// SPDX-License-Identifier: MIT
// What goes over the one byte stream between a VM's keeper on the host and its init, and over the
// socket between `lxrun --vm` and the keeper: frames. Each command is a session with streams of its
// own. The receiver of a stream grants the sender room (F_CREDIT), so that a command that does not
// read holds up no other.
#ifndef LX_VM_FRAMES_H
#define LX_VM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
    uint32_t session; // the keeper's number of it; 0: the VM as a whole
    uint16_t type;
    uint16_t stream; // 0, 1 or 2
    uint32_t size;   // of what follows
};

#define FRAME_DATA 16384       // at most so much of a stream in one frame
#define FRAME_MAX (4096 << 10) // arguments and environment are longer
#define WINDOW 65536           // room that each stream has from the start
// Where the channel is a terminal line (User-Mode Linux) init grants room for it as a whole, too,
// by F_CREDIT of session 0: a line that is held up for a moment never goes on.
#define LINE_WINDOW 2048

enum frame_type {
    // To init.
    F_SETUP,   // "key=value" strings: what to mount, name, time (vm/init/boot.c)
    F_START,   // struct start: a command
    F_CONNECT, // u16: a TCP port of the VM's localhost; stream 0 and 1
    F_SIGNAL,  // struct signal_frame
    F_WINDOW,  // struct winsize
    F_GONE,    // the client is no more
    F_HALT,    // end the VM
    // To the host.
    F_BOOTED,  // init runs
    F_READY,   // everything is mounted
    F_STOPPED, // u32: the command was stopped by this signal
    F_EXIT,    // u32: status; nothing follows
    F_PORTS,   // u16 each: the TCP ports that something listens on
    F_HALTED,  // everything is written and unmounted
    // Both ways.
    F_DATA,   // of a stream; empty: its end
    F_CREDIT, // u32: so many bytes more may be sent on the stream
    F_CLOSED, // nobody reads the stream any more
    F_ERROR,  // text
    F_TIME,   // struct time_frame, by which the VM's clock follows the host's
    // Between a client and the keeper only.
    F_NOTE, // text for the user; the first one
};

struct start {
    uint32_t flags;
    uint16_t rows, columns;
    // Strings that follow, each with its 0: directory, user, program, then these many:
    uint32_t args, env, set;
    uint32_t mask; // umask(2)
};
#define START_TTY 1u     // a terminal of its own, not pipes
#define START_ACCOUNT 2u // HOME, SHELL, USER and PATH are the user's
#define START_CD 4u      // the directory must be there
#define START_ERRORS 8u  // with a terminal: standard error is a pipe all the same
#define START_CLOSED 16u // stream 0 is closed from the start; twice that: 1; four times: 2

struct signal_frame {
    uint32_t signal;
    uint32_t group; // to the whole job, as from a terminal
};

// Init sends the first; the keeper gives it back with the other two, the host's CLOCK_REALTIME.
struct time_frame {
    int64_t asked; // nanoseconds of the VM's CLOCK_MONOTONIC
    int64_t seconds, nanoseconds;
};

struct buffer {
    char *data;
    size_t size, room;
};

// Puts n bytes at its end; takes some from its beginning.
void buffer_add(struct buffer *b, const void *data, size_t n);
void buffer_string(struct buffer *b, const char *s); // with its 0
void buffer_drop(struct buffer *b, size_t n);        // the first n bytes
// Non-blocking. False: the other end is gone.
bool buffer_read(struct buffer *b, int fd);
bool buffer_write(struct buffer *b, int fd);
bool buffer_write_some(struct buffer *b, int fd, size_t most);

// Puts a frame (struct frame) at the end, with n bytes of payload; with a number for payload.
void frame_add(struct buffer *b, uint32_t session, int type, int stream, const void *data,
               size_t n);
void frame_u32(struct buffer *b, uint32_t session, int type, int stream, uint32_t value);
// The frame at *at, whose payload stands behind it; moves *at behind both. NULL: not all is here.
// *bad: what is there cannot be a frame.
struct frame *frame_next(struct buffer *b, size_t *at, bool *bad);
// The payload's value; 0 if it is too short.
uint32_t frame_value(const struct frame *f);

#endif
