#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The engines: what the host is asked, which one is taken, the sentence when there is none, and
what no guest test can show: calls that come by other ways than `syscall`, a changed GS, a child
that asks not to be traced, the tracer's end.
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import expect, failed

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
ENGINES = "rewrite", "sud", "seccomp", "ptrace"

# Runs a program on a host that has not got what the first argument names.
HOST = r"""
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define LOAD(f) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, f))
#define IF(v, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, yes, no)
int main(int argc, char **argv)
{
    unsigned sud = strstr(argv[1], "sud") ? 59 : ~0u;
    unsigned seccomp = strstr(argv[1], "seccomp") ? SYS_seccomp : ~0u;
    unsigned ptrace = strstr(argv[1], "ptrace") ? SYS_ptrace : ~0u;
    struct sock_filter code[] = {
        LOAD(nr), IF(seccomp, 5, 0), IF(ptrace, 4, 0), IF(SYS_prctl, 0, 2), LOAD(args[0]),
        IF(sud, 1, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)};
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        return 99;
    execv(argv[2], argv + 2);
    return 98;
}
"""

PROBE = r"""
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
static int inside(void)
{
    struct utsname u;
    uname(&u);
    return strstr(u.release, "-lxrun") != NULL;
}
int main(int argc, char **argv)
{
    long r;
    int status = 1;
    if (argc > 1) { // GS changed without a call: to nothing, and to what looks like lxcore's
        for (unsigned long i = 0; i < 1000; i++) {
            unsigned long gs = i & 1 ? 0 : 0x7e9000100000 + (i << 18);
            __asm__ volatile("wrgsbase %0" : : "r"(gs));
            if (getppid() != syscall(SYS_getppid) || !inside())
                return 1;
        }
        puts("gs");
        return 0;
    }
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    printf("int 0x80: %ld\n", r);
    printf("inside: %d\n", inside());
    pid_t pid = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(!inside());
    waitpid(pid, &status, 0);
    printf("child inside: %d\n", status == 0);
    return 0;
}
"""


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def compile_program(to, text):
    subprocess.run(["gcc", "-static", "-w", "-mfsgsbase", "-x", "c", "-", "-o", to], check=True,
                   input=text, text=True)


def check_choice(host):
    caught = "lxrun: system calls are caught by: "
    for engine in ENGINES:
        ran = run(LXRUN, "-v", "--trap", engine, "true")
        expect(engine, (ran.returncode, ran.stderr), (0, f"{caught}{engine}\n"))
        lacks = engine if engine != "rewrite" else "sud"
        ran = run(host, lacks, LXRUN, "--trap", engine, "true")
        expect(f"{engine} on a host without", (ran.returncode, ran.stderr.count("\n")), (125, 1))
        expect(f"{engine} says so", ran.stderr.startswith(f"lxrun: --trap={engine}: this "), True)
    for lacks, engine in [("", "rewrite"), ("sud", "seccomp"), ("sud,seccomp", "ptrace")]:
        ran = run(host, lacks, LXRUN, "-v", "true")
        expect(f"auto without {lacks}", (ran.returncode, ran.stderr), (0, f"{caught}{engine}\n"))
    ran = run(host, "sud,seccomp,ptrace", LXRUN, "true")
    expect("a host with nothing", (ran.returncode, ran.stderr.count("\n")), (125, 1))
    ran = run(LXRUN, "--trap=valgrind", "true")
    expect("no such engine", (ran.returncode, ran.stderr.count("\n")), (125, 1))


def check_calls(probe):
    has_gs = "fsgsbase" in Path("/proc/cpuinfo").read_text()
    for engine in ENGINES:
        ran = run(LXRUN, "--trap", engine, probe)
        expect(f"{engine}: calls", ran.stdout,
               "int 0x80: -38\ninside: 1\nchild inside: 1\n")
        if has_gs and engine != "rewrite":
            expect(f"{engine}: GS", run(LXRUN, "--trap", engine, probe, "gs").stdout, "gs\n")


def children(pid):
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []  # it was there for a moment


def descendants(pid):
    found = []
    for child in children(pid):
        found += [int(child), *descendants(child)]
    return found


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return None


def check_tracer_killed():
    lxrun = subprocess.Popen([LXRUN, "--trap=ptrace", "sh", "-c", "sleep 60 & echo ready; wait"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lxrun.stdout.readline()
    there = descendants(lxrun.pid)
    for pid in there:
        if name_of(pid) == "lxrun-tracer\n":
            os.kill(pid, 9)
    _, err = lxrun.communicate(timeout=20)
    expect("the tracer's end", (lxrun.returncode, err),
           (125, "lxrun: the tracer was killed, and the program with it\n"))
    end = time.monotonic() + 20  # they may have no processor to end on
    while True:
        left = [pid for pid in there if Path(f"/proc/{pid}").exists()]
        if not left or time.monotonic() > end:
            break
        time.sleep(0.02)
    expect("left behind", left, [])


def main():
    os.chdir("/")
    with tempfile.TemporaryDirectory() as work:
        host, probe = f"{work}/host", f"{work}/probe"
        compile_program(host, HOST)
        compile_program(probe, PROBE)
        check_choice(host)
        check_calls(probe)
    check_tracer_killed()
    return failed()


if __name__ == "__main__":
    sys.exit(main())
