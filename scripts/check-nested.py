#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 900
"""lxrun inside lxrun, as root and as an ordinary user of the host: owners, modes, device nodes, links
and attributes of a guest's guest are kept beside those of the guest, also by copies that the guest
makes; exit status and signals come through; deeper, and engines that cannot be had there, are
refused with a sentence. Then the random file operations of check-volfs.py."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from expecting import expect, failed

TOP = Path(__file__).resolve().parent.parent
USER = 64321
MAKE = """
cd /t; echo text >f; chown 5:6 f; chmod 4751 f; mkdir d; chown 7:8 d; chmod 1770 d
mknod null c 1 3; chown 9:10 null; mknod disk b 8 1; mkfifo p; chown 11 p; ln -s f s; chown -h 12:13 s; ln p p2
"""
LOOK = "cd /t; stat -c '%n %F %u:%g %a %t:%T %h' f d null disk p p2 s; readlink s; cat f; echo gone >null; cat null"


def run(front, *args):
    p = subprocess.run([*front, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       cwd="/", check=False, timeout=300)
    return p.returncode, p.stdout


def tree(work, uid):
    """A root with the host's own busybox."""
    root = work / f"root.{uid}"
    for d in "bin", "t", "tmp", "dev", "proc", "sys", "etc":
        (root / d).mkdir(parents=True)
    shutil.copy2("/bin/busybox", root / "bin")
    for name in "sh", "stat", "chown", "chmod", "mkdir", "mknod", "mkfifo", "ln", "cat", "readlink", "kill", "true":
        os.symlink("busybox", root / "bin" / name)
    for path in [root, *root.rglob("*")]:
        os.chown(path, uid, uid, follow_symlinks=False)
    return root


def one(work, uid):
    as_user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
    outer, inner = [*as_user, work / "lxrun"], [*as_user, work / "lxrun", work / "lxrun"]
    root, who = tree(work, uid), f"as {uid}"
    expect(f"{who}: make", run(inner, "-r", root, "sh", "-ec", MAKE), (0, ""))
    want = run(["chroot"], native(work), "/bin/sh", "-c", LOOK)
    expect(f"{who}: seen again", run(inner, "-r", root, "sh", "-c", LOOK), want)
    # To the guest in between they are the files of an lxrun: its own, and no devices.
    status, text = run(outer, "-r", root, "stat", "-c", "%F %u", "/t/null", "/t/s")
    expect(f"{who}: between", (status, text), (0, "symbolic link 0\n" * 2))
    status, text = run(outer, "stat", "-c", "%s", f"{root}/t/null")
    expect(f"{who}: length of a node's link", (status, text), (0, "300\n"))
    # A guest's own copy keeps what belongs to its guests.
    copy = work / f"copy.{uid}"
    expect(f"{who}: cp -a", run(outer, "cp", "-a", root, copy), (0, ""))
    expect(f"{who}: copied", run(inner, "-r", copy, "sh", "-c", LOOK), want)
    expect(f"{who}: --check", run(outer, work / "lxrun", "--check", root), (0, ""))

    expect(f"{who}: status", run(inner, "-r", root, "sh", "-c", "exit 7")[0], 7)
    expect(f"{who}: signal", run(inner, "-r", root, "sh", "-c", "kill -TERM $$; cat")[0], 143)
    status, text = run(outer, work / "lxrun", work / "lxrun", "true")
    expect(f"{who}: deeper", (status, "deeper" in text), (125, True))
    for engine in "rewrite", "ptrace":
        status, text = run(outer, work / "lxrun", f"--trap={engine}", "-r", root, "true")
        expect(f"{who}: --trap={engine}", (status, engine in text), (125, True))
    # By a filter that the outer one runs.
    seen = run(outer, work / "lxrun", "--trap=seccomp", "-r", root, "sh", "-c", LOOK)
    expect(f"{who}: --trap=seccomp", seen, want)


def native(work):
    root = work / "native"
    if not root.exists():
        tree(work, 0).rename(root)
        run(["chroot"], root, "/bin/sh", "-ec", MAKE)
    return root


def main():
    if os.geteuid() != 0:
        print("the native half needs root")
        return 77
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        work = Path(tmp)
        work.chmod(0o777)
        for name in "lxrun", "lxcore", "lxcore-nested":
            shutil.copy2(TOP / "build" / name, work)
        native(work)
        for uid in 0, USER:
            one(work, uid)
    files = subprocess.run([TOP / "scripts/check-volfs.py", "--nested", "--few"], check=False)
    return bool(failed() or files.returncode)


sys.exit(main())
