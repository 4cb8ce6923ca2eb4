#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: all
# timeout: 1200
"""What a VM takes of the host and gives back: 2 GB on its disk, and memory."""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import expect, failed
from vm_commands import LXRUN, TOP, lxrun, make_tree, used, vm, wait_for


def resident():
    """MiB of QEMU, whose memory is a shared file, and of lxrun's own processes."""
    total = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            mine = os.environ["LXRUN_TEST_VM"].encode() in Path("/proc", pid, "environ").read_bytes()
            comm = Path("/proc", pid, "comm").read_text()
            if mine and comm.startswith(("qemu", "lxrun")):
                status = Path("/proc", pid, "status").read_text()
                total += int(status.split("VmRSS:")[1].split()[0])
        except OSError:
            pass
    return total / 1024


def check_disk(run, image):
    before = used(image)
    ran = vm(*run, "sh", "-c", "busybox dd if=/dev/urandom of=/tmp/seed bs=1M count=16 2>/dev/null; i=0; "
             "while [ $i -lt 128 ]; do busybox cat /tmp/seed >>/tmp/big; i=$((i+1)); done; busybox sync; "
             "busybox stat -c %s /tmp/big", timeout=600)
    full = used(image)
    expect("2 GB are written", (ran.stdout, ran.stderr, full > before + 2000), (f"{2048 << 20}\n", "", True))
    vm(*run, "sh", "-c", "busybox rm /tmp/big /tmp/seed; busybox sync", timeout=600)
    # The MiB is for what ext4 keeps: an inode table and bitmaps that came into use.
    wait_for("2 GB leave the file", lambda: used(image) < before * 1.05 + 1, 300)
    # Without discard it is the trim after the command that does it.
    vm(*run, "sh", "-c", "busybox mount -o remount,nodiscard /; busybox cat /bin/busybox >/tmp/seed; i=0; "
       "while [ $i -lt 100 ]; do busybox cat /tmp/seed >>/tmp/big; i=$((i+1)); done; busybox sync; "
       "busybox rm /tmp/big /tmp/seed; busybox sync", timeout=600)
    untrimmed = used(image)
    expect("nothing leaves the file at once", untrimmed > before + 50, True)
    wait_for("a trim", lambda: used(image) < before * 1.05 + 1, 60)
    print(f"the image without discard: {untrimmed:.1f} MiB, {used(image):.1f} after a trim")
    print(f"the image: {before:.1f} MiB, {full:.1f} when full, {used(image):.1f} after")


def check_memory(run, image):
    disk = used(image)
    vm(*run, "busybox", "true")
    wait_for("at most 150 MiB when idle", lambda: resident() <= 150)
    idle = resident()
    ran = vm(*run, "sh", "-c", "busybox mount -t tmpfs t /mnt; busybox dd if=/dev/urandom of=/mnt/x bs=1M count=300 2>/dev/null; "
             "echo done; read x; busybox umount /mnt", input="\n")
    expect("300 MiB of memory", (ran.stdout, ran.stderr), ("done\n", ""))
    wait_for("memory comes back", lambda: resident() <= 150, 90)
    used = resident()
    vm(*run, "sh", "-c", "i=0; while [ $i -lt 200 ]; do busybox cat /bin/busybox >>/tmp/big; i=$((i+1)); done; "
       "busybox sync; busybox cat /tmp/big >/dev/null")
    cached = resident()
    expect("files are kept in memory", cached > idle + 100, True)
    wait_for("the cache comes back", lambda: resident() <= 150, 90)
    vm(*run, "sh", "-c", "busybox rm /tmp/big; busybox sync")
    wait_for("the files leave the disk", lambda: used(image) < disk + 5, 60)
    print(f"resident: {idle:.0f} MiB when idle, {used:.0f} after 300 MiB were used, {cached:.0f} with files in "
          f"the cache, {resident():.0f} after")


def main():
    os.environ["LXRUN_TEST_VM"] = f"{os.getpid()}.{time.time()}"
    subprocess.run([TOP / "scripts/vm-kernel.py"], check=True)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
        work = Path(work)
        os.environ["XDG_RUNTIME_DIR"] = str(work)
        tree, image = work / "tree", work / "image"
        make_tree(tree)
        lxrun("--to-image", tree, image, "4GB")
        run = ["--image", str(image), "--vm-set", "vmIdleTimeout=-1"]
        try:
            check_memory(run, image)
            check_disk(run, image)
        finally:
            subprocess.run([LXRUN, "--shutdown"], check=False, timeout=60)
    return failed()


if __name__ == "__main__":
    sys.exit(main())
