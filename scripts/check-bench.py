#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
# level: test
"""The benchmark gives a valid figure or a reason for every workload and engine, takes no run that
failed for a figure, and leaves nothing behind. It says nothing of speed."""
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "bench"))
import data  # pylint: disable=wrong-import-position
import measure  # pylint: disable=wrong-import-position
import process  # pylint: disable=wrong-import-position
from table import GROUPS, OWNERS  # pylint: disable=wrong-import-position

CHOSEN = "getpid,stat,spawn,start,memory,shell,files"
ROOT = TOP / "build/rootfs"
wrong = []


def check(good, what):
    if not good:
        wrong.append(what)


def fails(what, call, *args):
    try:
        call(*args)
    except process.Failed:
        return
    wrong.append(f"taken for a good run: {what}")


def check_refusals():
    process.adopt_orphans()
    fails("an exit status", process.run, ["sh", "-c", "echo 1; exit 3"], os.environ, 5)
    fails("a signal", process.run, ["sh", "-c", "echo 1; kill -9 $$"], os.environ, 5)
    fails("a time limit", process.run, ["sleep", "9"], os.environ, 0.1)
    fails("a process left behind", process.run, ["sh", "-c", "sleep 60 & echo 1"], os.environ, 5)
    for text in "", "x", "nan", "inf", "0", "-1", "1 2":
        fails(repr(text), measure.figure, text)


def check_table():
    listed = subprocess.run([data.build_micro(), "--list"], capture_output=True, text=True, check=True)
    names = {r.name.removesuffix("-user") for r in [*GROUPS["micro"], *OWNERS["micro"]]}
    check(sorted(listed.stdout.split()) == sorted(names),
          "bench/table.py and bench/micro.c have different workloads")
    for group in {*GROUPS, *OWNERS} - {"micro", "start", "memory"}:
        check((TOP / f"bench/whole/{group}.sh").exists(), f"there is no bench/whole/{group}.sh")


def check_run():
    with tempfile.TemporaryDirectory() as tmp:
        out = Path(tmp, "result.json")
        p = subprocess.run([TOP / "bench/run.py", "--quick", "--root", ROOT, "--json", out, CHOSEN],
                           capture_output=True, text=True, check=False)
        check(p.returncode == 0, f"exit status {p.returncode}\n{p.stdout[-3000:]}{p.stderr[-3000:]}")
        if not out.exists():
            return
        result = json.loads(out.read_text(encoding="utf-8"))
    engines = result["engines"]
    check({"native", "sud"} <= {e["name"] for e in engines if not e["not available"]},
          "native and sud are not among the engines")
    check([r["name"] for r in result["rows"]] ==
          [r.name for g, rows in GROUPS.items() for r in rows if {r.name, g} & set(CHOSEN.split(","))],
          "not the workloads that were asked for")
    for row in result["rows"]:
        for engine in engines:
            check_cell(row, engine, row["engines"][engine["name"]])
    check(not list(ROOT.glob("var/tmp/lxrun-bench.*")), "a directory is left behind")


def check_cell(row, engine, cell):
    where = f"{row['name']} on {engine['name']}: {cell}"
    if "median" not in cell:
        check(any(cell.get(kind) for kind in ("failed", "not available")), f"no reason: {where}")
        check(engine["kind"] == "peer" or "failed" not in cell, f"failed: {where}")
        return
    check(0 < cell["median"] < math.inf, f"no figure: {where}")
    pair = cell.get("ratio") or cell.get("difference")
    check(pair and pair["min"] <= pair["median"] <= pair["max"], f"no comparison: {where}")


(TOP / "build/bench").mkdir(exist_ok=True)
check_refusals()
check_table()
check_run()
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
