# SPDX-License-Identifier: MIT
"""The one table of workloads and targets.

A target is the ratio to native that the rewrite engine, its cache warm, must not exceed (for
memory: the difference in KiB); None where the project has set itself none.
"""
from typing import NamedTuple


class Row(NamedTuple):
    name: str
    target: float | None
    what: str  # one operation


# The engine that the targets are about, and the target of the micro suite's geometric mean.
JUDGED = "rewrite"
MICRO_TARGET = 0.9

# The workloads of one group share a run. The group "micro" is bench/micro.c, "start" and "memory"
# are measured by bench/measure.py, and any other group is the script bench/whole/GROUP.sh.
GROUPS = {
    "micro": [
        Row("getpid", 0.1, "getpid"),
        Row("getppid", 1.2, "getppid"),
        Row("getuid", 0.1, "getuid"),
        Row("umask", 0.1, "umask"),
        Row("sigaction", 0.1, "sigaction"),
        Row("sigprocmask", 0.25, "block or unblock a handled signal, one thread"),
        Row("libc-syscall", None, "getppid by libc's syscall()"),
        Row("clock_gettime", 0.5, "clock_gettime as a system call"),
        Row("read", 1.2, "1 byte from /dev/zero"),
        Row("write", 1.2, "1 byte to /dev/null"),
        Row("lseek", 1.2, "lseek"),
        Row("fstat", 1.2, "fstat of a file"),
        Row("stat", 1.1, "stat of a file, absolute path"),
        Row("stat-missing", 1.1, "stat of a file that is not there"),
        Row("stat-deep", 1.1, "stat of a file 8 directories further down"),
        Row("open", 1.15, "open and close"),
        Row("open-read", 1.15, "open, read 4 KiB, close"),
        Row("create", 1.2, "create, close and unlink"),
        Row("rename", 1.2, "rename in one directory"),
        Row("chmod", 1.5, "chmod of the caller's own file"),
        Row("getdents", 1.2, "read a directory of 1,000 entries"),
        Row("pipe", 1.15, "there and back between processes"),
        Row("unix", 1.15, "the same by a Unix socket"),
        Row("tcp", 1.15, "the same by TCP"),
        Row("futex", 1.15, "there and back between threads"),
        Row("epoll", 1.15, "as unix, with epoll_wait"),
        Row("mmap", 1.15, "mmap a page, touch it, munmap"),
        Row("fault", 1.02, "one page fault"),
        Row("fork", 1.2, "fork, _exit, wait"),
        Row("exec-static", None, "fork, exec of a static program, wait"),
        Row("exec-dynamic", 1.25, "fork, exec of /bin/true, wait"),
        Row("spawn", 1.25, "posix_spawn of /bin/true, wait"),
        Row("thread", 1.25, "pthread_create and join"),
        Row("signal", 1.6, "kill oneself, handle it, return"),
        Row("segv", 1.6, "fault, handle it, return"),
        Row("integer", 1.01, "1,000 integer steps"),
        Row("float", 1.01, "1,000 floating-point steps"),
    ],
    "start": [Row("start", None, "start and end of /bin/true")],
    "memory": [Row("memory", 1024, "an idle bash, proportional set size")],
    "shell": [Row("shell-loop", 1.25, "bash runs /bin/true 500 times")],
    "files": [
        Row("untar", 1.15, "5,000 files from a .tar"),
        Row("untar-gz", 1.15, "5,000 files from a .tar.gz"),
        Row("find", 1.15, "find -size over them"),
        Row("du", 1.15, "du over them"),
        Row("cp", 1.15, "cp -a of them"),
        Row("rm", 1.15, "rm -rf of them"),
    ],
    "git": [
        Row("git-clone", 1.15, "clone of 3,000 files"),
        Row("git-status", 1.15, "status of them"),
    ],
    "build": [
        Row("cmake", 1.15, "configure a C project"),
        Row("make", 1.15, "make of 50 C files"),
    ],
    "python": [Row("python", 1.15, "10 starts of python3 with imports")],
    "npm": [Row("npm", 1.15, "npm install of a local folder")],
    "sqlite": [Row("sqlite", 1.1, "2,000 transactions of one insert")],
    "redis": [Row("redis", 1.1, "redis-benchmark, set and get")],
    "pgbench": [Row("pgbench", 1.1, "pgbench, 4 clients")],
    "nginx": [Row("nginx", 1.1, "requests by ab to 2 workers")],
}

# With --owners: the same on files whose owners are others than root (docs/bench.md). "-user" is run
# by such a user.
OWNERS = {
    "micro": [
        Row("stat", 1.1, "stat of a file, absolute path"),
        Row("stat-missing", 1.1, "stat of a file that is not there"),
        Row("stat-deep", 1.1, "stat of a file 8 directories further down"),
        Row("open", 1.15, "open and close"),
        Row("create", 1.2, "create, close and unlink, by root"),
        Row("create-user", 1.4, "the same by the directory's owner"),
        Row("chown", 1.7, "chown of a file to another user"),
        Row("chmod", 1.7, "chmod of another's file"),
    ],
    "owners": [
        Row("untar", 1.4, "5,000 files of several owners from a .tar"),
        Row("untar-gz", 1.25, "the same from a .tar.gz"),
        Row("find-cold", 2.0, "find -size over them, the first time"),
        Row("find-warm", 1.25, "the second time"),
        Row("du-cold", 2.0, "du over them, the first time"),
        Row("du-warm", 1.25, "the second time"),
        Row("cp", 1.2, "cp -a of them"),
        Row("rm", 1.2, "rm -rf of them"),
    ],
    "owners-git": [
        Row("git-clone", 1.2, "clone of 3,000 files by a user"),
        Row("git-status", 1.2, "status of them"),
    ],
    "owners-sqlite": [Row("sqlite", 1.1, "8 processes, 200 transactions each, by a user")],
}

# What --quick and the check of it leave of the sizes above: a divisor.
QUICK = 20
