#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
"""A root is warmed when it is first used: while one program runs, the rewriter goes through what
every distribution starts with, so that other programs run from rewritten text the first time. A
rewriter that is killed on the way leaves nothing half-made, and the next one goes on.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
ROOT = TOP / "build/rootfs"
LIMIT = 120  # seconds, to find what hangs; it takes half a one, but gives way to all others (nice 10)
SMALL = ["bin/sh", "bin/bash", "bin/ls", "usr/bin/env", "bin/grep", "bin/tar", "bin/true",
         "lib64/ld-linux-x86-64.so.2", "lib/x86_64-linux-gnu/libc.so.6",
         "lib/x86_64-linux-gnu/libselinux.so.1"]
failures = 0


def expect(what, good, *more):
    global failures
    if not good:
        failures += 1
        print(what, *more, file=sys.stderr)


def wait_for(condition):
    end = time.monotonic() + LIMIT
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def children(pid):
    try:
        return [int(c) for t in Path(f"/proc/{pid}/task").iterdir()
                for c in (t / "children").read_text().split()]
    except OSError:
        return []


def rewriter_of(pid):
    """The rewriter process of the lxrun with this id, or None."""
    for child in children(pid):
        try:
            if Path(f"/proc/{child}/comm").read_text().strip() == "lxrun-rewrite":
                return child
        except OSError:
            pass
        found = rewriter_of(child)
        if found:
            return found
    return None


class Cache:
    def __init__(self, home):
        self.env = {**os.environ, "XDG_CACHE_HOME": str(home)}
        self.dir = home / "lxrun"

    def names(self, pattern):
        return sorted(f.name for f in self.dir.glob(pattern))

    def start(self, root):
        return subprocess.Popen([LXRUN, "-r", str(root), "sleep", "600"], env=self.env,
                                stdin=subprocess.DEVNULL)

    def names_of(self, file):
        st = file.stat()
        return self.names(f"*.{st.st_ino:x}.{st.st_size:x}.*")

    def knows(self, file):
        return self.names_of(file) != []

    def forget(self, file):
        for name in self.names_of(file):
            (self.dir / name).unlink(missing_ok=True)

    def calls(self, *argv):
        """How many system calls a new instance made, how many of them were trapped, and how many
        threads ran with the engine underneath."""
        ran = subprocess.run([LXRUN, "--stats", "-r", str(ROOT), *argv], env=self.env, text=True,
                             stdin=subprocess.DEVNULL, capture_output=True, check=False)
        expect(f"{argv}: status", ran.returncode == 0, ran.returncode, ran.stderr)
        return [int(re.search(rf"(\d+) +{what}", ran.stderr)[1])
                for what in (r"[\d.]+ %  system calls", r"[\d.]+ %  were trapped", "threads ran with")]


def end(process):
    process.terminate()
    process.wait()


def inside(path):
    """The file on the host that a path of the tree leads to."""
    path = ROOT / path
    while path.is_symlink():
        to = os.readlink(path)
        path = ROOT / to.lstrip("/") if to.startswith("/") else path.parent / to
    return path


def check_first_use(cache):
    process = cache.start(ROOT)
    expect("the list comes to its end", wait_for(lambda: cache.names("w*")))
    expect("the program still runs", process.poll() is None)
    end(process)
    for path in SMALL:
        expect(f"{path}: not in the cache", cache.knows(inside(path)))
    expect("unfinished", not cache.names("t-*"))
    for argv in (["ls", "-l", "/"], ["bash", "-c", "ls /bin | grep -c x; find /etc | sort | tail -1; env"]):
        calls, trapped, armed = cache.calls(*argv)
        expect(f"{argv}: {trapped} of {calls} calls trapped", calls > 100 and trapped * 50 < calls)
        expect(f"{argv}: {armed} threads armed", armed == 0)


def check_killed(work):
    """Killed after some names, again and again, until one gets through."""
    cache = Cache(work)
    unfinished = 0
    for wanted in (1, 2, 5, 20, 60):
        process = cache.start(ROOT)
        wait_for(lambda n=wanted: len(cache.names("[0-9a-f]*.*")) >= n)
        pid = rewriter_of(process.pid)
        if pid:
            os.kill(pid, signal.SIGKILL)
        unfinished += not cache.names("w*")
        calls, *_ = cache.calls("ls", "/")
        expect("ls", calls > 50)
        end(process)
        cache.forget(inside("bin/sleep"))  # to be asked for, which starts the rewriter
    expect("none was killed on the way", unfinished)
    process = cache.start(ROOT)
    expect("goes on after the kill", wait_for(lambda: cache.names("w*")))
    end(process)
    expect("known after the kill", all(cache.knows(inside(p)) for p in SMALL))
    calls, trapped, _ = cache.calls("bash", "-c", "ls; find /etc")
    expect(f"after the kill: {trapped} of {calls} calls trapped", trapped * 50 < calls)


def check_mark(cache, program, work):
    """A root that was gone through is not looked at again, unless its programs changed."""
    root = work / "root"
    for d in "bin", "dev", "proc", "sys", "t":
        (root / d).mkdir(parents=True)
    shutil.copy2(program, root / "t/sleep")
    shutil.copy2(program, root / "bin/ls")
    shutil.copy2(program, work / "outside")
    os.symlink(work / "outside", root / "bin/sed")
    os.symlink("cat", root / "bin/cat")
    os.mkfifo(root / "bin/grep")
    (root / "bin/find").mkdir()

    def started_with(marks):
        """Runs the program until it is known, and there are so many marks."""
        process = subprocess.Popen([LXRUN, "-r", str(root), "/t/sleep"], env=cache.env)
        # Its files changed a moment ago: it waits for them.
        expect("known after a while", wait_for(lambda: cache.knows(root / "t/sleep")))
        expect(f"{marks} marks", wait_for(lambda: len(cache.names("w*")) == marks))
        end(process)

    marks = len(cache.names("w*")) + 1
    started_with(marks)
    expect("a fresh root: bin/ls", cache.knows(root / "bin/ls"))
    expect("outside of the root", not cache.knows(work / "outside"))
    for file in "t/sleep", "bin/ls":
        cache.forget(root / file)
    started_with(marks)
    time.sleep(0.3)
    expect("is not looked at again", not cache.knows(root / "bin/ls"))
    cache.forget(root / "t/sleep")
    (root / "bin/new").touch()
    started_with(marks + 1)
    expect("is looked at again", cache.knows(root / "bin/ls"))


def main():
    if not ROOT.is_dir():
        print(f"no {ROOT}: make rootfs makes it")
        return 77
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        work = Path(tmp)
        cache = Cache(work / "first")
        source = work / "sleep.c"
        source.write_text("#include <unistd.h>\nint main(void) { return (int)sleep(600); }\n")
        subprocess.run(["gcc", "-static", "-o", work / "sleep", source], check=True)
        check_first_use(cache)
        check_mark(cache, work / "sleep", work)
        check_killed(work / "killed")
    return bool(failures)


sys.exit(main())
