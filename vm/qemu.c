// SPDX-License-Identifier: MIT
// The utility VM on QEMU: the microvm machine, which has no emulated legacy hardware, and virtio
// devices only.
//
// Host directories are served by QEMU's own 9P server. Where there are any, QEMU itself runs under
// lxrun: what it stores of owners, modes and device nodes is then what lxrun stores, in the same
// attributes, and the VM sees the same tree as the translation layer.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "fail.h"
#include "machine.h"
#include "place.h"

#define INSTALL "install it with: apt-get install qemu-system-x86"

static char *kernel_file(const struct vm_options *o)
{
    return o->settings.kernel ? must_format("%s", o->settings.kernel) : place_cache("vmlinux");
}

// Beside the kernel; NULL: it has none.
static char *modules_file(const char *kernel)
{
    const char *slash = strrchr(kernel, '/');
    char *path = must_format("%.*smodules.cpio", (int)(slash ? slash + 1 - kernel : 0), kernel);
    if (!access(path, R_OK))
        return path;
    free(path);
    return NULL;
}

void qemu_check(const struct vm_options *o)
{
    if (!place_host_program("qemu-system-x86_64"))
        fail("no QEMU on this machine: " INSTALL);
    if (o->settings.virtiofs && !place_host_program("virtiofsd"))
        fail("no virtiofsd on this machine: install it with: apt-get install qemu-system-common");
    if (o->settings.virtiofs && (o->root || geteuid()))
        fail("virtiofs %s: leave out virtiofs=true",
             o->root ? "does not show the owners of --root" : "needs root on the host");
    if (o->settings.virtiofs && o->nshares >= SERVERS)
        fail("more than %d directories over virtiofs", SERVERS);
    char *kernel = kernel_file(o), *script = place_program("vm-kernel.py"); // where it is installed
    if (access(kernel, R_OK) && o->settings.kernel)
        fail_errno("cannot read the kernel %s", kernel);
    if (access(kernel, R_OK))
        fail("no kernel for the VM in %s: fetch it with %s", kernel,
             script ? script : "scripts/vm-kernel.py");
    free(kernel);
    free(script);
}

// ---- Acceleration ----

// What was found out about /dev/kvm is true for this kernel of the host and this one of the VM.
static char *kvm_key(const struct vm_options *o)
{
    struct utsname u;
    struct stat st = {0};
    char *kernel = kernel_file(o);
    uname(&u);
    stat(kernel, &st);
    free(kernel);
    return must_format("%s %s; %lld bytes of %lld\n", u.release, u.version, (long long)st.st_size,
                       (long long)st.st_mtime);
}

static bool kvm_known_bad(const struct vm_options *o)
{
    char *path = place_cache("no-kvm"), *key = kvm_key(o), text[512] = "";
    FILE *f = fopen(path, "re");
    bool bad = f && fgets(text, sizeof text, f) && !strcmp(text, key);
    if (f)
        fclose(f);
    free(path);
    free(key);
    return bad;
}

void qemu_without_kvm(const struct vm_options *o)
{
    char *path = place_cache("no-kvm"), *key = kvm_key(o);
    FILE *f = fopen(path, "we");
    if (f) {
        fputs(key, f);
        fclose(f);
    }
    free(path);
    free(key);
}

static bool choose_kvm(struct machine *m, const struct vm_options *o, int way)
{
    m->why = NULL;
    if (access("/dev/kvm", F_OK))
        m->why = "there is no /dev/kvm";
    else if (access("/dev/kvm", R_OK | W_OK))
        m->why = "this user may not use /dev/kvm";
    else if (way > 0 || kvm_known_bad(o))
        m->why = access("/sys/module/kvm_pvm", F_OK)
                     ? "/dev/kvm is there but did not boot the kernel"
                     : "/dev/kvm is there but did not boot the kernel: it is PVM's, for kernels "
                       "made for that";
    m->trying = !m->why;
    m->how = m->why ? "TCG" : "KVM";
    return !m->why;
}

// The time in nanoseconds and the counter at that moment: a busy host may let something else run
// between two readings.
static long long at_tsc(unsigned long long *tsc)
{
    struct timespec a, b;
    long long took;
    for (int i = 0; i < 100; i++) {
        clock_gettime(CLOCK_MONOTONIC, &a);
        *tsc = __rdtsc();
        clock_gettime(CLOCK_MONOTONIC, &b);
        took = (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec;
        if (took < 1000)
            break;
    }
    return a.tv_sec * 1000000000LL + a.tv_nsec;
}

// The time-stamp counter's rate in kHz: the emulated machine has it, but none of the clocks that a
// kernel measures it by.
static unsigned long tsc_khz(void)
{
    struct timespec rest = {.tv_nsec = 20000000};
    unsigned long long from, to;
    long long begin = at_tsc(&from);
    nanosleep(&rest, NULL);
    long long end = at_tsc(&to);
    return (unsigned long)((to - from) * 1000000ULL / (unsigned long long)(end - begin));
}

// ---- The command line ----

// QEMU's options are separated by commas; one that is meant stands twice.
static char *escape(const char *path)
{
    return words_escape(path, ',', ',');
}

// Puts lxrun in front, on the host's own tree.
static void add_lxrun(struct words *w, const char *directory)
{
    words_add(w, "%s", place_program("lxrun"));
    if (directory)
        words_add_bind(w, directory);
    words_add(w, "--");
}

// A socket that virtiofsd accepts one connection on, and that connection. Its name is gone at once.
static void vhost_pair(int *listener, int *connection)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%.90s/fs-%d", place_run(), getpid());
    *listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(a.sun_path);
    if (bind(*listener, (struct sockaddr *)&a, sizeof a) || listen(*listener, 1) ||
        connect(*connection, (struct sockaddr *)&a, sizeof a))
        fail_errno("cannot make a channel for virtiofs at %s", a.sun_path);
    unlink(a.sun_path);
}

// A virtiofsd of its own. QEMU 7.2's cannot do without a seccomp filter, so not under lxrun; nor
// without privileges.
static void add_virtiofs(struct words *w, struct machine *m, const char *tag, const char *host,
                         const char *guest, bool readonly, int log)
{
    struct words d = {0};
    char *server = place_host_program("virtiofsd");
    int listener, connection;
    vhost_pair(&listener, &connection);
    words_add(&d, "%s", server);
    words_add(&d, "-f");
    words_add(&d, "--fd=%d", listener);
    words_add(&d, "-o");
    words_add(&d, "source=%s,sandbox=chroot,cache=auto,xattr", host);
    words_run(&d, log, &listener, 1, false);
    close(listener);
    free(server);
    m->servers[m->nservers++] = connection;
    words_add(w, "-chardev");
    words_add(w, "socket,id=%s,fd=%d", tag, connection);
    words_add(w, "-device");
    words_add(w, "vhost-user-fs-device,chardev=%s,tag=%s", tag, tag);
    setup_add(m, "mount=virtiofs\t%s\t%s\t%s", tag, guest, readonly ? "ro," : "");
}

static void add_9p(struct words *w, struct machine *m, const char *tag, const char *host,
                   const char *guest, bool readonly)
{
    char *path = escape(host);
    words_add(w, "-fsdev");
    words_add(w, "local,id=%s,path=%s,security_model=passthrough,multidevs=remap%s", tag, path,
              readonly ? ",readonly=on" : "");
    words_add(w, "-device");
    words_add(w, "virtio-9p-device,fsdev=%s,mount_tag=%s", tag, tag);
    setup_add(m, "mount=9p\t%s\t%s\t%strans=virtio,version=9p2000.L,msize=524288,cache=mmap", tag,
              guest, readonly ? "ro," : "");
    free(path);
}

static void add_share(struct words *w, struct machine *m, const struct vm_options *o,
                      const char *tag, const struct vm_share *s, int log)
{
    if (o->settings.virtiofs)
        add_virtiofs(w, m, tag, s->host, s->guest, s->readonly, log);
    else
        add_9p(w, m, tag, s->host, s->guest, s->readonly);
}

static void add_disk(struct words *w, struct machine *m, const char *file, char letter,
                     const char *guest)
{
    char *path = escape(file);
    words_add(w, "-drive");
    words_add(w, "if=none,id=disk%c,file=%s,format=raw,discard=unmap,detect-zeroes=unmap", letter,
              path);
    words_add(w, "-device");
    words_add(w, "virtio-blk-device,drive=disk%c,discard=on,write-zeroes=on,serial=disk%c", letter,
              letter);
    setup_add(m, "mount=ext4\t/dev/vd%c\t%s\tdiscard", letter, guest);
    free(path);
}

static void add_files(struct words *w, struct machine *m, const struct vm_options *o, int log)
{
    struct vm_share root = {.host = o->root ? o->root : "/", .guest = "/root"};
    if (o->image)
        add_disk(w, m, o->image, 'a', "/root");
    else
        add_share(w, m, o, "root", &root, log);
    setup_add(m, "switch=");
    if (o->attach)
        add_disk(w, m, o->attach, o->image ? 'b' : 'a', "/mnt/image");
    for (size_t i = 0; i < o->nshares; i++) {
        char *tag = must_format("share%zu", i);
        add_share(w, m, o, tag, &o->shares[i], log);
        free(tag);
    }
}

static void add_machine(struct words *w, const struct machine *m, const struct vm_options *o,
                        bool kvm)
{
    const struct vm_settings *s = &o->settings;
    char *tsc =
        kvm ? must_format("%s", "") : must_format(" tsc=reliable tsc_early_khz=%lu", tsc_khz());
    words_add(w, "-nodefaults");
    words_add(w, "-no-user-config");
    words_add(w, "-no-reboot");
    words_add(w, "-global");
    words_add(w, "virtio-mmio.force-legacy=false"); // virtio 1.0, which vhost-user needs
    words_add(w, "-display");
    words_add(w, "none");
    words_add(w, "-M");
    // ACPI tells Debian's kernel where the virtio devices are. Without a clock chip it would wait
    // for one, for a second and twice.
    words_add(w, "microvm,acpi=on,pic=off,pit=off,rtc=on,x-option-roms=off,isa-serial=on,"
                 "memory-backend=ram");
    words_add(w, "-accel");
    // MiB of translated code, all thrown away when they are full. A start of node needs more than
    // 30; but what has been in use stays.
    words_add(w, kvm ? "kvm" : "tcg,tb-size=20");
    words_add(w, "-cpu");
    words_add(w, kvm ? "host" : "max");
    words_add(w, "-smp");
    words_add(w, "%u", s->processors);
    words_add(w, "-m");
    words_add(w, "%uM", s->memory);
    // Shared memory comes in small pages: what is given back is not held by a neighbour.
    words_add(w, "-object");
    words_add(w, "memory-backend-file,id=ram,mem-path=/proc/self/fd/%d,size=%uM,share=on",
              m->memory, s->memory);
    words_add(w, "-kernel");
    words_add(w, "/proc/self/fd/%d", m->kernel);
    words_add(w, "-initrd");
    words_add(w, "/proc/self/fd/%d", m->initrd);
    words_add(w, "-append");
    words_add(w,
              // Warnings are said, too, and the timer's rate: the keeper looks at these (keeper.c:
              // boot_is_lost).
              "console=ttyS0 loglevel=5 apic=verbose panic=-1 reboot=t cryptomgr.notests "
              "page_reporting.page_reporting_order=3%s %s",
              tsc, s->command_line);
    words_add(w, "-chardev");
    words_add(w, "stdio,id=console,signal=off");
    words_add(w, "-serial");
    words_add(w, "chardev:console");
    words_add(w, "-chardev");
    words_add(w, "socket,id=keeper,fd=%d", m->channel);
    words_add(w, "-device");
    // One port besides the one that is reserved. For each that it can have, the kernel sets memory
    // aside.
    words_add(w, "virtio-serial-device,max_ports=2");
    words_add(w, "-device");
    words_add(w, "virtserialport,chardev=keeper,name=lxrun");
    words_add(w, "-device");
    words_add(w, "virtio-balloon-device,free-page-reporting=on");
    words_add(w, "-chardev");
    words_add(w, "socket,id=monitor,fd=%d", m->monitor);
    words_add(w, "-mon");
    words_add(w, "chardev=monitor,mode=control");
    words_add(w, "-netdev");
    words_add(w, "user,id=net");
    words_add(w, "-device");
    words_add(w, "virtio-net-device,netdev=net");
    free(tsc);
}

bool qemu_start(struct machine *m, const struct vm_options *o, int log, int way)
{
    struct words w = {0};
    int pair[2], monitor[2];
    bool kvm = choose_kvm(m, o, way);
    char *kernel = kernel_file(o), *modules = modules_file(kernel);
    m->kernel = memory_copy("kernel", kernel);
    if (m->kernel < 0)
        fail_errno("cannot read the kernel %s", kernel);
    m->initrd = initrd_make(modules);
    m->memory = memfd_create("memory", MFD_CLOEXEC);
    if (m->memory < 0 || ftruncate(m->memory, (off_t)o->settings.memory << 20))
        fail_errno("cannot make the VM's memory");
    free(kernel);
    free(modules);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor))
        fail_errno("cannot make the VM's channel");
    m->channel = pair[1];
    m->monitor = monitor[1];
    buffer_drop(&m->setup, m->setup.size);
    m->nservers = 0;
    if ((!o->image || o->nshares) && !o->settings.virtiofs)
        add_lxrun(&w, o->root);
    words_add(&w, "%s", place_host_program("qemu-system-x86_64"));
    add_machine(&w, m, o, kvm);
    add_files(&w, m, o, log);
    setup_add(m, "net=eth0");
    setup_add(m, "reclaim=%s", o->settings.reclaim ? "dropCache" : "disabled");
    if (*o->settings.host_ports)
        setup_add(m, "host=%s", o->settings.host_ports);
    int keep[5 + SERVERS] = {m->kernel, m->initrd, m->memory, pair[1], monitor[1]};
    memcpy(keep + 5, m->servers, m->nservers * sizeof *keep);
    m->pid = words_run(&w, log, keep, 5 + m->nservers, false);
    while (m->nservers)
        close(m->servers[--m->nservers]);
    m->channel = pair[0];
    m->monitor = monitor[0];
    m->room = SIZE_MAX / 2; // it is a pipe, which blocks
    close(pair[1]);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    close(monitor[1]);
    fcntl(monitor[0], F_SETFL, O_NONBLOCK);
    static const char hello[] = "{\"execute\":\"qmp_capabilities\"}\n";
    if (write(monitor[0], hello, sizeof hello - 1) < 0)
        fail_errno("cannot speak to QEMU");
    return m->pid > 0;
}
