// SPDX-License-Identifier: MIT
// The VM's first process: the loop (init.h).
#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS 1024
#define QUEUE_MAX (256 << 10) // to the host; more is not read from commands until it has gone

static _Noreturn void end(void)
{
    // Otherwise the kernel (User-Mode Linux) has been killed, and these are the host's system
    // calls.
    if (getpid() != 1)
        _exit(1);
    boot_halt();
    reboot(RB_AUTOBOOT); // the machine is started so that this ends it
    for (;;)
        pause();
}

static void reap(void)
{
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        session_child(pid, status);
}

static void setup(int channel, const struct frame *f)
{
    const char *wrong = boot_setup((const char *)(f + 1), f->size);
    if (wrong) {
        frame_add(&to_host, 0, F_ERROR, 0, wrong, __builtin_strlen(wrong));
        buffer_write(&to_host, channel);
        return;
    }
    clock_look(false); // answered before a command comes
    frame_add(&to_host, 0, F_READY, 0, NULL, 0);
}

static void halt(int channel)
{
    if (getpid() != 1)
        end();
    boot_halt();
    frame_add(&to_host, 0, F_HALTED, 0, NULL, 0);
    while (to_host.size && buffer_write(&to_host, channel))
        usleep(1000);
    end();
}

static void obey(int channel, struct buffer *from_host)
{
    size_t at = 0;
    bool bad = false;
    for (struct frame *f; (f = frame_next(from_host, &at, &bad));) {
        if (f->type == F_SETUP)
            setup(channel, f);
        else if (f->type == F_TIME)
            clock_answer(f);
        else if (f->type == F_HALT)
            halt(channel);
        else
            session_frame(f);
    }
    if (bad)
        end();
    buffer_drop(from_host, at);
}

int main(int argc, char **argv)
{
    struct buffer from_host = {0};
    sigset_t set;
    if (getpid() != 1) // the kernel's helper: modprobe -q -- NAME
        return modules_wanted(argv[argc - 1]);
    boot_early();
    int channel = boot_channel();
    if (channel < 0) {
        fputs("lxrun: the VM has no channel to its keeper\n", stderr);
        end();
    }
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    bool line = isatty(channel);
    frame_add(&to_host, 0, F_BOOTED, 0, NULL, 0);
    for (bool hurry = false;;) {
        static struct pollfd fds[FDS];
        struct signalfd_siginfo info;
        fds[0] = (struct pollfd){.fd = channel,
                                 .events = (short)(to_host.size ? POLLIN | POLLOUT : POLLIN)};
        fds[1] = (struct pollfd){.fd = signals, .events = POLLIN};
        bool room = to_host.size < QUEUE_MAX;
        nfds_t n = room ? session_poll(fds + 2, FDS - 2) : 0;
        if (poll(fds, n + 2, hurry ? 20 : 1000) < 0 && errno != EINTR)
            end();
        if (fds[1].revents) {
            while (read(signals, &info, sizeof info) > 0)
                if (info.ssi_signo == (uint32_t)STOPPED)
                    session_stopped((pid_t)info.ssi_pid, info.ssi_int);
            reap();
        }
        // A virtio port whose other end is closed reads as empty and says POLLHUP.
        size_t had = from_host.size;
        if ((fds[0].revents & POLLIN) && !buffer_read(&from_host, channel))
            end();
        if (line && from_host.size > had)
            frame_u32(&to_host, 0, F_CREDIT, 0, (uint32_t)(from_host.size - had));
        if ((fds[0].revents & (POLLHUP | POLLERR)) && !(fds[0].revents & POLLIN))
            end();
        obey(channel, &from_host);
        if (room)
            session_polled(fds + 2, &hurry);
        ports_look();
        clock_look(!session_any());
        trim_look(!session_any());
        reclaim_look(!session_any());
        if (to_host.size)
            buffer_write(&to_host, channel);
    }
}
