#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 1800
"""What becomes of a VM whose kernel does not come up at first. In front of QEMU stands a script that
behaves for some starts as such a kernel does (vm/keeper.c)."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import expect, failed
from vm_commands import BOOT, LXRUN, TOP, cache, lxrun, machines, make_tree, vm

BY_SCRIPT = b"] fake:"
SAYS = 'echo "[    0.251864] fake: APIC frequency too slow, disabling apic timer"; exec sleep 1000'
RATE = 'echo "[    0.251864] fake: ..... host bus clock speed is 43.1275 MHz."; exec sleep 1000'
SAYS_LATER = '(sleep 1; echo "[    0.251864] fake: APIC frequency too slow, disabling apic timer") &'
WORKS = "(while :; do :; done) & while :; do :; done"  # until it has had the processor time of several boots
ENDS = "echo the last word; exit 3"
LATE = ["strace", "-o", "/dev/null", "-e", "trace=connect", "-e", "inject=connect:delay_enter=500000:when=3"]


def fake(work, times, what):
    """A directory for PATH, and a file with one line for each start."""
    real, directory = shutil.which("qemu-system-x86_64"), work / "bin"
    directory.mkdir(exist_ok=True)
    starts, script = work / "starts", directory / "qemu-system-x86_64"
    starts.write_text("")
    script.write_text(f'#!/bin/sh\necho start >>{starts}\nif [ "$(wc -l <{starts})" -le {times} ]; then\n{what}\nfi\n'
                      f'exec {real} "$@"\n')
    script.chmod(0o755)
    return directory, starts


def lost_timers(work):
    """How many kernels have found their timer's rate to be wrong, that of none at all too. On a busy machine real ones do."""
    lines = [line for log in work.glob("lxrun/*.log") for line in log.read_bytes().splitlines() if BY_SCRIPT not in line]
    rates = [int(m[1]) for m in (re.search(rb"host bus clock speed is (\d+)\.\d+ MHz", line) for line in lines) if m]
    return sum(not 500 <= mhz <= 2000 for mhz in rates)


def boot(work, run, times, what, before=()):
    """(the finished command, how often a machine was started for no reason of a real kernel's, seconds)"""
    directory, starts = fake(work, times, what)
    for log in work.glob("lxrun/*.log"):
        log.unlink()
    begin = time.monotonic()
    ran = vm("-v", *run, "busybox", "echo", "up", before=before,
             env={**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(work / "cache")})
    took = time.monotonic() - begin
    subprocess.run([LXRUN, "--shutdown"], check=False, timeout=BOOT)
    expect("machines behind --shutdown", machines(), [])
    return ran, len(starts.read_text().splitlines()) - lost_timers(work), took


def main():
    os.environ["LXRUN_TEST_VM"] = f"{os.getpid()}.{time.time()}"
    subprocess.run([TOP / "scripts/vm-kernel.py"], check=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as work:
        work = Path(work)
        os.environ["XDG_RUNTIME_DIR"] = str(work)
        known = work / "cache/lxrun/vm"
        known.mkdir(parents=True)
        for name in "vmlinux", "modules.cpio":
            (known / name).symlink_to(cache() / name)
        # KVM, which is tried once, is another matter.
        kernel = (known / "vmlinux").stat()
        (known / "no-kvm").write_text(f"{os.uname().release} {os.uname().version}; "
                                      f"{kernel.st_size} bytes of {int(kernel.st_mtime)}\n")
        tree, image = work / "tree", work / "image"
        make_tree(tree)
        lxrun("--to-image", tree, image, "64MB")
        for root in ["--image", image], ["--root", tree]:
            ran, starts, took = boot(work, root, 0, ":")
            said = re.search(r"; it took (\d+\.\d\d\d) s to start\n$", ran.stderr)
            expect(f"a boot {root[0]}", (ran.returncode, ran.stdout, starts, bool(said)), (0, "up\n", 1, True))
            expect("the time that it says", said and 0.1 < float(said[1]) <= took, True)
        ran, starts, _ = boot(work, ["--image", image], 2, SAYS)
        expect("a kernel that says that it has no timer", (ran.returncode, ran.stdout, starts), (0, "up\n", 3))
        expect("that it was not the first", "to start, and more than one attempt" in ran.stderr, True)
        # This one has its image locked, under lxrun.
        ran, starts, _ = boot(work, ["--image", image, "-b", f"{work}:/mnt"], 1, SAYS_LATER)
        expect("one that has begun", (ran.returncode, ran.stdout, starts + lost_timers(work) > 1), (0, "up\n", True))
        ran, starts, _ = boot(work, ["--image", image], 1, RATE)
        expect("a kernel that says a wrong rate", (ran.returncode, ran.stdout, starts), (0, "up\n", 2))
        ran, starts, _ = boot(work, ["--root", tree], 1, WORKS)
        expect("one that works and works", (ran.returncode, ran.stdout, starts), (0, "up\n", 2))
        ran, starts, _ = boot(work, ["--image", image], 9, ENDS)
        expect("one that ends", (ran.returncode, ran.stdout, starts), (125, "", 1))
        expect("what it says of that", (ran.stderr.count("\n"), "did not boot: it ended; its last words" in ran.stderr,
                                        ran.stderr.endswith(": the last word\n")), (1, True, True))
        # It may end before who has started it comes to ask.
        ran, starts, _ = boot(work, ["--image", image], 9, ENDS, LATE if shutil.which("strace") else ())
        expect("one that ends at once", (ran.returncode, starts, ran.stderr.endswith(": the last word\n")), (125, 1, True))
    return failed()


if __name__ == "__main__":
    sys.exit(main())
