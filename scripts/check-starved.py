#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What vm/starved.c says of a machine that shares one processor with somebody else, of one that has
two threads, and of one that sleeps."""
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAM = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "machine.h"

#define ENOUGH 1000 // ms

static void *spin(void *unused) { for (;;) ; return unused; }
static void *rest(void *unused) { for (;;) pause(); return unused; }

// A process group of its own, on the first processor that we have; one thread more does the work.
static struct machine start(void *(*work)(void *))
{
    struct machine m = {.pid = fork()};
    if (m.pid)
        return m;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_t t;
    pthread_create(&t, NULL, work, NULL);
    rest(NULL);
    exit(1);
}

int main(void)
{
    cpu_set_t all, one;
    sched_getaffinity(0, sizeof all, &all);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    struct machine a = start(spin), b = start(spin), idle = start(rest);
    long ran = 0, waited = 0, ran2, waited2, had;
    machine_times(&idle, &ran2, &waited2);
    for (had = -1; had != ran2 + waited2; machine_times(&idle, &ran2, &waited2)) {
        had = ran2 + waited2; // it sleeps when that stands: to get there it waited for the processor, too
        usleep(500000);
    }
    for (int i = 0; ran + waited < ENOUGH && i < 600; i++) {
        usleep(100000);
        machine_times(&a, &ran, &waited);
    }
    // It had no more than half of the processor, and somebody else the rest.
    int good = ran > 0 && waited >= ENOUGH / 3 && ran + waited >= ENOUGH;
    printf("shares: ran %ld waited %ld\n", ran, waited);
    machine_times(&idle, &ran2, &waited2);
    printf("sleeps: ran %ld waited %ld\n", ran2, waited2);
    good = good && ran2 + waited2 - had < ENOUGH / 4;
    kill(a.pid, SIGKILL);
    kill(b.pid, SIGKILL);
    kill(idle.pid, SIGKILL);
    machine_times(&(struct machine){.pid = 1 << 30}, &ran2, &waited2);
    return !(good && ran2 == 0 && waited2 == 0);
}
"""


def main():
    with tempfile.TemporaryDirectory() as work:
        program = Path(work, "starved")
        subprocess.run(["gcc", "-Wall", "-O1", "-pthread", "-iquote", TOP / "include", "-iquote", TOP / "vm", "-o",
                        program, "-x", "c", "-", TOP / "vm/starved.c"], input=PROGRAM, text=True, check=True)
        return subprocess.run([program], check=False).returncode


sys.exit(main())
