#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
# level: test
"""The comparison with the utility VMs gives a valid figure or a reason for every workload on every
way, knows what it has to know of each VM, and its page holds all of it. It says nothing of speed."""
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CHOSEN = "getpid,stat,start,memory,shell"
ROOT = TOP / "build/rootfs"
WAYS = ["native", "rewrite", "vm-ext4", "vm-9p", "vm-virtiofs", "vm-uml"]
wrong = []


def check(good, what):
    if not good:
        wrong.append(what)


def check_machine(engine):
    name, facts = engine["name"], engine["facts"]
    if engine["not available"]:
        # Without virtualisation, QEMU and the kernel are still here: deps.sh and vm-kernel.py bring them.
        check(name == "vm-uml", f"{name}: {engine['not available']}")
        return
    check(facts.get("boot s", 0) > 0 and facts.get("idle KiB", 0) > 1000, f"{name}: {facts}")
    files = facts.get("semantics")
    check(isinstance(files, dict) and files["passed"] > 0 and files["of"] > 3, f"{name}: semantics: {files}")
    check(facts.get("container") == "works", f"{name}: a container in a VM: {facts.get('container')}")
    if name == "vm-ext4":
        trim = facts.get("trim")
        check(isinstance(trim, list) and trim[0] < trim[1] > trim[2], f"{name}: trim: {trim}")


def check_cell(row, engine):
    cell = row["engines"][engine["name"]]
    where = f"{row['name']} on {engine['name']}: {cell}"
    if "median" in cell:
        check(0 < cell["median"] < math.inf, f"no figure: {where}")
    else:
        check(any(cell.get(kind) for kind in ("failed", "not available")), f"no reason: {where}")
        check(engine["not available"] or engine["name"] == "vm-uml", f"failed: {where}")


def main():
    if os.geteuid() != 0:
        print("native is measured by chroot, which needs root")
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        out = Path(tmp, "result.json")
        p = subprocess.run([TOP / "bench/run.py", "--quick", "--vm", "--no-peers", "--engines", ",".join(WAYS[1:]),
                            "--root", ROOT, "--json", out, CHOSEN], capture_output=True, text=True, check=False)
        check(p.returncode == 0 and out.exists(), f"exit status {p.returncode}\n{p.stdout[-3000:]}{p.stderr[-3000:]}")
        if wrong:
            print("\n".join(wrong))
            return 1
        result = json.loads(out.read_text(encoding="utf-8"))
        subprocess.run([TOP / "bench/page.py", out], check=True, stdout=subprocess.DEVNULL)
        page, text = (out.with_suffix(s).read_text(encoding="utf-8") for s in (".html", ".md"))
    check([e["name"] for e in result["engines"]] == WAYS, "not the ways that were asked for")
    for engine in result["engines"]:
        if engine["name"].startswith("vm-"):
            check_machine(engine)
        else:  # what Linux says is right, wherever the programs are
            files = engine["facts"]["semantics"]
            check(files["passed"] == files["of"] > 3, f"{engine['name']}: semantics: {files}")
        for row in result["rows"]:
            check_cell(row, engine)
        check(f">{engine['name']}<" in page and f"| {engine['name']} |" in text, f"{engine['name']}: not on the page")
    for row in result["rows"]:
        check(f"<h3>{row['name']} " in page and f"| {row['name']} |" in text, f"{row['name']}: not on the page")
    check(page.count("<svg") == len(result["rows"]), "a plot for each workload")
    check("http" not in page, "the page needs something else")
    for claim in "up to 20 times", "2 to 5 times", "10 to 50 times", "never shrinks", "its first program within", "An idle VM of lxrun", "Containers", "File systems":
        check(claim in page and claim in text, f"no claim: {claim}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


sys.exit(main())
