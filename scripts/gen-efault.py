#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the EFAULT test: for each served row of the table and each of its pointers, the call with
that pointer bad in five ways and everything else right.

    scripts/gen-efault.py build/lxrun >build/gen/efault.c

The program prints what each call gave, so that native Linux and lxrun can be compared. As root it
must do the host no harm: no call has all it needs to succeed in something dangerous, since its one
bad pointer is read first. Objects that calls work on are made in tests/guest/efault.h."""
import json
import subprocess
import sys

# Rows whose pointers cannot be tried like this.
SKIP = {
    "clone": "makes a process; the kernel ignores a bad tid pointer",
}

# Kernels where the newest calls came; the program leaves them out on an older one.
SINCE = {451: "6005", 452: "6006", 454: "6007", 455: "6007", 456: "6007", 463: "6013", 464: "6013",
         465: "6013", 466: "6013", 468: "6017", 469: "6017"}

# A harmless value for each kind of argument.
DEFAULT = {
    "fd": "file_fd", "dirfd": "AT_FDCWD", "path": '"file"', "str": '"user.lx"', "in": "buf",
    "out": "buf", "inout": "buf", "time": "buf", "addr": "page", "int": "0", "uint": "0",
    "long": "0", "off": "0", "size": "8", "hex": "0", "flags": "0", "mode": "0644", "pid": "0",
    "uid": "-1", "gid": "-1", "sig": "SIGUSR1", "func": "0",
}
DIRECTION = {"path": "STRING", "str": "STRING", "in": "READ", "time": "READ", "out": "WRITTEN",
             "inout": "WRITTEN"}

# Where the default does not do: name=value for an argument, !function to call before, and
# pointer:name=value for the call in which that pointer is the bad one.
VALUES = {
    "read": "!rewind_files",
    "write": "!rewind_files",
    "readv": "iovcnt=1 !rewind_files",
    "writev": "iovcnt=1 !rewind_files",
    "preadv": "iovcnt=1",
    "pwritev": "iovcnt=1",
    "preadv2": "iovcnt=1",
    "pwritev2": "iovcnt=1",
    "poll": "nfds=1",
    "select": "nfds=1 readfds=NULL writefds=NULL exceptfds=NULL",
    "pselect6": "nfds=1 readfds=NULL writefds=NULL exceptfds=NULL sigmask=NULL",
    "ppoll": "nfds=1 sigmask=NULL",
    "mincore": "length=4096",
    "shmctl": "shmid=shm cmd=IPC_STAT",
    "semop": "semid=sem nsops=1",
    "semtimedop": "semid=sem nsops=1",
    "msgsnd": "msqid=msg msgsz=1 flags=IPC_NOWAIT",
    "msgrcv": "msqid=msg flags=IPC_NOWAIT !queued_message",
    "msgctl": "msqid=msg cmd=IPC_STAT",
    "sendfile": "out_fd=file2_fd count=1",
    "connect": "fd=sock addrlen=16",
    "bind": "fd=sock addrlen=16",
    "accept": "fd=listen_fd addrlen=&len !connection",
    "accept4": "fd=listen_fd addrlen=&len !connection",
    "sendto": "fd=pair[1] flags=MSG_DONTWAIT addr=NULL addrlen=16 !drain",
    "recvfrom": "fd=pair[0] flags=MSG_DONTWAIT addrlen=&len !message",
    "sendmsg": "fd=pair[1] flags=MSG_DONTWAIT !drain",
    "recvmsg": "fd=pair[0] flags=MSG_DONTWAIT !message",
    "sendmmsg": "fd=pair[1] vlen=1 flags=MSG_DONTWAIT !drain",
    "recvmmsg": "fd=pair[0] vlen=1 flags=MSG_DONTWAIT timeout=NULL !message",
    "getsockname": "fd=pair[0] addrlen=&len",
    "getpeername": "fd=pair[0] addrlen=&len",
    "socketpair": "domain=AF_UNIX type=SOCK_DGRAM",
    "setsockopt": "fd=sock level=SOL_SOCKET optname=SO_SNDBUF optlen=4",
    "getsockopt": "fd=sock level=SOL_SOCKET optname=SO_TYPE optlen=&len",
    "execve": 'path="exec"',
    "execveat": 'path="exec"',
    "wait4": "pid=child !dead_child",
    "waitid": "idtype=P_PID id=child options=WEXITED rusage=NULL !dead_child",
    "getdents": "fd=dir_fd count=4096 !rewind_files",
    "getdents64": "fd=dir_fd count=4096 !rewind_files",
    "getcwd": "size=4096",
    "readlink": 'path="link" bufsiz=64',
    "readlinkat": 'path="link" bufsiz=64',
    "getgroups": "size=64 !one_group",
    "setgroups": "size=1",
    "capget": "header=&cap_header",
    "capset": "header=&cap_header",
    "rt_sigaction": "act=NULL oldact=NULL",
    "rt_sigprocmask": "how=SIG_BLOCK set=NULL oldset=NULL",
    "rt_sigtimedwait": "set=&usr2_set !pending_signal",
    "rt_sigqueueinfo": "tgid=getpid() sig=0",
    "rt_tgsigqueueinfo": "tgid=getpid() tid=getpid() sig=0",
    "sigaltstack": "ss=NULL old_ss=NULL",
    "setrlimit": "resource=4",
    "prlimit64": "resource=4 new_limit=NULL old_limit=NULL",
    "settimeofday": "tv=NULL tz=NULL",
    "pivot_root": 'new_root="."',
    "mount": 'source="none" target="dir" fstype="no-such-fs" data=NULL',
    "sethostname": "len=4",
    "setdomainname": "len=4",
    "listxattr": "size=64",
    "llistxattr": "size=64",
    "flistxattr": "size=64",
    "listxattrat": "size=64",
    "setxattrat": "args=&xattr_args size=16",
    "getxattrat": "args=&xattr_args size=16",
    "file_getattr": "size=24",
    "file_setattr": "size=24",
    "futex": "op=FUTEX_WAIT_PRIVATE val=1 timeout=NULL uaddr2:op=FUTEX_WAKE_OP_PRIVATE",
    "futex_waitv": "nr_futexes=1 clockid=CLOCK_MONOTONIC timeout=NULL",
    "futex_wake": "mask=1 nr=1 flags=FUTEX2_U32_PRIVATE",
    "futex_wait": "val=1 mask=1 flags=FUTEX2_U32_PRIVATE timeout=NULL clockid=CLOCK_MONOTONIC",
    "sched_setaffinity": "len=128",
    "sched_getaffinity": "len=128",
    "sched_getattr": "size=56",
    "io_setup": "nr_events=1",
    "io_submit": "ctx=aio nr=1",
    "io_cancel": "ctx=aio",
    "io_getevents": "ctx=aio nr=1 !aio_event",
    "io_pgetevents": "ctx=aio nr=1 sigmask=NULL !aio_event",
    "timer_create": "sevp=NULL",
    "timer_settime": "timerid=timer old_value=NULL",
    "timer_gettime": "timerid=timer",
    "timerfd_settime": "fd=timer_fd old_value=NULL",
    "timerfd_gettime": "fd=timer_fd",
    "epoll_wait": "epfd=epoll_fd maxevents=1",
    "epoll_pwait": "epfd=epoll_fd maxevents=1 sigmask=NULL",
    "epoll_pwait2": "epfd=epoll_fd maxevents=1 sigmask=NULL",
    "epoll_ctl": "epfd=epoll_fd op=EPOLL_CTL_MOD fd=event_fd",
    "mbind": "len=4096 maxnode=64",
    "set_mempolicy": "maxnode=64",
    "get_mempolicy": "mode=NULL nodemask=NULL maxnode=1024 addr=0",
    "migrate_pages": "maxnode=64",
    "move_pages": "count=1 nodes=NULL",
    "mq_open": "oflag=O_CREAT|O_RDWR mode=0600",
    "mq_timedsend": "mqdes=mq len=1 timeout=NULL !empty_mq",
    "mq_timedreceive": "mqdes=mq prio=NULL timeout=NULL !message_in_mq",
    "mq_notify": "mqdes=mq",
    "mq_getsetattr": "mqdes=mq newattr=NULL oldattr=NULL",
    "inotify_add_watch": "fd=inotify_fd mask=IN_ACCESS",
    "statx": "mask=0x7ff",
    "splice": "off_in=NULL fd_out=pipe_fd[1] off_out=NULL len=1 flags=SPLICE_F_NONBLOCK "
              "off_out:fd_in=pipe_fd[0] off_out:fd_out=file2_fd !byte_in_pipe",
    "vmsplice": "fd=pipe_fd[1] nr_segs=1 flags=SPLICE_F_NONBLOCK",
    "copy_file_range": "off_in=NULL fd_out=file2_fd off_out=NULL len=1 !rewind_files",
    "signalfd": "fd=-1",
    "signalfd4": "fd=-1",
    "process_vm_readv": "pid=getpid() local_iov=&iov liovcnt=1 remote_iov=&iov riovcnt=1",
    "process_vm_writev": "pid=getpid() local_iov=&iov liovcnt=1 remote_iov=&iov riovcnt=1",
    "process_madvise": "pidfd=self_pidfd iovcnt=1 advice=MADV_COLD",
    "seccomp": "operation=SECCOMP_GET_ACTION_AVAIL",
    "pidfd_send_signal": "pidfd=self_pidfd sig=0",
    "clone3": "size=88",
    "openat2": "size=24",
}

# A page of zeros that can be read must not be taken for a whole argument: it would be a plain fork.
READ_ONLY_IS_VALID = {("clone3", "args")}

# Pointers that the table's types do not show: behind a selector, or inside a structure.
EXTRA = [
    ("fcntl F_GETLK", "WRITTEN", "SYS_fcntl, file_fd, F_GETLK, bad"),
    ("fcntl F_SETLK", "READ", "SYS_fcntl, file_fd, F_SETLK, bad"),
    ("fcntl F_OFD_GETLK", "WRITTEN", "SYS_fcntl, file_fd, F_OFD_GETLK, bad"),
    ("fcntl F_GETOWN_EX", "WRITTEN", "SYS_fcntl, sock, F_GETOWN_EX, bad"),
    ("fcntl F_SETOWN_EX", "READ", "SYS_fcntl, sock, F_SETOWN_EX, bad"),
    ("ioctl FIONREAD", "WRITTEN", "SYS_ioctl, pipe_fd[0], FIONREAD, bad"),
    ("ioctl FIONBIO", "READ", "SYS_ioctl, event_fd, FIONBIO, bad"),
    ("ioctl SIOCGIFCONF", "WRITTEN", "SYS_ioctl, sock, SIOCGIFCONF, bad"),
    ("prctl PR_SET_NAME", "STRING", "SYS_prctl, PR_SET_NAME, bad, 0, 0, 0"),
    ("prctl PR_GET_NAME", "WRITTEN", "SYS_prctl, PR_GET_NAME, bad, 0, 0, 0"),
    ("prctl PR_GET_PDEATHSIG", "WRITTEN", "SYS_prctl, PR_GET_PDEATHSIG, bad, 0, 0, 0"),
    ("prctl PR_GET_CHILD_SUBREAPER", "WRITTEN",
     "SYS_prctl, PR_GET_CHILD_SUBREAPER, bad, 0, 0, 0"),
    ("arch_prctl ARCH_GET_FS", "WRITTEN", "SYS_arch_prctl, ARCH_GET_FS, bad"),
    ("semctl IPC_STAT", "WRITTEN", "SYS_semctl, sem, 0, IPC_STAT, bad"),
    ("semctl GETALL", "WRITTEN", "SYS_semctl, sem, 0, GETALL, bad"),
    ("semctl SETALL", "READ", "SYS_semctl, sem, 0, SETALL, bad"),
    ("preadv iov_base", "WRITTEN",
     "SYS_preadv, file_fd, &(struct iovec){(void *)bad, 8}, 1, 0, 0"),
    ("writev iov_base", "READ", "SYS_writev, file2_fd, &(struct iovec){(void *)bad, 8}, 1"),
    ("sendmsg msg_name", "READ",
     "SYS_sendmsg, sock, &(struct msghdr){.msg_name = (void *)bad, .msg_namelen = 16}, 0"),
    ("sendmsg msg_iov", "READ",
     "SYS_sendmsg, pair[1], &(struct msghdr){.msg_iov = (void *)bad, .msg_iovlen = 1}, "
     "MSG_DONTWAIT"),
    ("sendmsg msg_control", "READ",
     "SYS_sendmsg, pair[1], &(struct msghdr){.msg_control = (void *)bad, .msg_controllen = 24}, "
     "MSG_DONTWAIT"),
    ("execve argv[0]", "STRING",
     'SYS_execve, "exec", (unsigned long[]){bad, 0}, (unsigned long[]){0}'),
    ("execve envp[0]", "STRING",
     'SYS_execve, "exec", (unsigned long[]){0}, (unsigned long[]){bad, 0}'),
    ("pselect6 sigmask.ss", "READ",
     "SYS_pselect6, 0, NULL, NULL, NULL, buf, (unsigned long[]){bad, 8}"),
]


def parse(text):
    """VALUES of one call: argument values, those for one bad pointer only, functions to call."""
    values, special, before = {}, {}, []
    for word in text.split():
        if word.startswith("!"):
            before.append(word[1:])
            continue
        name, value = word.split("=", 1)
        if ":" in name:
            pointer, name = name.split(":")
            special.setdefault(pointer, {})[name] = value
        else:
            values[name] = value
    return values, special, before


def cases(row):
    """The lines of C for one row."""
    values, special, before = parse(VALUES.get(row["name"], ""))
    names = {a["name"] for a in row["args"]}
    unknown = (set(values) | set(special) | {n for s in special.values() for n in s}) - names
    if unknown:
        sys.exit(f"gen-efault: {row['name']} has no argument {', '.join(sorted(unknown))}")
    for pointer in row["args"]:
        if pointer["kind"] not in DIRECTION:
            continue
        direction = DIRECTION[pointer["kind"]]
        if (row["name"], pointer["name"]) in READ_ONLY_IS_VALID:
            direction = "READ"
        chosen = {**values, **special.get(pointer["name"], {})}
        args = ["bad" if a is pointer else chosen.get(a["name"], DEFAULT[a["kind"]])
                for a in row["args"]]
        since = SINCE.get(row["number"])
        calls = "".join(f"{f}(); " for f in before)
        yield (f"    {f'if (release >= {since}) ' if since else ''}"
               f"EACH(\"{row['name']} {pointer['name']}\", {direction}) {{ {calls}"
               f"got(syscall({', '.join([str(row['number'])] + [f'(long)({a})' for a in args])})); }}")


def main():
    table = json.loads(subprocess.run([sys.argv[1], "--table", "--json"], check=True,
                                      capture_output=True).stdout)
    served = [r for r in table if r["how"] != "refused"]
    unknown = (set(VALUES) | set(SKIP)) - {r["name"] for r in table}
    if unknown:
        sys.exit(f"gen-efault: not in the table: {', '.join(sorted(unknown))}")

    print("// Generated by scripts/gen-efault.py from the table. Do not edit.\n"
          "// needs: root\n"
          "// trap: not container,old: such a host refuses calls that it does not know\n"
          '#include "../../tests/guest/efault.h"')
    for header in "asm/prctl", "linux/futex", "linux/seccomp", "sys/prctl":
        print(f"#include <{header}.h>")
    print("\n#define FUTEX2_U32_PRIVATE 0x82\n\nstatic void rows(void)\n{")
    for row in served:
        if row["name"] in SKIP:
            print(f"    // {row['name']}: {SKIP[row['name']]}")
            continue
        for line in cases(row):
            print(line)
    print("}\n\nstatic void extras(void)\n{")
    for what, direction, args in EXTRA:
        print(f'    EACH("{what}", {direction}) {{ got(syscall({args})); }}')
    print("}\n\nint main(void)\n{\n    make_objects();\n    rows();\n    extras();\n"
          "    return done();\n}")


main()
