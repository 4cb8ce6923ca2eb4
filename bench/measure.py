# SPDX-License-Identifier: MIT
"""One run of one group on one engine: figures by name, in the row's unit, or Failed."""
import math
import os
import select
import shutil
import time
from pathlib import Path

from process import Failed, descendants, end_orphans

SHELL_TIMEOUT = 20
STARTS = 20  # of /bin/true, of which the median counts


def measure(engine, group, names, opts, warm_up):
    if group == "micro":
        return {name: micro(engine, name, 1 if warm_up else opts.ms, opts.owners) for name in names}
    if group == "start":
        return {"start": start(engine)}
    if group == "memory":
        return {"memory": memory(engine)}
    return script(engine, group, names, opts)


def figure(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise Failed(f"printed no figure: {text[:80]!r}")
    return value


def micro(engine, name, ms, owners):
    place = engine.place
    work = name.removesuffix("-user")
    who = ["user" if work != name else "root"] if owners else []
    command = [place.inside + "/micro", work, str(ms), *who]
    directory = engine.fresh_directory()
    try:
        return figure(engine.run(command, cwd=directory, timeout=60))
    finally:
        engine.remove_directory(directory)


def start(engine):
    """Nanoseconds from starting the engine's command to its end, as a shell would see it."""
    command, env = engine.command(["/bin/true"])
    path = shutil.which(command[0])
    took = []
    for _ in range(STARTS):
        begin = time.perf_counter_ns()
        pid = os.posix_spawn(path, command, env)
        _, status = os.waitpid(pid, 0)
        took.append(time.perf_counter_ns() - begin)
        if status:
            raise Failed(f"wait status {status}")
    end_orphans()
    return sorted(took)[STARTS // 2]


def memory(engine):
    """KiB of an idle shell: the proportional set size of all processes that it takes."""
    command, env = engine.command(["/bin/bash", "-c", "echo ready; read -r line"])
    to_guest, from_guest = os.pipe(), os.pipe()
    os.posix_spawn(shutil.which(command[0]), command, env, file_actions=[
        (os.POSIX_SPAWN_DUP2, to_guest[0], 0), (os.POSIX_SPAWN_DUP2, from_guest[1], 1)])
    os.close(to_guest[0])
    os.close(from_guest[1])
    try:
        ready = select.select([from_guest[0]], [], [], SHELL_TIMEOUT)[0]
        if not ready or os.read(from_guest[0], 16) != b"ready\n":
            raise Failed("no shell")
        return sum(map(proportional_set_size, descendants(os.getpid()))) + engine.memory()
    finally:
        os.close(to_guest[1])
        os.close(from_guest[0])
        end_orphans()


def proportional_set_size(pid):
    for line in Path("/proc", str(pid), "smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise Failed("no proportional set size")


def script(engine, group, names, opts):
    """Runs bench/whole/GROUP.sh in a fresh directory. It prints `NAME MICROSECONDS` lines."""
    place = engine.place
    work = engine.fresh_directory()
    os.sync()  # what the run before has left to write is not this one's
    try:
        text = engine.run(["/bin/bash", f"{place.inside}/whole/{group}.sh", "run"], cwd=work,
                          timeout=opts.limit, DATA=f"{place.inside}/data", DIVISOR=str(opts.divisor))
    finally:
        engine.remove_directory(work)
    lines = dict(line.split(" ", 1) for line in text.splitlines() if line.count(" ") == 1)
    if not set(lines) >= set(names):
        raise Failed(f"figures of {sorted(lines)}, not of {sorted(names)}")
    return {name: figure(lines[name]) * 1000 for name in names}
