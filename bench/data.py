# SPDX-License-Identifier: MIT
"""What the workloads need before the clock runs: the program, the native tree, the data sets."""
import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BENCH = TOP / "bench"
BUILD = TOP / "build"


def build_micro():
    """build/bench/micro, static: it runs in any tree."""
    binary = BUILD / "bench/micro"
    sources = sorted(BENCH.glob("micro*.c"))
    inputs = [*sources, BENCH / "micro.h", Path(__file__)]
    if not binary.exists() or binary.stat().st_mtime < max(f.stat().st_mtime for f in inputs):
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                        "-static", "-pthread", "-o", binary, *sources], check=True)
    return binary


def native_tree(tree, copy):
    """A copy of lxrun's tree with the owners and modes of the guest as the host's own."""
    stamp = copy.with_name(copy.name + ".stamp")
    made_from = str(os.stat(f"{tree}.stamp").st_mtime_ns)
    if stamp.exists() and stamp.read_text(encoding="ascii") == made_from:
        return copy
    shutil.rmtree(copy, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    copy.mkdir()
    for d in "dev", "proc", "sys":
        (copy / d).mkdir()
    with subprocess.Popen([BUILD / "lxrun", "-r", tree, "tar", "-C", "/", "-c",
                           *(f"--exclude=./{d}" for d in ("dev", "proc", "sys", "tmp/*", "var/tmp/*")),
                           "."], stdout=subprocess.PIPE) as packing:
        subprocess.run(["tar", "-x", "-p", "--numeric-owner", "-C", copy], stdin=packing.stdout,
                       check=True)
    if packing.returncode:
        raise SystemExit(f"bench: tar of {tree} ended with status {packing.returncode}")
    stamp.write_text(made_from, encoding="ascii")
    return copy


def missing(place, group):
    """Why a group cannot be run in a place, None when it can."""
    return None


def prepare(engine, group, divisor):
    """The script and data set of a whole-program group in the engine's place, once."""
