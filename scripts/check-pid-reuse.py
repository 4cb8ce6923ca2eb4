#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""When the host gives the id of a guest's process that is gone, waited for or taken away by the host alone (SIGCHLD
ignored), to a process of its own, the guest must neither see nor signal that one. When it is given to one of the guest's before
the parent that waited for the last one has taken note of that, that one is there for all. And where
parent and child make the child's record at the same time, what the child then changes is seen.

Process ids are chosen in a namespace of its own, where nobody else's can be hit."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

LAST_PID = "/proc/sys/kernel/ns_last_pid"
LXRUN = os.environ.get("LXRUN", "build/lxrun")
GUEST = r"""
trap '' TERM
sleep 60 & child=$!
sleep 0.3 # it is registered now
kill -KILL $child; wait $child
echo $child; read answer
kill -TERM $child && echo "kill: reached it"
[ -e /proc/$child ] && echo "/proc: shows it"
(trap '' TERM; kill -TERM -1)
echo end
"""
# The parent hears of the end of its child three seconds after the number is free. If by then the other has not got it, on a
# busy machine, all begins anew.
AGAIN = r"""
mkfifo /tmp/go
(read x </tmp/go; sleep 9 & echo $! >/tmp/made; wait) & other=$!
sleep 1 & child=$!
echo $child
wait $child
made=
[ -e /tmp/made ] && read made </tmp/made
[ "$made" = $child ] || { echo anew; kill -KILL $other $made; exit; }
kill -0 $child && [ -e /proc/$child ] && echo there
kill -KILL $other $child
"""
SLOWLY = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=waitid", "-e", "inject=waitid:delay_exit=3000000"]


# A record is begun, then the clock is asked, then it is there: parent and child both have begun.
TOGETHER = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=sched_yield,clock_gettime", "-e",
            "inject=clock_gettime:delay_enter=300000"]
CHANGES = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int done[2];
    char line[4096];
    for (int i = 0; i < 3; i++) {
        if (!i && pipe(done))
            return 1;
        pid_t child = fork();
        if (!child) {
            if (setresuid(1000, 1000, 1000) || write(done[1], "x", 1) != 1)
                _exit(1);
            pause();
        }
        if (child < 0 || read(done[0], line, 1) != 1)
            return 1;
        snprintf(line, sizeof line, "/proc/%d/status", child);
        FILE *f = fopen(line, "r");
        while (f && fgets(line, sizeof line, f))
            if (!strncmp(line, "Uid:", 4))
                fputs(line, stdout);
        if (f)
            fclose(f);
        fflush(stdout);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return 0;
}
"""


def process_with_id(pid):
    """A host process of that very id, or None."""
    for _ in range(200):
        with open(LAST_PID, "w") as f:
            f.write(str(pid - 1))
        p = subprocess.Popen(["sleep", "60"])
        if p.pid == pid:
            return p
        p.kill()
        p.wait()
    return None


def check_other(root, first):
    guest = subprocess.Popen([LXRUN, "-r", root, "/bin/sh", "-c", first + GUEST],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
    pid = int(guest.stdout.readline())
    other = process_with_id(pid)
    out, _ = guest.communicate("go\n", timeout=30)
    if not other:
        print("the host never gave out the id")
        return 77
    alive = other.poll() is None
    other.kill()
    other.wait()
    if out == "end\n" and alive:
        return 0
    print(out, "the host's process lives" if alive else "the host's process was killed")
    return 1


def try_again(root):
    for name in "go", "made":
        if os.path.exists(f"{root}/tmp/{name}"):
            os.unlink(f"{root}/tmp/{name}")
    guest = subprocess.Popen([*SLOWLY, LXRUN, "-r", root, "/bin/sh", "-c", AGAIN], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
    pid = int(guest.stdout.readline())
    while os.path.exists(f"/proc/{pid}"):
        time.sleep(0.01)
    with open(LAST_PID, "w") as f:
        f.write(str(pid - 1))
    with open(root + "/tmp/go", "w") as go:
        go.write("x\n")
    out, _ = guest.communicate(timeout=60)
    return out


def check_again(root):
    for _ in range(10):
        out = try_again(root)
        if out != "anew\n":
            break
    if out != "there\n":
        print("a process with the number of one that was just waited for is not there")
    return out != "there\n"


def check_together(root):
    subprocess.run(["gcc", "-static", "-O1", "-o", f"{root}/changes", "-x", "c", "-"], input=CHANGES, text=True,
                   check=True)
    ran = subprocess.run([*TOGETHER, LXRUN, "-r", root, "/changes"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True, timeout=100, check=False)
    wrong = ran.stdout.split() != ["Uid:", "1000", "1000", "1000", "1000"] * 3
    if wrong:
        print(f"a child that changed its ids is shown with others:\n{ran.stdout}")
    return wrong


def main():
    if sys.argv[1:] != ["inside"]:
        namespace = ["unshare", "--pid", "--fork", "--mount-proc"]
        if subprocess.run([*namespace, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
            print("the host permits no process-id namespace")
            return 77
        return subprocess.run([*namespace, sys.argv[0], "inside"], check=False).returncode
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(root + "/bin")
        for d in "proc", "dev", "tmp":
            os.mkdir(f"{root}/{d}")
        subprocess.run(["cp", "/bin/busybox", root + "/bin/busybox"], check=True)
        for name in "sh", "sleep", "mkfifo":
            os.symlink("busybox", f"{root}/bin/{name}")
        wrong = check_other(root, "") or check_other(root, "trap '' CHLD")
        if wrong:
            return wrong
        if not shutil.which("strace"):
            print("records made together, and the number of one that was just waited for, are not tested: no strace")
            return 0
        return check_together(root) or check_again(root)


sys.exit(main())
