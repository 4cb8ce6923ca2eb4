// SPDX-License-Identifier: MIT
// The utility VM on User-Mode Linux: a real kernel as a process of the host, where QEMU could only
// emulate. Its roots are hostfs, which shows the host's owners and modes, or an image (ubd).
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fail.h"
#include "machine.h"
#include "place.h"

static char *kernel_file(const struct vm_options *o)
{
    return o->settings.kernel ? must_format("%s", o->settings.kernel)
                              : place_host_program("linux.uml");
}

void uml_check(const struct vm_options *o)
{
    char *kernel = kernel_file(o);
    if (!kernel)
        fail("no User-Mode Linux on this machine: install it with: apt-get install "
             "user-mode-linux");
    if (access(kernel, X_OK))
        fail_errno("cannot run the kernel %s", kernel);
    free(kernel);
    if (*o->settings.host_ports)
        fail("User-Mode Linux has no network: leave out hostPorts");
    if (o->settings.virtiofs)
        fail("User-Mode Linux shows directories by hostfs: leave out virtiofs");
}

// What is loaded into its kernel (uml/xstate.c), by a descriptor: a path could hold what LD_PRELOAD
// has lists apart by.
static int preload(void)
{
    char *path = place_program("lxuml.so");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        fail("cannot find lxuml.so beside lxrun or in ../lib/lxrun");
    char *value = must_format("/proc/self/fd/%d", fd);
    setenv("LD_PRELOAD", value, true);
    free(value);
    free(path);
    return fd;
}

static void add_files(struct words *w, struct machine *m, const struct vm_options *o)
{
    if (o->image) {
        words_add(w, "ubd0=%s", o->image);
        setup_add(m, "mount=ext4\t/dev/ubda\t/root\tdiscard");
    } else {
        setup_add(m, "mount=hostfs\tnone\t/root\t%s", o->root ? o->root : "/");
    }
    setup_add(m, "switch=");
    if (o->attach) {
        words_add(w, "ubd1=%s", o->attach);
        setup_add(m, "mount=ext4\t/dev/ubdb\t/mnt/image\tdiscard");
    }
    for (size_t i = 0; i < o->nshares; i++)
        setup_add(m, "mount=hostfs\tnone\t%s\t%s%s", o->shares[i].guest,
                  o->shares[i].readonly ? "ro," : "", o->shares[i].host);
    setup_add(m, "net=");
}

bool uml_start(struct machine *m, const struct vm_options *o, int log, int way)
{
    struct words w = {0};
    int pair[2];
    if (way > 0)
        return false;
    m->how = "User-Mode Linux";
    m->initrd = initrd_make(NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        fail_errno("cannot make the VM's channel");
    words_add(&w, "%s", kernel_file(o));
    words_add(&w, "mem=%uM", o->settings.memory);
    words_add(&w, "initrd=/proc/self/fd/%d", m->initrd);
    words_add(&w, "con=null");
    words_add(&w, "con0=null,fd:1");
    words_add(&w, "ssl=null");
    words_add(&w, "ssl0=fd:%d", pair[1]);
    words_add(&w, "quiet");
    words_add(&w, "uml_dir=%s/", place_run());
    words_add(&w, "umid=uml-%d", getpid());
    words_add(&w, "panic=-1");
    words_add(&w, "%s", o->settings.command_line);
    add_files(&w, m, o);
    // Its guest's processes are processes of the host, which it holds by ptrace. Killed, it would
    // leave them running there, with the host's system calls in place of its own.
    int library = preload();
    m->pid = words_run(&w, log, (int[]){m->initrd, pair[1], library}, 3, true);
    close(library);
    m->channel = pair[0];
    m->room = LINE_WINDOW;
    close(pair[1]);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    return m->pid > 0;
}

// What it leaves behind when it is killed.
void uml_clean(void)
{
    static const char *const left[] = {"/pid", "/mconsole", ""};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char *path = must_format("%s/uml-%d%s", place_run(), getpid(), left[i]);
        (void)!remove(path);
        free(path);
    }
}
