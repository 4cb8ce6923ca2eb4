#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 120
"""A guest's kill(-1) reaches the guest's processes and nobody else's, also while these end and others
begin. The signal is one that does nothing to who does not ask for it; this script does, as a process of
the host by the same user."""
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAM = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int got;
static void handler(int sig) { (void)sig; got++; }

int main(int argc, char **argv)
{
    int who = atoi(argv[1]);
    time_t end = time(NULL) + atoi(argv[2]);

    signal(SIGWINCH, handler);
    for (int i = 0; i < 2; i++)
        if (fork() == 0) {
            while (time(NULL) < end) { // who come and go
                pid_t pid = fork();
                if (pid == 0)
                    _exit(0);
                while (waitpid(pid, NULL, 0) != pid)
                    ;
            }
            _exit(!got);
        }
    while (time(NULL) < end)
        kill(who, SIGWINCH);
    int status, missed = argc != 3;
    while (wait(&status) > 0)
        missed |= status;
    return !!missed;
}
"""


def main():
    hit = []
    signal.signal(signal.SIGWINCH, lambda *_: hit.append(1))
    with tempfile.TemporaryDirectory() as tmp:
        source = Path(tmp) / "storm.c"
        source.write_text(PROGRAM)
        program = str(Path(tmp) / "storm")
        subprocess.run(["gcc", "-O1", "-static", "-o", program, source], check=True)
        for engine in "auto", "sud":
            p = subprocess.run([TOP / "build/lxrun", f"--trap={engine}", program, "-1", "6"], check=False,
                               start_new_session=True)
            if p.returncode:
                print(f"--trap={engine}: exit status {p.returncode}", file=sys.stderr)
                return 1
    if hit:
        print(f"a guest's kill(-1) reached a process of the host, {len(hit)} times", file=sys.stderr)
    return bool(hit)


sys.exit(main())
