// SPDX-License-Identifier: MIT
// The utility VM: a command under a real kernel instead of the translation layer, on the same root.
//
//   client   `lxrun --vm PROGRAM`: stands in for the command towards the caller (client.c)
//   keeper   one process per running VM, started by the first client: starts the machine, relays
//            between clients and the VM, forwards ports, ends it when idle (keeper.c)
//   machine  QEMU (qemu.c) or User-Mode Linux (uml.c)
//   init     the VM's first process (vm/init/)
//
// docs/vm.md tells the whole.
#ifndef LX_VM_H
#define LX_VM_H

#include <stdbool.h>
#include <stddef.h>

enum vm_kind { VM_NONE, VM_QEMU, VM_UML };

struct vm_settings {
    unsigned memory; // MiB
    unsigned processors;
    const char *kernel;       // NULL: the one that scripts/vm-kernel.py put into the cache
    const char *command_line; // added to the kernel's
    bool virtiofs;            // directories over virtiofs, not 9P
    bool forwarding;          // ports of the VM's localhost are the host's, too
    const char *host_ports;   // "N,N" of the host's localhost that are the VM's, too; or ""
    bool reclaim;             // an idle VM gives up its cache of files
    long idle;                // ms without a command until it ends; negative: never
};

struct vm_share {
    const char *host, *guest; // absolute
    bool readonly;
};

struct vm_options {
    enum vm_kind kind;
    const char *root;   // absolute; NULL: the host's tree
    const char *image;  // absolute; an ext4 file system as the root instead
    const char *attach; // absolute; a second one, at /mnt/image
    struct vm_share *shares;
    size_t nshares;
    struct vm_settings settings;
    const char *hostname; // NULL: the host's
    // The command:
    const char *user; // NULL: root
    const char *directory;
    bool directory_wanted; // and not only where the caller is
    bool account;          // HOME and the like are the VM's user's
    char **env, **set;     // the caller's, and what overrides all
    size_t nset;
    const char *program;
    char **args;
    bool verbose;
};

// The configuration file, then --vm-set KEY=VALUE in order.
void vm_settings_read(struct vm_settings *s);
void vm_settings_set(struct vm_settings *s, const char *assignment);

// Runs the command in the VM, which is started if it does not run. The exit status.
int vm_run(const struct vm_options *o);
// Ends every VM of this user.
int vm_shutdown(void);
// Makes an ext4 image of a tree, and a tree of an image, as new files beside nothing; what they are
// made of stays as it is. size: of the image in MiB; 0: 16 GiB, or twice the tree where that is
// more.
int vm_to_image(const char *directory, const char *file, unsigned size);
int vm_from_image(const char *file, const char *directory);
// Changes the size of an image that no VM uses, in MiB.
int vm_resize(const char *file, unsigned size);
// "2GB", "512 MB", "1073741824" in MiB; 0: not a size.
unsigned vm_size(const char *text);

#endif
