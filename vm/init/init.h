// SPDX-License-Identifier: MIT
// The first process of the utility VM: mounts what it is told (boot.c), then runs commands
// (session.c, command.c) for the keeper on the host, over one stream of frames (../frames.h).
#ifndef LX_VM_INIT_H
#define LX_VM_INIT_H

#include <poll.h>
#include <signal.h>
#include <sys/types.h>

#include "../frames.h"

// ---- boot.c ----

// Mounts what every Linux needs and loads the kernel modules that came along.
void boot_early(void);
// The stream to the keeper, or -1.
int boot_channel(void);
// Obeys F_SETUP: size bytes of strings. NULL, or what is wrong.
const char *boot_setup(const char *strings, size_t size);
// Writes everything out and unmounts.
void boot_halt(void);
const char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- modules.c ----

// Loads the modules that every VM needs, and makes this program the kernel's modprobe.
void modules_start(void);
// As that: loads what goes by this name. The exit status.
int modules_wanted(const char *name);

// ---- session.c ----

extern struct buffer to_host;

void session_frame(struct frame *f);
void session_child(pid_t pid, int status);
void session_stopped(pid_t pid, int sig);
// Polling: adds to fds what the sessions wait for, at most `room`; the number of them. Then takes
// in what came. *hurry: look again after a moment.
nfds_t session_poll(struct pollfd *fds, nfds_t room);
void session_polled(const struct pollfd *fds, bool *hurry);

// ---- command.c ----

// Starts the command of an F_START frame with our ends of its streams in fd[]. Its parent, which is
// our child and ends as it does, or 0 and an F_ERROR frame where it cannot be started. When it
// stops, STOPPED comes from the parent with the signal as its value.
#define STOPPED SIGRTMIN
pid_t command_start(const struct frame *f, int fd[3], bool *tty, pid_t *command);

// Whether a command runs, or a connection is open.
bool session_any(void);

// ---- clock.c ----

// Asks the keeper what time it is, where it is time to.
void clock_look(bool idle);
// Its answer: sets the clock, if that is off by more than the answer took.
void clock_answer(const struct frame *f);

// ---- trim.c ----

// Trims the file systems on disks, where it is time to.
void trim_look(bool idle);

// ---- reclaim.c ----

// cache: the cache of files is dropped, too, when there has been no command for a while.
void reclaim_start(bool cache);
// Gives memory back, where it is time to.
void reclaim_look(bool idle);

// ---- hostports.c ----

#define GATEWAY "10.0.2.2" // QEMU's user-mode network; behind it is the host's localhost

// Serves these ports ("N,N"), from a process of its own. NULL, or what is wrong.
const char *host_ports(char *list);
bool host_port(uint16_t port); // is one of them

// ---- ports.c ----

// Tells the keeper which TCP ports something listens on, if that has changed.
void ports_look(void);

#endif
