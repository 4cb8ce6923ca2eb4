#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 300
"""Nothing outside the guest's root is read or written: a guest tries every way out that is known
(tests/volfs/escape.c), by path, link, /proc, bind mount, chroot, and by directories of the host's that it is
handed at its start or by SCM_RIGHTS, and in a drive with links out of it, out of which the host moves the guest's
own directory, and where links come in the way meanwhile. As its root and as another user, under each engine, "old"
being the default one as on Linux 4.18 (tests/oldhost.c), where lxcore walks without openat2. The host looks for changes
afterwards. (More races: scripts/check-races.sh.)

    scripts/check-escape.py [ENGINE...]
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = Path(os.environ.get("LXRUN", str(TOP / "build/lxrun")))
SECRET = "7c1-not-to-be-read"


def state(top):
    """All of a tree that a change would show in."""
    found = []
    for path in sorted([top, *top.rglob("*")]):
        st = path.lstat()
        found.append((str(path), st.st_ino, st.st_mode, st.st_uid, st.st_nlink, st.st_size, st.st_mtime_ns, st.st_ctime_ns))
    return found


VERSION = os.open("/proc/version", os.O_RDONLY)  # held, or its times would be new ones now and then


def hosts_own():
    return [(st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns) for st in (os.stat("/dev/full"), os.fstat(VERSION))]


def identity(path):
    st = os.lstat(path)
    return f"{os.major(st.st_dev)}:{os.minor(st.st_dev)}:{st.st_ino}"


def attempt(work, program, engine, user):
    for name in "root", "outside", "given", "drive":
        (work / name).mkdir()
    root, outside, given, drive = (work / x for x in ("root", "outside", "given", "drive"))
    for d in "tmp", "proc", "dev", "d", "etc":
        (root / d).mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "inside").write_text("")
    (root / "etc/passwd").write_text("root:x:0:0::/:/\nuser:x:1000:1000::/:/\n")
    for d in outside, given:
        (d / "sub").mkdir()
        (d / "secret").write_text(SECRET)
        (d / "secret").chmod(0o666)
        d.chmod(0o777)
    (work / "secret").write_text(SECRET)
    (drive / "deep/er").mkdir(parents=True)
    (drive / "hostlink").symlink_to(outside)
    (drive / "hostup").symlink_to("../outside")
    shutil.copy2(program, root / "escape")
    (root / "escape").chmod(0o755)
    forbidden = [identity(p) for p in ("/", "/var", "/var/tmp", work, work.parent, outside, *(d / x for d in (outside, given) for x in ("secret", "sub")))]
    ours, theirs = socket.socketpair()
    fd = os.open(given, os.O_RDONLY)
    socket.send_fds(ours, [b"x"], [fd])
    before = [state(outside), state(given)]
    own_before = hosts_own()

    def inherit():
        os.dup2(theirs.fileno(), 9)

    argv = [*([work.parent / "oldhost", LXRUN] if engine == "old" else [LXRUN, f"--trap={engine}"]), "-r", root, "-b", f"{drive}:/d", "-u", user, "--cd", "/", "/escape", outside, SECRET,
            str(os.getpid()), identity(root / "inside"), *forbidden]
    keeper = os.open(outside, os.O_RDONLY)  # in this process, whose number the guest knows
    with subprocess.Popen(argv, stdin=fd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="backslashreplace", preexec_fn=inherit, close_fds=False) as ran:
        alarm = threading.Timer(200, ran.kill)
        alarm.start()
        lines = []
        for line in ran.stdout:
            lines.append(line.strip())
            if line == "move\n":
                (drive / "deep/er").rename(outside / "er")
                (drive / "moved").touch()
        alarm.cancel()
    for number in fd, keeper:
        os.close(number)
    moved = outside / "er"
    wrong = [x for x in lines if "leak:" in x]
    if not moved.is_dir() or list(moved.iterdir()):
        wrong.append(f"what was moved is not as it was: {lines[-5:]}")
    elif not wrong and (ran.returncode or not lines[-1].endswith(" 0 leaks")):
        wrong.append(f"status {ran.returncode}: {lines[-5:]}")
    else:
        shutil.rmtree(moved)
    after = [state(outside), state(given)]
    for old, new in zip(before, after):
        # The directory itself was moved into, and out of, by this script.
        wrong += [f"changed: {x}" for x in new[1:] if x not in old] + [f"gone: {x}" for x in old[1:] if x not in new]
    if hosts_own() != own_before:
        wrong.append("changed: /dev/full or /proc/version")
    for x in wrong[:20]:
        print(f"{engine}, {user}: {x}")
    return len(wrong), lines[-1] if lines else ""


def main():
    wrong = 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        program = Path(tmp) / "escape"
        for file in TOP / "tests/volfs/escape.c", TOP / "tests/oldhost.c":
            subprocess.run(["gcc", "-O1", "-w", "-static", "-o", program.with_name(file.stem), file], check=True)
        for engine in sys.argv[1:] or ("sud", "seccomp", "old"):
            for user in "root", "user":
                work = Path(tmp) / f"{engine}.{user}"
                work.mkdir()
                n, last = attempt(work, program, engine, user)
                wrong += n
                print(f"{engine}, {user}: {last}")
    return bool(wrong)


sys.exit(main())
