#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: all
# timeout: 3000
"""A machine loses its power while a guest makes files and syncs them: what fsync has said is on the
disk is there afterwards, with owner, mode, type and attributes, and the rest as it was before an
operation or after it. The machine is the utility VM with an ext4 image, in which lxrun runs
tests/volfs/power.c; its QEMU is killed, and with it goes all that its kernel had not written.

    scripts/check-power-loss.py [--kills N] [--native] [--seed N]

--native: the program alone, on the VM's own kernel: what ext4 itself keeps.
"""
import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = Path(os.environ.get("LXRUN", str(TOP / "build/lxrun")))
BOOT = 300  # seconds that a busy machine may take
ROUNDS, SYNCS = 6, 43  # the steps; syncs in each round of them
USER = 64321


class Wrong(Exception):
    pass


def make_image(work):
    """A small Linux: busybox, lxrun, and the trees of root and of a user."""
    src, busybox = work / "src", shutil.which("busybox")
    for d in "bin", "dev", "proc", "sys", "tmp", "run", "root", "etc", "native", "home":
        (src / d).mkdir(parents=True)
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-static", "-o", src / "bin/power", TOP / "tests/volfs/power.c"], check=True)
    shutil.copy2(busybox, src / "bin/busybox")
    for name in "sh", "su":
        (src / "bin" / name).symlink_to("busybox")
    for name in "lxrun", "lxcore":
        shutil.copy2(LXRUN.parent / name, src / "bin")
    users = [f"u{uid}::{uid}:{uid}::/home/{uid}:/bin/sh\n" for uid in (0, USER)]
    (src / "etc/passwd").write_text("".join(users))
    for uid in 0, USER:
        for d in "tree/bin", "tree/dev", "tree/proc", "tree/sys", "tree/tmp", "tree/t", "cache":
            (src / f"home/{uid}" / d).mkdir(parents=True)
        shutil.copy2(src / "bin/power", src / f"home/{uid}/tree/bin")
        for path in [src / f"home/{uid}", *(src / f"home/{uid}").rglob("*")]:
            os.chown(path, uid, uid)
    image = work / "image"
    subprocess.run([LXRUN, "--to-image", src, image, "2G"], check=True, stdin=subprocess.DEVNULL)
    return image


class Machine:
    def __init__(self, work, native):
        self.image, self.native = make_image(work), native
        self.env = {**os.environ, "XDG_RUNTIME_DIR": str(work), "LXRUN_TEST_VM": str(work)}

    def power(self, uid, *args):
        """A shell's words that run the program."""
        if self.native:
            return f"/bin/power /native/{args[0]} " + " ".join(map(str, args[1:]))
        words = " ".join(map(str, args[1:]))
        return f"su u{uid} -c 'XDG_CACHE_HOME=$HOME/cache lxrun -r $HOME/tree /bin/power /t/{args[0]} {words}'"

    def check(self, uid):
        return "true" if self.native else f"/bin/lxrun --check /home/{uid}/tree"

    def start(self, script):
        return subprocess.Popen([LXRUN, "--vm", "--image", self.image, "sh", "-c", script], env=self.env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def qemus(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"qemu-system-x86_64") and \
                        self.env["LXRUN_TEST_VM"].encode() in Path("/proc", pid, "environ").read_bytes():
                    yield int(pid)
            except OSError:
                pass

    def lose_power(self):
        for pid in self.qemus():
            os.kill(pid, signal.SIGKILL)

    def shut_down(self):
        subprocess.run([LXRUN, "--shutdown"], env=self.env, stdin=subprocess.DEVNULL, timeout=BOOT, check=False)


def loses(machine, before, name, uid, goes, exact):
    """Verifies what was before, then runs until the power goes, with a sync or (not exact) somewhat
    later. What was told last, then."""
    lines, told = [], (-1, -1)
    run = machine.power(uid, name, "run", ROUNDS, goes if exact else -1)
    client = machine.start(f"{before} && echo begins && {run}; echo ends")
    for line in client.stdout:
        lines.append(line)
        if line == "begins\n":
            break
    else:
        raise Wrong(f"{name}: {''.join(lines)}{client.stderr.read()}")
    for n, line in enumerate(client.stdout, 1):
        if line == "ends\n":
            break
        told = tuple(map(int, line.split()))
        if n == goes:
            time.sleep(0 if exact else random.random() * 0.1)
            machine.lose_power()  # what it had told by then is still read
    else:
        client.wait(60)
        return told
    machine.lose_power()
    raise Wrong(f"{name}: ended after {told}: {client.stderr.read()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    opts = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("busybox") or not shutil.which("qemu-system-x86_64"):
        print("needs root, busybox and qemu-system-x86_64")
        return 77
    subprocess.run([TOP / "scripts/vm-kernel.py"], check=True)
    rng, status = random.Random(opts.seed), 0
    syncs = itertools.cycle(rng.sample(range(1, SYNCS + 1), SYNCS))
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="lxrun-power.") as tmp:
        machine, before = Machine(Path(tmp), opts.native), "true"
        try:
            for n in range(opts.kills):
                uid, exact = rng.choice([0, USER]), rng.random() < 0.7
                goes = next(syncs) if exact else rng.randrange(ROUNDS * SYNCS)
                told = loses(machine, before, f"r{n}", uid, goes, exact)
                print(f"{n}: as {uid}: lost {'with' if exact else 'after'} step {told[0]}, operation {told[1]}", flush=True)
                before = f"{machine.power(uid, f'r{n}', 'verify', *told)} && {machine.check(uid)}"
            ran = machine.start(before)
            out, err = ran.communicate(timeout=BOOT)
            if ran.returncode:
                raise Wrong(out + err)
        except Wrong as e:
            print(f"seed {opts.seed}: {e}", file=sys.stderr)
            for log in Path(tmp).glob("lxrun/*.log"):  # they go with the directory
                print(log.name, *log.read_text(errors="replace").splitlines()[-40:], sep="\n", file=sys.stderr)
            status = 1
        finally:
            machine.lose_power()
            machine.shut_down()
    return status


sys.exit(main())
