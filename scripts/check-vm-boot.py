#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
"""What becomes of a VM whose kernel does not come up at first. In front of QEMU stands a script that
behaves for some starts as such a kernel does (vm/keeper.c)."""
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("check_vm", Path(__file__).with_name("check-vm.py"))
base = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(base)
expect = base.expect

SAYS = 'echo "[    0.251864] APIC frequency too slow, disabling apic timer"; exec sleep 1000'
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


def boot(work, run, times, what, before=()):
    """(the finished command, how often a machine was started, seconds)"""
    directory, starts = fake(work, times, what)
    begin = time.monotonic()
    ran = base.vm("-v", *run, "busybox", "echo", "up", before=before,
                  env={**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(work / "cache")})
    took = time.monotonic() - begin
    subprocess.run([base.LXRUN, "--shutdown"], check=False, timeout=base.BOOT)
    return ran, len(starts.read_text().splitlines()), took


def main():
    os.environ["LXRUN_TEST_VM"] = f"{os.getpid()}.{time.time()}"
    subprocess.run([base.TOP / "scripts/vm-kernel.py"], check=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as work:
        work = Path(work)
        os.environ["XDG_RUNTIME_DIR"] = str(work)
        known = work / "cache/lxrun/vm"
        known.mkdir(parents=True)
        for name in "vmlinux", "modules.cpio":
            (known / name).symlink_to(base.cache() / name)
        # KVM, which is tried once, is another matter.
        kernel = (known / "vmlinux").stat()
        (known / "no-kvm").write_text(f"{os.uname().release} {os.uname().version}; "
                                      f"{kernel.st_size} bytes of {int(kernel.st_mtime)}\n")
        tree, image = work / "tree", work / "image"
        base.make_tree(tree)
        base.lxrun("--to-image", tree, image, "64MB")
        for root in ["--image", image], ["--root", tree]:
            for _ in range(3):  # a busy machine's kernel can really lose its timer, but then it says so
                ran, starts, took = boot(work, root, 0, ":")
                if starts == 1 or not any(b"disabling apic timer" in p.read_bytes() for p in work.glob("lxrun/*.log")):
                    break
            said = re.search(r"; it took (\d+\.\d\d\d) s to start\n$", ran.stderr)
            expect(f"a boot {root[0]}", (ran.returncode, ran.stdout, starts, bool(said)), (0, "up\n", 1, True))
            expect("the time that it says", said and 0.1 < float(said[1]) <= took, True)
        ran, starts, _ = boot(work, ["--image", image], 2, SAYS)
        expect("a kernel that says that it has no timer", (ran.returncode, ran.stdout, starts), (0, "up\n", 3))
        expect("that it was not the first", "to start, and more than one attempt" in ran.stderr, True)
        ran, starts, _ = boot(work, ["--root", tree], 1, WORKS)
        expect("one that works and works", (ran.returncode, ran.stdout, starts), (0, "up\n", 2))
        ran, starts, _ = boot(work, ["--image", image], 9, ENDS)
        expect("one that ends", (ran.returncode, ran.stdout, starts), (125, "", 1))
        expect("what it says of that", (ran.stderr.count("\n"), "did not boot: it ended; its last words" in ran.stderr,
                                        ran.stderr.endswith(": the last word\n")), (1, True, True))
        # It may end before who has started it comes to ask.
        ran, starts, _ = boot(work, ["--image", image], 9, ENDS, LATE if shutil.which("strace") else ())
        expect("one that ends at once", (ran.returncode, starts, ran.stderr.endswith(": the last word\n")), (125, 1, True))
    return base.failures > 0


if __name__ == "__main__":
    sys.exit(main())
