# SPDX-License-Identifier: MIT
"""Runs one program to its end and leaves no process of it behind."""
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE = 10.0  # seconds that the last processes of a run may take to end, where a processor may be another's for some of them
residents = set()  # processes that serve many runs, which are not to be ended


class Failed(Exception):
    """A run gave no valid figure; the message says why."""


def adopt_orphans():
    """Makes this process the parent of whatever a run leaves behind, so that it can be found."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def descendants(of):
    """The live processes below `of`, parents first; without residents."""
    return [pid for pid in everything(of) if pid not in residents]


def everything(of):
    """The live processes below `of`, parents first. Below a resident all are residents."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            # The name is in parentheses and may contain anything.
            fields = Path("/proc", pid, "stat").read_text(errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            children.setdefault(int(fields[1]), []).append(int(pid))
    found, queue = [], [of]
    while queue:
        parent = queue.pop()
        below = children.get(parent, [])
        if parent in residents:
            residents.update(below)
        found += below
        queue += below
    return found


def end_orphans(grace=GRACE):
    """Ends our descendants; returns how many were still there after the grace time."""
    deadline, late = time.monotonic() + grace, 0
    while left := descendants(os.getpid()):
        if time.monotonic() > deadline:
            late = max(late, len(left))
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.01)
        reap()
    reap()
    return late


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def run(argv, env, timeout, cwd="/"):
    """Runs argv and returns what it printed; Failed unless it ended well and left nothing."""
    # Files, not pipes: a process left behind must not keep us waiting for end of file.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        p = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out,
                             stderr=err, start_new_session=True)
        try:
            p.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"no end within {timeout:g} s") from None
        finally:
            if p.returncode is None:
                p.kill()
                p.wait()
                end_orphans(0)
        late = end_orphans()
        out.seek(0)
        err.seek(0)
        text, complaint = (f.read().decode(errors="replace") for f in (out, err))
    if p.returncode == 77:
        raise Failed(last_line(complaint or text))
    if p.returncode:
        raise Failed(f"exit status {p.returncode}: {last_line(complaint or text)}")
    if late:
        raise Failed(f"{late} processes left behind")
    return text


def last_line(text):
    return (text.strip().splitlines() or ["no message"])[-1].strip()
