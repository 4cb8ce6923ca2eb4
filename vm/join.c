// SPDX-License-Identifier: MIT
// Finding the keeper of a VM, or starting it (join.h). A VM is known by its kind and its root:
// these name its socket.
#define _GNU_SOURCE
#include "join.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail.h"
#include "keeper.h"
#include "place.h"

static unsigned long long hash(const char *text)
{
    unsigned long long h = 0xcbf29ce484222325; // FNV-1a
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3;
    return h;
}

static char *name_of(const struct vm_options *o)
{
    char *identity =
        must_format("%d:%s:%s", o->kind, o->root ? o->root : "", o->image ? o->image : "");
    char *name = must_format("%s/vm-%016llx", place_run(), hash(identity));
    free(identity);
    return name;
}

static char *settings_of(const struct vm_options *o)
{
    const struct vm_settings *s = &o->settings;
    struct buffer b = {0};
    char *text = must_format(
        "memory=%uMB processors=%u%s%s%s%s localhostForwarding=%s "
        "vmIdleTimeout=%ld%s%s%s%s%s%s",
        s->memory, s->processors, s->kernel ? " kernel=" : "", s->kernel ? s->kernel : "",
        *s->command_line ? " kernelCommandLine=" : "", s->command_line,
        s->forwarding ? "true" : "false", s->idle, s->virtiofs ? " virtiofs=true" : "",
        s->reclaim ? "" : " autoMemoryReclaim=disabled", *s->host_ports ? " hostPorts=" : "",
        s->host_ports, o->attach ? " attached " : "", o->attach ? o->attach : "");
    buffer_add(&b, text, strlen(text));
    for (size_t i = 0; i < o->nshares; i++) {
        const struct vm_share *h = &o->shares[i];
        char *one = must_format(" -b %s:%s%s", h->host, h->guest, h->readonly ? ":ro" : "");
        buffer_add(&b, one, strlen(one));
        free(one);
    }
    free(text);
    buffer_string(&b, "");
    return b.data;
}

static int connect_to(const char *path)
{
    struct sockaddr_un a = place_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!connect(fd, (struct sockaddr *)&a, sizeof a))
        return fd;
    close(fd);
    return -1;
}

static void start_keeper(const struct vm_options *o, const char *name, const char *socket,
                         const char *settings)
{
    int ready[2];
    char byte, *log = must_format("%s.log", name);
    if (pipe2(ready, O_CLOEXEC))
        fail_errno("cannot start the VM");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        // Not a child of the client's caller, and with none of its descriptors.
        if (fork())
            _exit(0);
        if (dup3(ready[1], 3, O_CLOEXEC) < 0 && ready[1] != 3)
            _exit(EXIT_LXRUN);
        closefrom(4);
        keeper_run(o, socket, log, settings, 3);
    }
    close(ready[1]);
    ssize_t n = read(ready[0], &byte, 1);
    close(ready[0]);
    free(log);
    if (pid < 0 || n != 1)
        exit(EXIT_LXRUN); // it has said why
}

int keeper_join(const struct vm_options *o, struct buffer *out)
{
    char *name = name_of(o), *settings = settings_of(o);
    char *socket = must_format("%s.sock", name), *lock_path = must_format("%s.lock", name);
    int fd = connect_to(socket);
    if (fd < 0) {
        int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock < 0 || flock(lock, LOCK_EX))
            fail_errno("cannot lock %s", lock_path);
        fd = connect_to(socket); // somebody may have been first
        if (fd < 0) {
            start_keeper(o, name, socket, settings);
            fd = connect_to(socket);
        }
        close(lock);
    }
    if (fd < 0)
        fail_errno("cannot reach the VM's keeper at %s", socket);
    frame_add(out, 0, F_NOTE, 0, settings, strlen(settings));
    free(name);
    free(settings);
    free(socket);
    free(lock_path);
    return fd;
}

bool keeper_left(const struct vm_options *o)
{
    char *name = name_of(o), *socket = must_format("%s.sock", name);
    bool left = access(socket, F_OK) && errno == ENOENT;
    free(name);
    free(socket);
    return left;
}

// Removes what a keeper that was killed has left, unless another one is just beginning there.
static void remove_left(const char *socket)
{
    char *lock_path = must_format("%.*slock", (int)strlen(socket) - 4, socket);
    int lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), fd = -1;
    if (lock >= 0 && !flock(lock, LOCK_EX) && (fd = connect_to(socket)) < 0)
        unlink(socket);
    if (fd >= 0)
        close(fd);
    close(lock);
    free(lock_path);
}

// Asks one keeper to end its VM, and waits until it has.
static void shut_down(const char *path)
{
    struct ucred keeper;
    char rest[256];
    int fd = connect_to(path);
    if (fd < 0) {
        remove_left(path);
        return;
    }
    // A signal is heard while the VM boots, too.
    if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &keeper, &(socklen_t){sizeof keeper}) &&
        !kill(keeper.pid, SIGTERM))
        while (read(fd, rest, sizeof rest) > 0)
            ;
    close(fd);
}

int vm_shutdown(void)
{
    DIR *d = opendir(place_run());
    if (!d)
        fail_errno("cannot read %s", place_run());
    for (struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n < 8 || strncmp(e->d_name, "vm-", 3) != 0 || strcmp(e->d_name + n - 5, ".sock") != 0)
            continue;
        char *path = must_format("%s/%s", place_run(), e->d_name);
        shut_down(path);
        free(path);
    }
    closedir(d);
    return 0;
}
