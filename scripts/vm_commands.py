# SPDX-License-Identifier: MIT
"""What the checks of the utility VM begin with: commands in it, its machines, trees and images."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from expecting import expect

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
BOOT = 300  # seconds that a busy machine may take to emulate a boot


def vm(*args, before=(), **options):
    """The finished `lxrun --vm args`, behind the words of `before`; options as of subprocess.run()."""
    options.setdefault("timeout", BOOT)
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if "input" in options:
        del options["stdin"]
    return subprocess.run([*before, LXRUN, "--vm", *args], capture_output=True, text=True, check=False, **options)


def lxrun(*args, **options):
    """The finished `lxrun args`."""
    options.setdefault("timeout", 120)
    return subprocess.run([LXRUN, *args], capture_output=True, text=True, check=False, **options)


def machines():
    """Process ids of the QEMUs that were started for this test."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
            mine = os.environ["LXRUN_TEST_VM"].encode() in Path("/proc", pid, "environ").read_bytes()
        except OSError:
            continue
        if mine and words[0].endswith(b"qemu-system-x86_64"):
            found.append(int(pid))
    return found


def wait_for(what, condition, seconds=120):
    """Returns when condition() is true; fails as `what` when it is not so soon."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            expect(what, "nothing within %d s" % seconds, "it happens")
            return
        time.sleep(0.05)


def shutdown():
    """Ends all machines, and is sure of it."""
    ran = subprocess.run([LXRUN, "--shutdown"], capture_output=True, text=True, timeout=BOOT, check=False)
    expect("--shutdown", (ran.returncode, ran.stderr), (0, ""))
    expect("machines after --shutdown", machines(), [])


def make_tree(tree):
    """A tree with a shell and what lxrun keeps in attributes, made under lxrun."""
    for d in "bin", "etc", "tmp", "proc", "sys", "dev", "mnt":
        (tree / d).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    (tree / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nu:x:1000:100::/tmp:/bin/sh\n")
    (tree / "etc/group").write_text("users:x:100:\nmore:x:7:u\n")
    subprocess.run([LXRUN, "--root", tree, "/bin/sh", "-c",
                    "echo secret >/etc/s && busybox chown 1000:7 /etc/s && busybox chmod 4640 /etc/s && "
                    "busybox mknod /etc/null c 1 3 && busybox chmod 666 /etc/null && "
                    "busybox ln -s s /etc/l && busybox chown -h 5:6 /etc/l"], check=True, timeout=60)


def used(image):
    """MiB of the host's disk."""
    return image.stat().st_blocks / 2048


def cache():
    """Where scripts/vm-kernel.py puts the kernel."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "lxrun/vm")
