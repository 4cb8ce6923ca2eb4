// SPDX-License-Identifier: MIT
// A machine that runs the VM: what QEMU and User-Mode Linux have in common.
#ifndef LX_VM_MACHINE_H
#define LX_VM_MACHINE_H

#include <sys/types.h>

#include "frames.h"
#include "vm.h"

#define SERVERS 16

struct machine {
    pid_t pid;
    int channel;          // to its init
    size_t room;          // so much may be written to it
    int monitor;          // QEMU's own channel (QMP); -1: there is none
    int memory;           // the machine's memory file; -1: it has none of ours
    int kernel, initrd;   // memory files that it was started from; -1: none
    int servers[SERVERS]; // connections to virtiofsd, for QEMU
    size_t nservers;
    struct buffer setup; // strings for F_SETUP
    const char *how;     // "KVM", "TCG", "User-Mode Linux"
    char *why;           // why not KVM; NULL: there is no other way, or none was wanted
    bool trying;         // it may turn out not to boot that way
};

// Starts it with its output going to log. `way`: how often starting has failed; false: no way left.
bool qemu_start(struct machine *m, const struct vm_options *o, int log, int way);
bool uml_start(struct machine *m, const struct vm_options *o, int log, int way);
// The kernel boots without KVM, and with it did not: from now on KVM is not tried for it.
void qemu_without_kvm(const struct vm_options *o);
// Fails where what the machine needs is not installed.
void qemu_check(const struct vm_options *o);
void uml_check(const struct vm_options *o);
void uml_clean(void); // after its end

// ---- machine.c ----

// Puts a string at the end of m->setup.
void setup_add(struct machine *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A memory file with a file's content, or -1.
int memory_copy(const char *name, const char *path);
// A memory file with the first file system of the VM: init, and the kernel's modules (NULL: none).
int initrd_make(const char *modules);
// Lets go of what was needed for booting only.
void machine_booted(struct machine *m);
// Gives back what is zero in the memory of a machine that has nothing to do. False: it did not
// stand still for that soon enough; a thread needs a processor to stop (sweep.c).
bool machine_sweep(const struct machine *m);
// Makes holes of what is zero in a file, by pages (sweep.c).
void drop_zeros(int fd);
// Milliseconds that its threads, taken together, had a processor, and waited for one (starved.c).
void machine_times(const struct machine *m, long *ran, long *waited);
// Visits each process of a group that is there, dead ones that nobody has waited for too
// (starved.c).
void group_each(pid_t group, void (*visit)(pid_t, void *), void *arg);

// Command lines that are put together piece by piece.
struct words {
    char **word;
    size_t n;
};
void words_add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A copy of text with `with` before each `what`; the caller's to free.
char *words_escape(const char *text, char what, char with);
// Options of lxrun's, for a program on the host's own tree: the directory is a tree of its own
// there. So its owner is shown as root, and it keeps what is known of its hard links.
void words_add_bind(struct words *w, const char *directory);
// Starts it, in a process that ends with this one. keep: descriptors that it inherits. held: it may
// hold processes of its own by ptrace, which are to end with it (fork_traced).
pid_t words_run(const struct words *w, int log, const int *keep, size_t nkeep, bool held);
// Kills what words_run() gave last, and waits until it has ended, with all processes of its group.
void words_end(pid_t pid);
// fork(), with a process between that traces the child and gives the pid: it ends when the child
// has, and the child, with all that it traces, when it does. Errors go to log (traced.c).
pid_t fork_traced(int log);

#endif
