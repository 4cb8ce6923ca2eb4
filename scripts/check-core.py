#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
"""gdb on a core file that the host's kernel wrote of a guest: the thread that ended it stands in the
program's own code, also where that was rewritten; another one, that was in a system call, is followed
through lxcore and the door when gdb knows lxcore's file.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
LXCORE = TOP / "build/lxcore"
failures = 0

PROGRAM = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void load(void *p); // the load is moved, and faults in its slot
__asm__(".globl load\n.type load, @function\n"
        "load:\n.cfi_startproc\nmov 0x100(%rdi), %rdi\nsyscall\nret\n.cfi_endproc\n"
        ".size load, . - load\n");
static int ends[2];
static volatile pid_t waiting;
__attribute__((noinline)) void waits(void)
{
    char c;
    waiting = gettid();
    read(ends[0], &c, 1);
    __asm__("");
}
static char state(pid_t tid)
{
    char name[50], s = 0;
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", tid);
    FILE *f = fopen(name, "r");
    fscanf(f, "%*d (%*[^)]) %c", &s);
    fclose(f);
    return s;
}
static void *thread(void *arg)
{
    waits();
    return arg;
}
__attribute__((noinline)) void does(const char *what)
{
    if (!strcmp(what, "abort"))
        abort();
    if (!strcmp(what, "window"))
        load(0);
    if (!strcmp(what, "fault"))
        *(volatile int *)8 = 0;
    if (!strcmp(what, "raise"))
        raise(SIGSEGV);
    __asm__("");
}
int main(int argc, char **argv)
{
    pthread_t t;
    pipe(ends);
    if (!getenv("ALONE")) {
        pthread_create(&t, NULL, thread, NULL);
        while (!waiting || state(waiting) != 'S')
            usleep(10000);
    }
    does(argv[1]);
    return 0;
}
"""


def expect(what, good, *more):
    global failures
    if not good:
        failures += 1
        print(what, *more, sep="\n", file=sys.stderr)


class Bench:
    def __init__(self, work):
        self.work, self.program = work, work / "program"
        self.env = {**os.environ, "XDG_CACHE_HOME": str(work / "home")}
        source = work / "program.c"
        source.write_text(PROGRAM)
        subprocess.run(["gcc", "-g", "-O1", "-w", "-static", "-pthread", "-o", self.program, source], check=True)

    def core_of(self, front, what, alone):
        core = self.work / "core"
        core.unlink(missing_ok=True)
        env = {**self.env, **({"ALONE": "1"} if alone else {})}
        ran = subprocess.run([*front, self.program, what], cwd=self.work, env=env, check=False,
                             stderr=subprocess.PIPE, text=True)
        found = [core] if core.exists() else list(self.work.glob("core.*"))
        return ran.returncode % 256, found[0].rename(core) if found else None

    def gdb(self, core, *commands):
        ran = subprocess.run(["gdb", "-batch", "-nx", *[a for c in commands for a in ("-ex", c)], self.program, core],
                             capture_output=True, text=True, check=False,
                             env={**self.env, "DEBUGINFOD_URLS": ""})
        return ran.stdout

    def check(self, engine, what, frames, status, alone=False):
        """The innermost frames' functions, of those named, are in that order."""
        name = f"{engine} {what}{' alone' * alone}"
        got, core = self.core_of([LXRUN, f"--trap={engine}"], what, alone)
        expect(f"{name}: status {got}, core {core}", (got, bool(core)) == (status, True))
        if not core:
            return
        text = self.gdb(core, f"add-symbol-file {LXCORE}", "bt", "thread apply all bt", "x/i $pc")
        mine = re.search(r"^#0.*?(?=^\n|\Z)", text[text.index("add symbol"):], re.M | re.S)[0]
        at = [mine.find(f" {f} (") for f in frames]
        expect(f"{name}: {frames}", -1 not in at and at == sorted(at), text)
        if what != "raise": # the last instruction is the guest's own
            expect(f"{name}: innermost frame", "lxcore" not in mine and "door_enter" not in mine, mine)
        if what == "window":
            expect(f"{name}: instruction", re.search(r"mov +0x100\(%rdi\),%rdi", text), text)
        if not alone:
            other = [t for t in text.split("\nThread ") if " waits (" in t]
            expect(f"{name}: the other thread", other and "host_pass" in other[0] and " thread (" in other[0], text)


def main():
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or pattern[:1] == "|" or not pattern.startswith("core"):
        print(f"core files go to {pattern}")
        return 77
    if not shutil.which("gdb"):
        print("no gdb")
        return 77
    try:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    except ValueError:
        hard = 0
    if hard == 0:
        print("no core files are allowed")
        return 77
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        b = Bench(Path(tmp))
        time.sleep(3.1)  # the cache takes no file that changed a moment ago
        subprocess.run([LXRUN, "--rewrite", b.program], env=b.env, check=True, stdout=subprocess.DEVNULL)
        for engine in "rewrite", "seccomp", "sud":
            b.check(engine, "abort", ["abort", "does", "main"], 134)
            b.check(engine, "abort", ["abort", "does", "main"], 134, alone=True)
            b.check(engine, "fault", ["does", "main"], 139)
            b.check(engine, "window", ["load", "does", "main"], 139)
            b.check(engine, "raise", ["raise", "does", "main"], 139)
    return bool(failures)


sys.exit(main())
