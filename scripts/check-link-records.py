#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
# timeout: 120
"""What is kept of a FIFO, symlink or socket with several names (fs/sidelink.c) goes with the last of
them, also when two processes remove, replace, change or link the last two at once: `lxrun --check`
finds nothing left over in a tree where they have done so for some thousand times."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
ROUNDS = "1500"
PROGRAM = r"""
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int *turn;

static void die(const char *what) { perror(what); exit(1); }

// Both processes go on when the other has come here.
static void meet(int round)
{
    int want = 2 * (round + 1);
    atomic_fetch_add(turn, 1);
    for (long i = 0; atomic_load(turn) < want; i++)
        if (i % 1000 == 999)
            usleep(10);
}

static void wait_a_little(unsigned n)
{
    for (volatile unsigned i = 0; i < n; i++)
        ;
}

static void first(int how)
{
    if (how == 1)
        rename("c", "a");
    else
        unlink("a");
}

static void second(int how)
{
    if (how == 2)
        chown("b", 3, 4);
    if (how == 3)
        link("b", "d");
    unlink("b");
}

int main(int argc, char **argv)
{
    int rounds = atoi(argv[1]), how = atoi(argv[2]), type = atoi(argv[3]);

    turn = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (chdir("/d"))
        die("chdir");
    pid_t child = fork();
    for (int i = 0; i < rounds; i++) {
        if (child) {
            unlink("a"), unlink("d");
            if (type ? symlink("x", "a") || symlink("y", "c") : mkfifo("a", 0600) || mkfifo("c", 0600))
                die("make");
            if (link("a", "b") || lchown("a", 1, 2))
                die("link");
        }
        meet(2 * i);
        wait_a_little((unsigned)(child ? i * 7 : i * 5) % 2000);
        child ? first(how) : second(how);
        meet(2 * i + 1);
        if (child)
            unlink("c");
    }
    if (!child)
        return 0;
    unlink("a"), unlink("d");
    int status;
    return waitpid(child, &status, 0) != child || status;
}
"""


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="lxrun-links-") as work:
        root = Path(work, "root")
        (root / "d").mkdir(parents=True)
        subprocess.run(["cc", "-O1", "-static", "-w", "-x", "c", "-", "-o", root / "program"],
                       input=PROGRAM, text=True, check=True)
        for how, what in enumerate(("remove", "replace", "change", "link")):
            for type_, name in enumerate(("FIFO", "symlink")):
                subprocess.run([LXRUN, "-r", root, "/program", ROUNDS, str(how), str(type_)], check=True)
                found = subprocess.run([LXRUN, "--check", root], text=True, capture_output=True)
                lines = found.stdout.splitlines()
                if found.returncode or lines:
                    failures += 1
                    print(f"{what}, {name}: {len(lines)} lines:", *lines[:5], found.stderr, sep="\n",
                          file=sys.stderr)
                subprocess.run([LXRUN, "--check", root, "--repair"], capture_output=True)
    return failures


sys.exit(main() != 0)
