#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
# timeout: 120
"""What a thread has just done itself is known to it: of 2,000 changes of one file few ask for its
attribute (fs/attrown.c), and a file that was made is not looked at before it is renamed (fs/names.c),
as the --stats of an outer lxrun count. Nor is it asked what a descriptor that cp -a has stands for.
And yet what another process of the instance changes between two of them, at once, is never lost; nor
what another instance or a tool of the host changes, a tick later. The script has them take turns."""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import report

TOP = Path(__file__).resolve().parent.parent
LXRUN = str(TOP / "build/lxrun")
ATTR = "user.containers.override_stat"
PAUSE = "12000"  # us: more than a tick
PROGRAM = r"""
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACL "system.posix_acl_access"

static int die(const char *what, int i) { fprintf(stderr, "%s at %d: %m\n", what, i); exit(1); }

// Changes owner or mode n times, in turns with who does the other; owner goes first. One of them looks
// what became of both changes: a look tells the whole instance (fs/attrcache.c), which would hide what
// the other does not know.
static int take_turns(int owner, int n, int pause, int fd, int in, int out)
{
    struct stat st = {0};
    char c;

    for (int i = 1; i <= n; i++) {
        if (read(in, &c, 1) != 1)
            die("read", i);
        usleep(pause);
        if (owner ? i & 2 ? fchown(fd, i, i) : chown("/file", i, i)
                  : i & 2 ? fchmod(fd, i & 0777) : chmod("/file", i & 0777))
            die("change", i);
        bool looks = owner == !(i & 4);
        if (looks && stat("/file", &st))
            die("stat", i);
        int mode = st.st_mode & 0777;
        bool right = (int)st.st_uid == i && (int)st.st_gid == i &&
                     (owner ? i == 1 || mode == ((i - 1) & 0777) : mode == (i & 0777));
        if (looks && !right) {
            fprintf(stderr, "%s at %d: owner %d:%d mode %o\n", owner ? "owner" : "mode", i, (int)st.st_uid,
                    (int)st.st_gid, st.st_mode);
            return 1;
        }
        if ((owner || i < n) && write(out, "x", 1) != 1) // the last turn is mode's
            die("write", i);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int n = argc > 3 ? atoi(argv[2]) : 0, pause = argc > 3 ? atoi(argv[3]) : 0, fd = open("/file", O_RDONLY);
    int to_owner[2], to_mode[2], status;

    if (argc != 4 || fd < 0 || pipe(to_owner) || pipe(to_mode))
        die("start", 0);
    if (!strcmp(argv[1], "owner"))
        return take_turns(1, n, pause, fd, 0, 1);
    if (!strcmp(argv[1], "mode"))
        return take_turns(0, n, pause, fd, 0, 1);
    if (!strcmp(argv[1], "both")) {
        if (write(to_owner[1], "x", 1) != 1)
            die("write", 0);
        if (!fork())
            return take_turns(1, n, pause, fd, to_owner[0], to_mode[1]);
        int failed = take_turns(0, n, pause, fd, to_mode[0], to_owner[1]);
        return wait(&status) < 0 || status || failed;
    }
    if (!strcmp(argv[1], "copy")) {
        // Version 2; owner, group and others as in 0644: what cp -a asks for and sets.
        static const unsigned acl[] = {2, 6 << 16 | 1, -1, 4 << 16 | 4, -1, 4 << 16 | 32, -1};
        char got[64];
        struct stat st;
        if (fstat(fd, &st))
            die("fstat", 0);
        for (int i = 1; i <= n; i++)
            if (flistxattr(fd, got, sizeof got) || fgetxattr(fd, ACL, got, sizeof got) >= 0 ||
                futimens(fd, NULL) || fsetxattr(fd, ACL, acl, sizeof acl, 0))
                die("copy", i);
        return 0;
    }
    if (!strcmp(argv[1], "linked"))
        return mkfifo("/tmp/a", 0600) || link("/tmp/a", "/tmp/b") || chown("/tmp/a", 1, 2) ||
               unlink("/tmp/a") || unlink("/tmp/b");
    for (int i = 1; i <= n; i++)
        if (chown("/file", i, 7) || fchmod(fd, i & 1 ? 0640 : 0600) ||
            close(open("/tmp/new", O_CREAT | O_EXCL | O_WRONLY, 0644)) || rename("/tmp/new", "/tmp/file"))
            die("change", i);
    return 0;
}
"""


def calls_of(tree, what, n):
    """The host calls of an inner lxrun."""
    p = subprocess.run([LXRUN, "--stats", "--", LXRUN, "-r", tree, "/program", what, str(n), "0"],
                       stderr=subprocess.PIPE, text=True, check=False)
    calls = {m[2]: int(m[1]) for m in re.finditer(r"^lxrun: +(\d+) .*?(\w+)$", p.stderr, re.M)}
    print({k: v for k, v in calls.items() if "xattr" in k or "stat" in k or k == "fcntl"})
    return ({}, [f"{what}: status {p.returncode}: {p.stderr}"]) if p.returncode else (calls, [])


def copy(tree):
    """By a descriptor of a file: its ACL is one look, to set it one and the change, the rest none."""
    calls, failed = calls_of(tree, "copy", 1000)
    most = {"fstat": 2500, "statx": 500, "fcntl": 500}
    return failed or [f"copy: {calls[k]} {k}" for k in most if calls.get(k, 0) > most[k]]


def count(tree):
    """Writes and reads of attributes."""
    calls, failed = calls_of(tree, "count", 1000)
    if failed:
        return failed
    writes = calls.get("setxattrat", 0) + calls.get("fsetxattr", 0)
    reads = calls.get("getxattrat", 0) + calls.get("fgetxattr", 0)
    looks = calls.get("newfstatat", 0) - writes / 2  # a chown has one
    if writes >= 2000 and reads < writes / 2 and looks < 500 and calls.get("renameat", 0) >= 1000:
        return []
    return [f"{writes} writes, {reads} reads, {looks} other looks, {calls.get('renameat', 0)} renames"]


def own_turns(tree, n):
    """Two processes, one of which changes the owner and the other the mode."""
    p = subprocess.run([LXRUN, "-r", tree, "/program", "both", str(n), "0"], check=False)
    return [f"turns of one instance: status {p.returncode}"] if p.returncode else []


def turns(tree, n):
    """The same by two instances."""
    to_owner, to_mode = os.pipe(), os.pipe()
    os.write(to_owner[1], b"x")
    # owner reads its turn from one pipe and writes it into the other's.
    a = subprocess.Popen([LXRUN, "-r", tree, "/program", "owner", str(n), PAUSE], stdin=to_owner[0],
                         stdout=to_mode[1])
    b = subprocess.Popen([LXRUN, "-r", tree, "/program", "mode", str(n), PAUSE], stdin=to_mode[0],
                         stdout=to_owner[1])
    for fd in to_owner + to_mode:
        os.close(fd)
    return [f"turns: {who} ended with {p.wait()}" for who, p in (("owner", a), ("mode", b)) if p.wait()]


def host_turns(tree, n):
    """The guest changes the mode, the host the owner: by the attribute, having looked."""
    file = Path(tree) / "file"
    p = subprocess.Popen([LXRUN, "-r", tree, "/program", "mode", str(n), PAUSE], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE)
    for i in range(1, n + 1):
        time.sleep(int(PAUSE) / 1e6)
        file.stat()
        old = os.getxattr(file, ATTR).decode().split(":")
        os.setxattr(file, ATTR, ":".join([str(i), str(i)] + old[2:]).encode())
        p.stdin.write(b"x")
        p.stdin.flush()
        if p.stdout.read(1) != b"x":
            break
    p.stdin.close()
    return [f"host: ended with {p.wait()}"] if p.wait() else []


def main():
    with tempfile.TemporaryDirectory(dir=TOP / "build") as tmp:
        tree = Path(tmp) / "tree"
        for d in ("dev", "proc", "sys", "tmp"):
            (tree / d).mkdir(parents=True)
        source = Path(tmp) / "program.c"
        source.write_text(PROGRAM)
        subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-static", "-o", str(tree / "program"), str(source)],
                       check=True)
        (tree / "file").write_text("x")
        # Names of one FIFO, all gone again, are nothing that a later instance would have to look for.
        subprocess.run([LXRUN, "--", LXRUN, "-r", str(tree), "/program", "linked", "0", "0"], check=True)
        # What other work does to the kernel's clock of files can make a write unknown.
        for _ in range(10):
            faults = count(str(tree))
            if not faults:
                break
        faults += copy(str(tree))
        faults += own_turns(str(tree), 20000)
        faults += turns(str(tree), 100)
        faults += host_turns(str(tree), 100)
    return report(faults)


if __name__ == "__main__":
    sys.exit(main())
