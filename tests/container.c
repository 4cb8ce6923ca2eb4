// SPDX-License-Identifier: MIT
// container COMMAND...: runs it as on a host that is strict and old: under a filter of system calls
// as container tools install, by which what they do not know is EPERM, and that is all that came
// after Linux 6.1. (tests/run.py, "container")
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LATEST 450 // set_mempolicy_home_node, Linux 5.17
#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static const unsigned short denied[] = {SYS_acct,
                                        SYS_add_key,
                                        SYS_bpf,
                                        SYS_clock_settime,
                                        SYS_delete_module,
                                        SYS_fanotify_init,
                                        SYS_finit_module,
                                        SYS_fsconfig,
                                        SYS_fsmount,
                                        SYS_fsopen,
                                        SYS_fspick,
                                        SYS_get_mempolicy,
                                        SYS_init_module,
                                        SYS_io_uring_enter,
                                        SYS_io_uring_register,
                                        SYS_io_uring_setup,
                                        SYS_ioperm,
                                        SYS_iopl,
                                        SYS_kcmp,
                                        SYS_kexec_file_load,
                                        SYS_kexec_load,
                                        SYS_keyctl,
                                        SYS_lookup_dcookie,
                                        SYS_mbind,
                                        SYS_migrate_pages,
                                        SYS_mount,
                                        SYS_mount_setattr,
                                        SYS_move_mount,
                                        SYS_move_pages,
                                        SYS_open_by_handle_at,
                                        SYS_open_tree,
                                        SYS_perf_event_open,
                                        SYS_pidfd_getfd,
                                        SYS_pivot_root,
                                        SYS_process_madvise,
                                        SYS_quotactl,
                                        SYS_quotactl_fd,
                                        SYS_reboot,
                                        SYS_request_key,
                                        SYS_set_mempolicy,
                                        SYS_setdomainname,
                                        SYS_sethostname,
                                        SYS_setns,
                                        SYS_settimeofday,
                                        SYS_swapoff,
                                        SYS_swapon,
                                        SYS_sysfs,
                                        SYS_syslog,
                                        SYS_umount2,
                                        SYS_unshare,
                                        SYS_userfaultfd,
                                        SYS_ustat,
                                        SYS_uselib,
                                        SYS_vhangup,
                                        SYS_set_mempolicy_home_node};
#define DENIED (sizeof denied / sizeof *denied)

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
// Where it holds, the next instruction runs; else the one behind that.
#define UNLESS(what, k) BPF_JUMP(BPF_JMP | (what) | BPF_K, (k), 0, 1)

int main(int argc, char **argv)
{
    struct sock_filter code[16 + 2 * DENIED] = {
        LOAD(nr),       UNLESS(BPF_JGT, LATEST),
        REFUSE(EPERM),  UNLESS(BPF_JEQ, SYS_clone3), // its flags cannot be seen
        REFUSE(ENOSYS),
    };
    unsigned short n = 5;
    for (unsigned i = 0; i < DENIED; i++) {
        code[n++] = (struct sock_filter)UNLESS(BPF_JEQ, denied[i]);
        code[n++] = (struct sock_filter)REFUSE(EPERM);
    }
    static const struct sock_filter end[] = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
                                             LOAD(args[0]), UNLESS(BPF_JSET, NAMESPACES),
                                             REFUSE(EPERM), ALLOW};
    for (unsigned i = 0; i < sizeof end / sizeof *end; i++)
        code[n++] = end[i];
    struct sock_fprog program = {n, code};
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("container");
        return 125;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 125;
}
