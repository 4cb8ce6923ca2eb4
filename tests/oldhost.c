// SPDX-License-Identifier: MIT
// oldhost COMMAND...: runs it as on Linux 4.18, as far as a filter of system calls can do that:
// what came later is ENOSYS, what prctl and ptrace did not know has their errors, and whiteouts are
// not for everybody (5.8). (tests/run.py, "old"; scripts/check-escape.py)
#include <errno.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LATEST 334              // rseq
#define USER_DISPATCH 59        // PR_SET_SYSCALL_USER_DISPATCH
#define GET_SYSCALL_INFO 0x420e // of ptrace

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
// Where it holds the next instruction runs; else the one so many further on.
#define UNLESS(what, k, skip) BPF_JUMP(BPF_JMP | (what) | BPF_K, (k), 0, (skip))

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

int main(int argc, char **argv)
{
    struct sock_filter code[] = {
        LOAD(nr),
        UNLESS(BPF_JGT, LATEST, 1),
        REFUSE(ENOSYS),

        UNLESS(BPF_JEQ, SYS_prctl, 4),
        LOAD(args[0]),
        UNLESS(BPF_JEQ, USER_DISPATCH, 1),
        REFUSE(EINVAL),
        ALLOW,

        UNLESS(BPF_JEQ, SYS_ptrace, 4),
        LOAD(args[0]),
        UNLESS(BPF_JEQ, GET_SYSCALL_INFO, 1),
        REFUSE(EIO),
        ALLOW,

        UNLESS(BPF_JEQ, SYS_renameat2, 4),
        LOAD(args[4]),
        UNLESS(BPF_JSET, RENAME_WHITEOUT, 1),
        REFUSE(EPERM),
        ALLOW,

        UNLESS(BPF_JEQ, SYS_mknodat, 5),
        LOAD(args[2]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, S_IFMT),
        UNLESS(BPF_JEQ, S_IFCHR, 1),
        REFUSE(EPERM),
        ALLOW,

        ALLOW,
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("oldhost");
        return 125;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 125;
}
