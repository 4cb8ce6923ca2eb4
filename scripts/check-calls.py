#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
# timeout: 120
"""What a call of the guest's costs in host calls, as the --stats of an outer lxrun count them, where
that is easily lost without anything else failing; and that the one call on a path that every static
program makes needs no stack that the rest of its start does not."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from expecting import report

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
N = 1000
# What, its path, and the most host calls for one; that of the guest's own close is among them.
CALLS = [
    ("open", "/dev/null", 3),
    ("open", "/proc/self/stat", 11),
    ("open", "/proc/self/cmdline", 2),
    # What the descriptor is, the root that it lies in, and the open; of a device, what dev is, too.
    ("open", "/proc/self/fd/0", 4),
    ("open", "/proc/self/fd/1", 5),
    ("fstat", "/program", 1),
    ("fstat", "/dev/null", 1),
    ("fstat", "/proc/self/cmdline", 3), # whose it is
    ("readlink", "/proc/self/exe", 0),
    ("readlink", "/proc/self/task/self/exe", 0),
    ("readlink", "/proc/self/root", 0),
    ("readlink", "/proc/self/fd/0", 2),
    ("readlink", "/proc/self/fd/1", 1),
    ("readlink", "/proc/self/cwd", 2),
    ("rmdir", "/link", 10),  # in a sticky directory, by a user: no directory, which is no reason to wait
    # There and back, where hard links have made records by inode: each looks at what it replaces.
    ("rename", "/tmp/file", 4),
]
FAULTS = 3  # natively 1, the page of the result
PROGRAM = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc == 3) { // start itself so often
        for (int i = atoi(argv[2]); i > 0; i--) {
            int status = 1;
            if (!fork()) {
                execl(argv[0], argv[0], (char *)NULL);
                _exit(1);
            }
            if (wait(&status) < 0 || status)
                return 1;
        }
        return 0;
    }

    char text[4096], path[100];
    int n = argc > 3 ? atoi(argv[3]) : 0;
    struct stat st;
    bool rmdirs = argc > 3 && !strcmp(argv[1], "rmdir");
    if (rmdirs && (chmod("/", 01777) || setuid(1000) || (symlink("program", argv[2]) && errno != EEXIST)))
        return 1;
    bool renames = argc > 3 && !strcmp(argv[1], "rename");
    if (renames) {
        snprintf(path, sizeof path, "%s.new", argv[2]);
        if ((mkfifo("/pipe", 0600) || link("/pipe", "/other") || lchown("/pipe", 1000, 1000)) && errno != EEXIST)
            return 1;
        close(open(argv[2], O_CREAT | O_WRONLY, 0600));
    }
    int fd = argc > 3 && !strcmp(argv[1], "fstat") ? open(argv[2], O_RDONLY) : -1;
    char *self = argc > 3 ? strstr(argv[2], "task/self") : NULL;

    if (self)
        snprintf(path, sizeof path, "/proc/self/task/%d%s", getpid(), self + 9);
    for (int i = 0; i < n; i++)
        if (fd >= 0 ? fstat(fd, &st)
            : renames                  ? rename(argv[2], path) || rename(path, argv[2])
            : rmdirs                   ? !rmdir(argv[2]) || errno != ENOTDIR
            : !strcmp(argv[1], "open") ? close(open(argv[2], O_RDONLY))
                                     : readlink(self ? path : argv[2], text, sizeof text) < 0) {
            perror(argv[2]);
            return 1;
        }
    return 0;
}
"""
# Without a libc, whose start would be the first to make the call.
FAULTING = r"""
#include <sys/resource.h>
#include <sys/syscall.h>

static long call(long nr, long a, long b, long c)
{
    long r;
    __asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return r;
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
    static struct rusage before, after;
    static char text[4096] = {1};

    call(SYS_getrusage, RUSAGE_SELF, (long)&before, 0);
    call(SYS_getrusage, RUSAGE_SELF, (long)&after, 0);
    call(SYS_getrusage, RUSAGE_SELF, (long)&before, 0);
    long r = call(SYS_readlink, (long)"/proc/self/exe", (long)text, sizeof text);
    call(SYS_getrusage, RUSAGE_SELF, (long)&after, 0);
    call(SYS_exit_group, r < 0 ? 99 : after.ru_minflt - before.ru_minflt, 0, 0);
}
"""


def calls_of(tree, what, path, n):
    """The host calls of an inner lxrun, all in all. The calls of its guest's, not rewritten yet, come to
    the outer one, too, and what brings them back to the inner one's door and ends the signal."""
    with open(Path(tree) / "program", "rb") as file: # 0 is one in the tree, 1 a device
        p = subprocess.run([LXRUN, "--stats", "--", LXRUN, "-r", tree, "/program", what, path, str(n)], stdin=file,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if p.returncode:
        sys.exit(f"{what} {path}: status {p.returncode}: {p.stderr}")
    calls = {m[2]: int(m[1]) for m in re.finditer(r"^lxrun: +(\d+) +[\d.]+ % +(\w+)$", p.stderr, re.M)}
    if n and calls.get("rt_sigreturn", 0) < n:
        sys.exit(f"{what} {path}: the guest's calls were not trapped: {calls}")
    return sum(c for k, c in calls.items() if k not in ("rt_sigreturn", "arch_prctl")) - calls.get("rt_sigreturn", 0)


def asked_by_starts(tree, trace, n):
    """How often the host is asked for what a start may know (which vector state a process may use), and for the
    time that records have, when a program starts another n times."""
    subprocess.run(["strace", "-f", "-qq", "-o", trace, "-e", "trace=arch_prctl,clock_gettime", LXRUN, "-r", tree, "/program",
                    "start", str(n)], check=True)
    text = trace.read_text()
    return len(re.findall("ARCH_GET_XCOMP_PERM|0x1022", text)), text.count("CLOCK_BOOTTIME")


def listings_of_maps(trace):
    """How often the host's list of mappings is read for one of the guest's, where text of several files is
    rewritten (the second time at the latest)."""
    for _ in range(2):
        subprocess.run(["strace", "-f", "-qq", "-o", trace, "-e", "trace=openat", LXRUN, "cat", "/proc/self/maps"],
                       stdout=subprocess.DEVNULL, check=True)
    return len(re.findall(r'/maps", O_RDONLY\|O_CLOEXEC', trace.read_text()))


def main():
    faults = []
    with tempfile.TemporaryDirectory(dir=TOP / "build") as tmp:
        tree = Path(tmp) / "tree"
        for d in ("dev", "proc", "sys", "tmp"):
            (tree / d).mkdir(parents=True)
        for name, text, how in (("program", PROGRAM, []), ("faulting", FAULTING, ["-nostdlib", "-fno-stack-protector"])):
            source = Path(tmp) / f"{name}.c"
            source.write_text(text)
            subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-static", *how, "-o", str(tree / name), str(source)],
                           check=True)
        for what, path, most in CALLS:
            # What the start and the supervisor take differs by some calls.
            n = (calls_of(str(tree), what, path, N) - calls_of(str(tree), what, path, 0)) / N
            print(f"{what} {path}: {n:.2f}")
            if n > most + 0.3:
                faults.append(f"{what} {path}: {n:.2f} host calls, not {most}")
        n = min(subprocess.run([LXRUN, "-r", str(tree), "/faulting"], check=False).returncode for _ in range(5))
        print(f"page faults of readlink: {n}")
        if n > FAULTS:
            faults.append(f"readlink of /proc/self/exe: {n} page faults, not {FAULTS}")
        if not shutil.which("strace"):
            print("listings for /proc/self/maps, questions of a start: not tested, no strace")
        else:
            if (n := listings_of_maps(Path(tmp) / "trace")) != 1:
                faults.append(f"open of /proc/self/maps lists the host's {n} times")
            few, many = (asked_by_starts(str(tree), Path(tmp) / "trace", n) for n in (0, 8))
            states, times = many[0] - few[0], many[1] - few[1]
            print(f"8 starts: {states} questions for the vector state, {times} for the time of a record")
            if states or times != 8:
                faults.append("a start asks the host for what the instance knows")
    return report(faults)


if __name__ == "__main__":
    sys.exit(main())
