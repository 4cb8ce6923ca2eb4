#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
# timeout: 60
"""lxrun --shutdown and the sockets of keepers (vm/join.c), without any VM: one that somebody serves
gets SIGTERM and is waited for; one that a killed keeper has left is removed; one whose keeper is just
beginning, which holds the lock and does not listen yet, stays."""
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import report

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, not {wanted!r}")


def bound(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    return s


def locked(path):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd


def shutdown(env):
    return subprocess.Popen([LXRUN, "--shutdown"], env=env, stdin=subprocess.DEVNULL)


def keeper(s, told):
    """Ends half a second after SIGTERM, and tells before."""
    ready = os.pipe()
    pid = os.fork()
    if pid:
        s.close()
        os.read(ready[0], 1)
        return pid
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.alarm(30)
    s.listen() # who does that is who the other end sees
    os.write(ready[1], b"x")
    with s.accept()[0]:
        signal.sigwait([signal.SIGTERM])
        time.sleep(0.5)
        told.touch()
        os._exit(7)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        env = dict(os.environ, XDG_RUNTIME_DIR=tmp)
        run = Path(tmp) / "lxrun"
        run.mkdir(mode=0o700)
        served, left, begins = (run / f"vm-{name}.sock" for name in ("served", "left", "begins"))

        bound(left).close()
        told = Path(tmp) / "told"
        pid = keeper(bound(served), told)
        expect("status", shutdown(env).wait(timeout=20), 0)
        expect("it is waited for", told.exists(), True)
        expect("the keeper that is served", os.waitpid(pid, 0), (pid, 7 << 8))
        expect("what was left is there", left.exists(), False)
        served.unlink()

        lock = locked(run / "vm-begins.lock")
        s = bound(begins)
        p = shutdown(env)
        time.sleep(0.5)
        expect("it waits for one that begins", p.poll(), None)
        s.listen()
        os.close(lock)
        expect("status", p.wait(timeout=20), 0)
        expect("the one that begins is there", begins.exists(), True)
        s.close()
        expect("status", shutdown(env).wait(timeout=20), 0)
        expect("it is there when it is left", begins.exists(), False)
        expect("other files", sorted(f.name for f in run.iterdir()), ["vm-begins.lock", "vm-left.lock"])
    return report(failures)


if __name__ == "__main__":
    sys.exit(main())
