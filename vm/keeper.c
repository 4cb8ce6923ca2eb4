// SPDX-License-Identifier: MIT
// The keeper (keeper.h): starts the machine and relays frames between its clients and its init.
// A client has one session; the keeper gives it its number.
#define _GNU_SOURCE
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"
#include "fail.h"
#include "place.h"

#define FDS 1024
#define OWN_FDS 3 // the listener, the VM, its monitor
#define FULL "the host's disk is full, and the VM waits: it goes on when there is room"
#define AGAIN_MS 2000 // how often a machine that waits for room on the host's disk is made to try
#define BOOT_KVM_MS 10000 // of a machine that may not be able to boot at all
#define BOOT_MS 60000     // of one that is emulated
#define SETUP_MS 60000
#define HALT_MS 60000
#define MEET_MS 10000 // for who has started it to come
#define STEP_MS 5000  // after so long it is looked at whether the machine has had the time
#define STEPS 180
#define BOOT_RUN_MS 15000 // processor time, twice as much each time; a boot takes 4 s of it
#define ATTEMPTS 6
#define LOOK_MS 200 // how often it is looked at what a booting kernel says
#define LOST "disabling apic timer"
#define MEASURED "host bus clock speed is "
#define BUS_MHZ 1000  // QEMU's timers count nanoseconds (hw/intc/apic.c)
#define SWEEP_MS 4000 // of idleness; the kernel reports what is free within two seconds
#define VM_QUEUE_MAX (1 << 20)
#define MONITOR_MAX (1 << 20) // a line of QEMU's is not longer

struct client {
    struct client *next;
    int fd;
    uint32_t session; // 0: no command yet
    bool agreed;
    struct buffer in, out;
    bool over; // to be closed when `out` has gone
};

enum state { BOOTING, SETTING_UP, READY, HALTING };

struct keeper {
    const struct vm_options *options;
    const char *settings, *socket_path, *log_path;
    struct machine machine;
    enum state state;
    int listener, log, way;
    bool awaits; // the client that has started us has not come yet
    struct buffer from_vm, from_monitor;
    struct client *clients;
    long deadline; // of the state; in READY: when to end for idleness. 0: none
    long limit;    // of the state, milliseconds
    long spent;    // so much of that
    long waited;   // by the machine for processors, at the last step
    int steps, attempt;
    off_t said;    // the log's size when the machine was started, or has booted
    long sweep_at; // 0: not before there has been a command
    long started;
    char *note;             // that the first client is to see
    char *error;            // what init said
    bool full;              // the machine waits for room on the host's disk, as the clients know
    long again_at, good_at; // when it is to be tried again, and when it has been right for a while
};

struct buffer to_vm;
static volatile sig_atomic_t ended; // by a signal, which is let in during ppoll() alone

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint32_t session_number(void)
{
    static uint32_t last;
    return ++last;
}

static void say(struct client *c, int type, int stream, const char *text)
{
    frame_add(&c->out, 0, type, stream, text, strlen(text));
}

static void dismiss(struct client *c, const char *error)
{
    if (error)
        say(c, F_ERROR, 0, error);
    frame_u32(&c->out, 0, F_EXIT, 0, EXIT_LXRUN);
    c->over = true;
}

// ---- The machine ----

// The last line of the log that says something, since the machine was started or has booted.
static char *last_words(const struct keeper *k)
{
    char *line = NULL, *last = NULL;
    size_t room = 0;
    FILE *f = fopen(k->log_path, "re");
    if (f)
        fseeko(f, k->said, SEEK_SET);
    while (f && getline(&line, &room, f) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line) {
            free(last);
            last = must_format("%s", line);
        }
    }
    free(line);
    if (f)
        fclose(f);
    return last ? last : must_format("it said nothing");
}

// False: there is none, or no descriptor for it.
static bool accept_client(struct keeper *k)
{
    int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return false;
    struct client *c = must_alloc(sizeof *c);
    *c = (struct client){.next = k->clients, .fd = fd};
    k->clients = c;
    k->awaits = false;
    k->sweep_at = 0;
    if (k->state == READY)
        k->deadline = 0;
    return true;
}

// Who has started us is sure to come, and so is who has found our socket: all are told.
static void meet_the_rest(struct keeper *k)
{
    struct pollfd p = {.fd = k->listener, .events = POLLIN};
    if (k->awaits && poll(&p, 1, MEET_MS) > 0)
        accept_client(k);
    unlink(k->socket_path);
    while (accept_client(k))
        ;
    close(k->listener);
}

static _Noreturn void finish(struct keeper *k, const char *error)
{
    disk_close();
    meet_the_rest(k);
    for (struct client *c = k->clients; c; c = c->next) {
        // One that came when the VM was ending already begins a new one (client.c).
        if (!c->over && (c->session || k->state != HALTING))
            dismiss(c, error);
        fcntl(c->fd, F_SETFL, 0);
        buffer_write(&c->out, c->fd);
    }
    _exit(0);
}

static void stop_machine(struct keeper *k)
{
    words_end(k->machine.pid);
    close(k->machine.channel);
    if (k->machine.monitor >= 0)
        close(k->machine.monitor);
    k->again_at = k->good_at = k->full = 0;
    buffer_drop(&k->from_monitor, k->from_monitor.size);
    if (k->machine.memory >= 0)
        close(k->machine.memory);
    if (k->options->kind == VM_UML)
        uml_clean();
}

static void enter(struct keeper *k, enum state state, long limit)
{
    k->state = state;
    k->limit = limit;
    k->deadline = now_ms() + STEP_MS;
    k->spent = k->steps = 0;
    machine_times(&k->machine, &(long){0}, &k->waited);
}

static void start_machine(struct keeper *k)
{
    k->said = lseek(k->log, 0, SEEK_END);
    bool good = k->options->kind == VM_UML ? uml_start(&k->machine, k->options, k->log, k->way)
                                           : qemu_start(&k->machine, k->options, k->log, k->way);
    if (!good)
        finish(k, "cannot start the VM");
    enter(k, BOOTING, k->machine.trying ? BOOT_KVM_MS : BOOT_MS);
}

// It does not boot, or has ended before it was told to.
static void machine_failed(struct keeper *k, const char *what)
{
    stop_machine(k);
    if (k->state == BOOTING && k->machine.trying) {
        k->note = must_format("/dev/kvm is there but did not boot the VM's kernel (%s): it is "
                              "emulated (TCG), now and later",
                              what);
        k->way++;
        machine_booted(&k->machine);
        start_machine(k);
        return;
    }
    if (k->state == HALTING)
        finish(k, "the VM was shut down");
    finish(k, k->error ? k->error
                       : must_format("the VM %s%s; its last words in %s: %s",
                                     k->state == BOOTING ? "did not boot: " : "", what, k->log_path,
                                     last_words(k)));
}

static void set_up(struct keeper *k)
{
    char name[256] = "lxrun";
    struct machine *m = &k->machine;
    k->said = lseek(k->log, 0, SEEK_END);
    if (k->way) // only QEMU has another way
        qemu_without_kvm(k->options);
    machine_booted(m);
    gethostname(name, sizeof name - 1);
    setup_add(m, "name=%s", k->options->hostname ? k->options->hostname : name);
    frame_add(&to_vm, 0, F_SETUP, 0, m->setup.data, m->setup.size);
    enter(k, SETTING_UP, SETUP_MS);
}

static void halt(struct keeper *k)
{
    if (k->state == HALTING)
        return;
    if (k->state != READY) {
        stop_machine(k);
        finish(k, "the VM was shut down");
    }
    frame_add(&to_vm, 0, F_HALT, 0, NULL, 0);
    enter(k, HALTING, HALT_MS);
}

// ---- Clients ----

static void greet(struct keeper *k, struct client *c)
{
    const struct machine *m = &k->machine;
    char *text = must_format("the VM runs under %s%s%s; it took %ld.%03ld s to start%s", m->how,
                             m->why ? ": " : "", m->why ? m->why : "", k->started / 1000,
                             k->started % 1000, k->attempt ? ", and more than one attempt" : "");
    say(c, F_NOTE, 0, text);
    free(text);
    if (k->note)
        say(c, F_NOTE, 1, k->note);
    if (k->full)
        say(c, F_NOTE, 1, FULL);
    k->note = NULL;
}

static void client_frame(struct keeper *k, struct client *c, struct frame *f)
{
    const char *text = (const char *)(f + 1);
    if (f->type == F_NOTE) { // the settings that it goes by
        c->agreed = f->size == strlen(k->settings) && !memcmp(text, k->settings, f->size);
        if (!c->agreed)
            dismiss(c, must_format("the VM runs already, with other settings (%s); lxrun "
                                   "--shutdown ends it",
                                   k->settings));
    } else if (c->agreed && (c->session || f->type == F_START) && f->type <= F_CLOSED) {
        if (f->type == F_START && !c->session) {
            c->session = session_number();
            greet(k, c);
        }
        frame_add(&to_vm, c->session, f->type, f->stream, text, f->size);
    }
}

static void client_close(struct keeper *k, struct client *c)
{
    struct client **p = &k->clients;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    if (c->session && !c->over)
        frame_add(&to_vm, c->session, F_GONE, 0, NULL, 0);
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
    if (k->clients || k->state != READY)
        return;
    if (!k->options->settings.virtiofs) // whose servers write to the memory, too
        k->sweep_at = now_ms() + SWEEP_MS;
    if (k->options->settings.idle >= 0)
        k->deadline = now_ms() + k->options->settings.idle + 1;
}

// False: it is gone.
static bool client_read(struct keeper *k, struct client *c)
{
    size_t at = 0;
    bool bad = false, there = buffer_read(&c->in, c->fd);
    for (struct frame *f; !bad && !c->over && (f = frame_next(&c->in, &at, &bad));)
        client_frame(k, c, f);
    buffer_drop(&c->in, at);
    return there && !bad;
}

// ---- The VM ----

static void to_client(struct keeper *k, const struct frame *f)
{
    for (struct client *c = k->clients; c; c = c->next) {
        if (c->session != f->session || c->over)
            continue;
        frame_add(&c->out, 0, f->type, f->stream, f + 1, f->size);
        c->over = f->type == F_EXIT;
    }
}

static void tell_time(const struct frame *f)
{
    struct time_frame t = {0};
    struct timespec now;
    if (f->size < sizeof t)
        return;
    memcpy(&t, f + 1, sizeof t);
    clock_gettime(CLOCK_REALTIME, &now);
    t.seconds = now.tv_sec;
    t.nanoseconds = now.tv_nsec;
    frame_add(&to_vm, 0, F_TIME, 0, &t, sizeof t);
}

static void vm_frame(struct keeper *k, const struct frame *f)
{
    const char *text = (const char *)(f + 1);
    if (f->type == F_BOOTED) {
        set_up(k);
    } else if (f->type == F_READY) {
        k->started = now_ms() - k->started;
        k->state = READY;
        k->deadline = k->clients ? 0 : now_ms() + 10000;
    } else if (f->type == F_HALTED) {
        stop_machine(k);
        finish(k, "the VM was shut down");
    } else if (f->type == F_ERROR && !f->session) {
        free(k->error);
        k->error = must_format("the VM's init: %.*s", (int)f->size, text);
        // Of images it knows the device alone.
        if (strstr(k->error, "(ext4)"))
            k->error =
                must_format("%s: run e2fsck -f %s", k->error,
                            strstr(k->error, "at /root:") ? k->options->image : k->options->attach);
        machine_failed(k, "failed");
    } else if (f->type == F_CREDIT && !f->session) {
        k->machine.room += frame_value(f);
    } else if (f->type == F_TIME) {
        tell_time(f);
    } else if (f->type == F_PORTS) {
        if (k->options->settings.forwarding)
            forward_ports((const uint16_t *)(const void *)text, f->size / 2);
    } else if (!forward_frame(f)) {
        to_client(k, f);
    }
}

static void vm_read(struct keeper *k)
{
    size_t at = 0;
    bool bad = false;
    if (!buffer_read(&k->from_vm, k->machine.channel)) {
        buffer_drop(&k->from_vm, k->from_vm.size);
        machine_failed(k, k->state == BOOTING ? "it ended" : "has ended");
        return;
    }
    for (struct frame *f; (f = frame_next(&k->from_vm, &at, &bad));)
        vm_frame(k, f);
    buffer_drop(&k->from_vm, at);
    if (bad)
        machine_failed(k, "sent what is no message");
}

// Emulated processors that get no time of the host's for a tenth of a second, just when the kernel
// begins to measure the rate of their timers by the time-stamp counter (Linux:
// calibrate_APIC_clock()), have no timer afterwards, and the kernel waits for ever for its second
// processor. It says so. When they had a little of that time, the rate is a small part of the true
// one, and the kernel does nothing but answer timers that come so much too soon; when they stood
// still at the end of it, each of its sleeps lasts several times too long. It says the rate
// (apic=verbose). Of a kernel that says neither, a boot that has had several times the processor
// time that it needs is such a one. The boot starts anew.
static bool boot_is_lost(const struct keeper *k)
{
    static char text[16384];
    unsigned mhz;
    int whole = 0; // the line is there to its end
    ssize_t n = pread(k->log, text, sizeof text - 1, k->said);
    text[n > 0 ? n : 0] = 0;
    const char *said = memmem(text, n > 0 ? (size_t)n : 0, MEASURED, strlen(MEASURED));
    if (said && sscanf(said + strlen(MEASURED), "%u.%*u MHz%n", &mhz, &whole) == 1 && whole &&
        (mhz < BUS_MHZ / 2 || mhz > BUS_MHZ * 2))
        return true;
    return n > 0 && memmem(text, (size_t)n, LOST, strlen(LOST));
}

static bool start_again(struct keeper *k)
{
    if (k->options->kind == VM_UML || k->machine.trying || k->attempt + 1 == ATTEMPTS)
        return false;
    k->attempt++;
    stop_machine(k);
    machine_booted(&k->machine);
    start_machine(k);
    return true;
}

// A step of which the machine stood half in the processors' queue is not counted.
static void timed_out(struct keeper *k)
{
    long ran, had = k->waited;
    k->deadline = 0;
    if (k->state == READY) {
        halt(k);
        return;
    }
    machine_times(&k->machine, &ran, &k->waited);
    if (k->state == BOOTING && ran >= BOOT_RUN_MS << k->attempt && start_again(k))
        return;
    k->deadline = now_ms() + STEP_MS;
    if (k->waited - had <= STEP_MS / 2)
        k->spent += STEP_MS;
    if (k->spent >= k->limit || ++k->steps > STEPS)
        machine_failed(k, k->state == BOOTING ? "nothing came of it in time" : "does not answer");
}

// ---- The host's disk ----

static void tell_all(struct keeper *k, const char *text)
{
    for (struct client *c = k->clients; c; c = c->next)
        if (c->session && !c->over)
            say(c, F_NOTE, 1, text);
}

// QEMU stops the machine when the host's disk is full, and it can go on where it was. What QEMU
// says comes in lines of JSON.
static void monitor_read(struct keeper *k)
{
    static const char event[] = "\"BLOCK_IO_ERROR\"", reason[] = "\"nospace\": true";
    struct buffer *b = &k->from_monitor;
    if (!buffer_read(b, k->machine.monitor)) {
        close(k->machine.monitor);
        k->machine.monitor = -1;
    }
    bool full = false;
    for (char *end; (end = memchr(b->data, '\n', b->size));) {
        size_t n = (size_t)(end + 1 - b->data);
        full |= memmem(b->data, n, event, sizeof event - 1) &&
                memmem(b->data, n, reason, sizeof reason - 1);
        buffer_drop(b, n);
    }
    if (b->size > MONITOR_MAX)
        buffer_drop(b, b->size);
    if (!full)
        return;
    if (!k->full)
        tell_all(k, FULL);
    k->full = true;
    k->again_at = now_ms() + AGAIN_MS;
    k->good_at = 0;
}

static void try_disk(struct keeper *k)
{
    static const char go_on[] = "{\"execute\":\"cont\"}\n";
    if (k->again_at && k->again_at <= now_ms()) {
        (void)!write(k->machine.monitor, go_on, sizeof go_on - 1);
        k->again_at = 0;
        k->good_at = now_ms() + AGAIN_MS;
    } else if (k->good_at && k->good_at <= now_ms()) {
        tell_all(k, "there is room on the host's disk again, and the VM goes on");
        k->full = false;
        k->good_at = 0;
    }
}

// ---- The loop ----

static void on_end(int sig)
{
    ended = sig;
}

// What ends a process ends the VM as --shutdown does: its disks are to be closed.
static void catch_ends(void)
{
    static const int ends[] = {SIGTERM, SIGHUP, SIGINT};
    struct sigaction act = {.sa_handler = on_end};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        sigaddset(&set, ends[i]);
        sigaction(ends[i], &act, NULL);
    }
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void turn(struct keeper *k)
{
    static struct pollfd fds[FDS];
    struct client *c;
    nfds_t n = OWN_FDS;
    if (ended)
        halt(k);
    fds[0] = (struct pollfd){.fd = k->listener, .events = POLLIN};
    bool write = to_vm.size && k->machine.room && k->state != BOOTING;
    fds[1] = (struct pollfd){.fd = k->machine.channel,
                             .events = (short)(write ? POLLIN | POLLOUT : POLLIN)};
    fds[2] = (struct pollfd){.fd = k->machine.monitor, .events = POLLIN};
    // What clients say waits until the VM can hear it.
    bool hear = k->state == READY && to_vm.size < VM_QUEUE_MAX;
    for (c = k->clients; c && n < FDS; c = c->next)
        fds[n++] = (struct pollfd){
            .fd = c->fd, .events = (short)((hear ? POLLIN : 0) | (c->out.size ? POLLOUT : 0))};
    nfds_t own = n;
    n += forward_poll(fds + n, hear ? FDS - n : 0);
    long wait = k->deadline ? k->deadline - now_ms() : -1;
    if (k->deadline && wait <= 0) {
        timed_out(k);
        return;
    }
    if (k->sweep_at && k->sweep_at <= now_ms()) {
        k->sweep_at = machine_sweep(&k->machine) ? 0 : now_ms() + SWEEP_MS;
    }
    if (k->sweep_at && (wait < 0 || k->sweep_at - now_ms() < wait))
        wait = k->sweep_at > now_ms() ? k->sweep_at - now_ms() : 0;
    try_disk(k);
    if (k->full && (wait < 0 || wait > AGAIN_MS))
        wait = AGAIN_MS;
    if (k->state == BOOTING) {
        if (boot_is_lost(k) && start_again(k))
            return;
        wait = wait < LOOK_MS ? wait : LOOK_MS; // there is a deadline
    }
    struct timespec limit = {wait / 1000, wait % 1000 * 1000000};
    sigset_t none;
    sigemptyset(&none);
    if (ppoll(fds, n, wait < 0 ? NULL : &limit, &none) < 0)
        return;
    forward_polled(fds + own);
    nfds_t i = OWN_FDS;
    for (struct client *next = k->clients; (c = next) && i < own; i++) {
        next = c->next;
        bool there = true;
        if (fds[i].revents & POLLOUT)
            there = buffer_write(&c->out, c->fd);
        if (there && (fds[i].revents & POLLIN))
            there = client_read(k, c);
        else if (fds[i].revents & (POLLHUP | POLLERR))
            there = false;
        if (!there || (c->over && !c->out.size))
            client_close(k, c);
    }
    if (fds[0].revents)
        accept_client(k);
    if (fds[2].revents)
        monitor_read(k);
    if (fds[1].revents & POLLOUT) {
        size_t had = to_vm.size;
        buffer_write_some(&to_vm, k->machine.channel, k->machine.room);
        k->machine.room -= had - to_vm.size;
    }
    if (fds[1].revents & ~POLLOUT)
        vm_read(k);
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = place_address(path);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64))
        fail_errno("cannot listen on %s", path);
    return fd;
}

void keeper_run(const struct vm_options *o, const char *socket, const char *log,
                const char *settings, int ready)
{
    struct keeper k = {.options = o,
                       .socket_path = socket,
                       .log_path = log,
                       .settings = settings,
                       .machine = {.memory = -1, .kernel = -1, .initrd = -1, .monitor = -1},
                       .started = now_ms()};
    o->kind == VM_UML ? uml_check(o) : qemu_check(o);
    k.log = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (k.log < 0)
        fail_errno("cannot write %s", log);
    if (o->image)
        k.note = disk_open(o->image);
    if (o->attach) {
        char *note = disk_open(o->attach);
        k.note = k.note && note ? must_format("%s; %s", k.note, note) : k.note ? k.note : note;
    }
    k.listener = listen_at(socket);
    signal(SIGPIPE, SIG_IGN);
    catch_ends();
    setsid(); // and so a share of the processors that is not the caller's (sched(7), autogroup)
    start_machine(&k);
    if (chdir("/") || write(ready, "", 1) != 1)
        fail_errno("cannot start the VM");
    k.awaits = true;
    close(ready);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, 0);
    dup2(null, 1);
    dup2(k.log, 2);
    prctl(PR_SET_NAME, "lxrun-vm");
    for (;;)
        turn(&k);
}
