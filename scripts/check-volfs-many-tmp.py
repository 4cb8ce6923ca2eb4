#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 1200
"""Random file operations of several users, natively as root and under lxrun, as root and as an
ordinary user of the host: each result and the whole tree must be the same (tests/volfs/ops.c). Then
lxrun --check finds nothing, and a copy of the tree by cp, tar and rsync is the same tree to a guest.

    scripts/check-volfs.py [--long | --few] [--dir DIR [--beside]] [--home DIR] [--seed N] [--nested]

--long: a million operations. --dir: where the trees are made (default /var/tmp); --home: the native
ones (default: in DIR): scripts/check-volfs-fs.sh goes through file systems. --beside: DIR keeps no attributes of
users (fs/attrstore.c), so the native trees are made in /var/tmp, and times, which such a simple file
system changes less often, and links of directories are not compared. Copies made on the host would
have lost the attributes. --nested: all is done in a guest of another lxrun.
"""
import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = Path(os.environ.get("LXRUN", str(TOP / "build/lxrun")))
USER = 64321
DIRS = "t", "bin", "dev", "proc", "sys"
COPIES = {
    "cp -a": "cp -a . {to}",
    "tar --xattrs": "tar --xattrs --xattrs-include='*' -cf - . | tar --xattrs --xattrs-include='*' -p -xf - -C {to}",
    "rsync -aHX": "rsync -aHX --super . {to}",
}


class Differs(Exception):
    pass


def shorten(text):
    return text[:3000] + ("..." if len(text) > 3000 else "")


def compare(what, want, got):
    """Tells the first difference of two logs, with what led to it."""
    if Guest.beside:
        want, got = (re.sub(r"( dir .* n=)\d+|( s=\d+ )(?:now|\d{7}\.\d)", r"\1\2", x) for x in (want, got))
    if want == got:
        return
    a, b = want.splitlines(), got.splitlines()
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    diff = difflib.unified_diff(a[max(0, at - 2):at + 8], b[max(0, at - 2):at + 8], "expected", what, lineterm="", n=2)
    raise Differs(f"{what}: line {at + 1}\n" + shorten("\n".join(diff)))


class Guest:
    """A tree of its own, run by host user uid."""

    beside = nested = False

    def __init__(self, work, ops, uid, name):
        self.work, self.uid = work / f"{name}.{uid}", uid
        self.front = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        self.top = self.work / "tree"
        for d in DIRS:
            (self.top / d).mkdir(parents=True)
        (self.work / "cache").mkdir()
        shutil.copy2(ops, self.top / "bin/ops")
        for path in [self.work, *self.work.rglob("*")]:
            os.chown(path, uid, uid)
        self.lxrun = str(work / "lxrun")
        if self.nested:
            self.front += [self.lxrun]

    def run(self, *args, top=None):
        env = {**os.environ, "XDG_CACHE_HOME": str(self.work / "cache")}
        ran = subprocess.run([*self.front, self.lxrun, "-r", str(top or self.top), "/bin/ops", *args], env=env,
                             cwd="/", capture_output=True, text=True, errors="backslashreplace", check=False)
        if ran.returncode:
            raise Differs(f"ops {args} as {self.uid}: status {ran.returncode}\n{shorten(ran.stderr)}")
        return ran.stdout

    def check(self, what, top=None):
        if self.beside:
            return
        ran = subprocess.run([*self.front, self.lxrun, "--check", str(top or self.top)], check=False,
                             capture_output=True, text=True, errors="backslashreplace")
        if ran.returncode or ran.stdout:
            raise Differs(f"{what} as {self.uid}: --check\n{shorten(ran.stdout + ran.stderr)}")

    def copies(self, what):
        tree = self.run("dump")
        if self.beside:
            return
        for name, command in COPIES.items():
            if not shutil.which(name.split()[0]):
                continue
            to = self.work / "copy"
            to.mkdir()
            os.chown(to, self.uid, self.uid)
            ran = subprocess.run([*self.front, "sh", "-c", command.format(to=to)], cwd=self.top, check=False,
                                 capture_output=True, text=True, errors="backslashreplace")
            if ran.returncode:
                raise Differs(f"{what}, {name} as {self.uid}: status {ran.returncode}\n{shorten(ran.stderr)}")
            compare(f"{what}, {name} as {self.uid}", tree, self.run("dump", top=to))
            self.check(f"{what}, {name}", to)
            shutil.rmtree(to)


def native(work, ops, name, *args):
    top = work / f"{name}.native"
    for d in DIRS:
        (top / d).mkdir(parents=True)
    ran = subprocess.run([ops, *args, "chroot", top], capture_output=True, text=True, check=False,
                         errors="backslashreplace")
    if ran.returncode:
        raise Differs(f"natively: ops {args}: status {ran.returncode}\n{ran.stderr}")
    logs = {f.name: f.read_text(errors="backslashreplace") for f in top.glob("log.*")}
    shutil.rmtree(top)
    return ran.stdout, logs


def one_sequence(home, work, ops, seed, count):
    name = f"seed-{seed}"
    want, _ = native(home, ops, name, str(seed), str(count))
    for uid in 0, USER:
        guest = Guest(work, ops, uid, name)
        compare(f"{name} as {uid}", want, guest.run(str(seed), str(count)))
        guest.check(name)
        guest.copies(name)
        shutil.rmtree(guest.work)


def with_links(home, work, ops, seed, count):
    """Copies are not compared (docs/limits.md)."""
    name = f"links-{seed}"
    want, _ = native(home, ops, name, str(seed), str(count), "links")
    for uid in 0, USER:
        guest = Guest(work, ops, uid, name)
        compare(f"{name} as {uid}", want, guest.run(str(seed), str(count), "links"))
        guest.check(name)
        shutil.rmtree(guest.work)


def many_at_once(home, work, ops, seed, count):
    name = f"many-{seed}"
    _, want = native(home, ops, name, str(seed), str(count), "many", "3")
    for uid in 0, USER:
        guest = Guest(work, ops, uid, name)
        guest.run(str(seed), str(count), "many", "3")
        for log, text in want.items():
            compare(f"{name}, {log} as {uid}", text, (guest.top / log).read_text(errors="backslashreplace"))
        guest.check(name)
        guest.copies(name)
        shutil.rmtree(guest.work)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--dir", default="/var/tmp")
    parser.add_argument("--home")
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--nested", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    opts = parser.parse_args()
    if os.geteuid() != 0:
        print("the native half needs root")
        return 77
    sequences, count, together, many = ((45, 20000, 10, 5000) if opts.long else
                                        (2, 1000, 1, 300) if opts.few else (8, 5000, 2, 1500))
    failed = 0
    with tempfile.TemporaryDirectory(dir=opts.home or ("/var/tmp" if opts.beside else opts.dir)) as home, \
            tempfile.TemporaryDirectory(dir=opts.dir) as tmp:
        home, work = Path(home), Path(tmp)
        for d in home, work:
            d.chmod(0o755)
        for name in "lxrun", "lxcore", "lxcore-nested":  # where the user can reach them
            shutil.copy2(LXRUN.parent / name, work)
        ops = home / "ops"
        subprocess.run(["gcc", "-O1", "-static", "-o", ops, TOP / "tests/volfs/ops.c"], check=True)
        Guest.beside, Guest.nested = opts.beside, opts.nested
        with ThreadPoolExecutor(2) as pool:
            jobs = []
            if not opts.beside:  # ramfs tells no time of birth (fs/sidelink.c)
                jobs += [] and [pool.submit(with_links, home, work, ops, opts.seed + i, count) for i in range(12)]
            jobs += [pool.submit(many_at_once, home, work, ops, opts.seed + i, many) for i in range(12)]
            for job in jobs:
                try:
                    job.result()
                except Differs as e:
                    failed += 1
                    print(e, file=sys.stderr)
    return bool(failed)


sys.exit(main())
