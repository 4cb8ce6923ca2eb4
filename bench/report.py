# SPDX-License-Identifier: MIT
"""Collects figures, computes ratios, prints the table and writes the JSON."""
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from engines import BUILD, TOP
from table import JUDGED, MICRO_TARGET

BUSY = 0.05  # the share of the processors' time, taken by others, from which on figures are suspect


def progress(text):
    """One line on a terminal that is overwritten; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


class Results:
    def __init__(self, opts, everyone):
        self.opts, self.everyone = opts, everyone
        self.samples = {}  # (row, engine): {round: figure}
        self.reasons = {}  # (row, engine): (kind, reason)
        self.broken = False
        self.machine = machine(opts)
        self.clock = Clock()

    def add(self, row, engine, number, value):
        self.samples.setdefault((row, engine), {})[number] = value

    def has(self, row, engine):
        return (row, engine) in self.samples

    def not_run(self, row, engine, reason):
        self.reasons[row, engine] = ("not available", reason)

    def failed(self, row, engine, reason):
        """What was measured before does not count either."""
        self.samples.pop((row, engine), None)
        self.reasons[row, engine] = ("failed", reason)
        if next(e for e in self.everyone if e.name == engine).kind in ("native", "lxrun"):
            self.broken = True

    def result(self, row, group, engine):
        """One cell, as the JSON has it."""
        mine = self.samples.get((row.name, engine))
        if not mine:
            kind, reason = self.reasons.get((row.name, engine), ("not available", "not run"))
            return {kind: reason}
        cell = {"median": median(mine.values()), "samples": list(mine.values())}
        native = self.samples.get((row.name, "native"), {})
        if group == "memory":
            pairs = [mine[i] - native[i] for i in mine if i in native]
        else:
            pairs = [mine[i] / native[i] for i in mine if i in native]
        if pairs:
            cell["difference" if group == "memory" else "ratio"] = {
                "median": median(pairs), "min": min(pairs), "max": max(pairs)}
        return cell

    def finish(self, groups):
        rows = []
        for group, picked in groups:
            for row in picked:
                cells = {e.name: self.result(row, group, e.name) for e in self.everyone}
                rows.append({"name": row.name, "group": group, "what": row.what,
                             "unit": "KiB" if group == "memory" else "ns",
                             "target": row.target, "engines": cells})
        self.machine["time taken by others"] = self.clock.others()
        document = {
            "machine": self.machine,
            "options": {k: str(v) if isinstance(v, Path) else v for k, v in vars(self.opts).items()},
            "engines": [{"name": e.name, "kind": e.kind, "version": e.version,
                         "not available": e.unavailable, "facts": e.facts} for e in self.everyone],
            "rows": rows,
            "geometric mean of micro": means(rows, self.everyone),
        }
        self.opts.json.parent.mkdir(parents=True, exist_ok=True)
        self.opts.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print_table(document)
        print(f"\n{self.opts.json}")


def means(rows, everyone):
    """Engine: (geometric mean of the median ratios of the micro suite, how many of how many)."""
    micro = [row for row in rows if row["group"] == "micro"]
    found = {}
    for e in everyone:
        ratios = [row["engines"][e.name]["ratio"]["median"] for row in micro
                  if "ratio" in row["engines"][e.name]]
        if ratios:
            found[e.name] = {"mean": math.exp(sum(map(math.log, ratios)) / len(ratios)),
                             "workloads": len(ratios), "of": len(micro)}
    return found


# The table

def print_table(document):
    kinds = {e["name"]: e["kind"] for e in document["engines"] if not e["not available"]}
    judged = JUDGED if JUDGED in kinds else next((n for n, k in kinds.items() if k == "lxrun"), None)
    head = ["workload", *kinds, "target", f"met by {judged}" if judged else "met"]
    head[1] = "native"
    lines = []
    for row in document["rows"]:
        cells = row["engines"]
        lines.append([row["name"], *(text_of(cells[n], kinds[n], row["unit"]) for n in kinds),
                      target_text(row["target"], row["unit"]), verdict(cells, judged, row["target"])])
    means_found = document["geometric mean of micro"]
    if len(document["rows"]) > 1 and "native" in means_found:
        ours = means_found.get(judged, {}).get("mean")
        lines.append(["micro: geometric mean", "", *(mean_text(means_found.get(n)) for n in list(kinds)[1:]),
                      number(MICRO_TARGET), yes_no(ours, MICRO_TARGET)])
    print_head(document)
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        print("  ".join([line[0].ljust(widths[0]),
                         *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]).rstrip())
    print_notes(document)


def print_head(document):
    for key, value in document["machine"].items():
        print(f"{key}: {value:.0%}" if isinstance(value, float) else f"{key}: {value}")
    for e in document["engines"]:
        print(f"{e['name']}: " + (f"not available: {e['not available']}" if e["not available"]
                                  else e["version"]))
    if document["machine"]["time taken by others"] > BUSY:
        print("The machine was busy with other work: these figures prove nothing.")
    print("\nnative: time or memory of one operation; others: median ratio to native of the same "
          "round, and (for lxrun) min..max\n")


def print_notes(document):
    """Each reason once, with what it holds for."""
    notes = {}
    gone = {e["name"] for e in document["engines"] if e["not available"]}
    for row in document["rows"]:
        for name, cell in row["engines"].items():
            for kind in "failed", "not available":
                if kind in cell and name not in gone:
                    notes.setdefault((name, kind, cell[kind]), []).append(row)
    print()
    for (name, kind, reason), rows in notes.items():
        groups = dict.fromkeys(row["group"] for row in rows)
        whole = [row for row in document["rows"] if row["group"] in groups] == rows
        names = groups if whole else [row["name"] for row in rows]
        print(f"{name}: {kind}: {' '.join(names)}: {reason}")


def text_of(cell, kind, unit):
    if "failed" in cell:
        return "failed"
    if "median" not in cell:
        return "-"
    if kind == "native":
        return amount(cell["median"], unit)
    spread = cell.get("ratio") or cell.get("difference")
    if not spread:
        return "?"
    show = number if "ratio" in cell else lambda v: f"{v:+.0f}"
    text = show(spread["median"])
    if kind == "lxrun" and len(cell["samples"]) > 1:
        text += f" {show(spread['min'])}..{show(spread['max'])}"
    return text + (" KiB" if "difference" in cell else "")


def amount(value, unit):
    if unit == "KiB":
        return f"{value:.0f} KiB"
    for limit, divisor, name in ((1e3, 1, "ns"), (1e6, 1e3, "us"), (1e9, 1e6, "ms")):
        if value < limit:
            return f"{number(value / divisor)} {name}"
    return f"{number(value / 1e9)} s"


def number(value):
    """Three digits that count, at most two of them behind the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def target_text(target, unit):
    return "" if target is None else f"{target:+d} KiB" if unit == "KiB" else number(target)


def verdict(cells, judged, target):
    cell = cells.get(judged, {})
    spread = cell.get("ratio") or cell.get("difference")
    return yes_no(spread["median"] if spread else None, target)


def yes_no(value, target):
    if value is None or target is None:
        return ""
    return "yes" if value <= target else "no"


def mean_text(mean):
    if not mean:
        return "-"
    return number(mean["mean"]) + (f" of {mean['workloads']}" if mean["workloads"] < mean["of"] else "")


# The machine

class Clock:
    """Tells how much of the processors' time others have had since it was made: other processes,
    and other virtual machines (steal)."""

    def __init__(self):
        self.begin = self.read()

    @staticmethod
    def read():
        """Seconds: passed on all processors, idle, and used by us and our children."""
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
        ticks = [int(f) / os.sysconf("SC_CLK_TCK") for f in fields]
        t = os.times()
        return sum(ticks), ticks[3] + ticks[4], sum(t[:4])

    def others(self):
        total, idle, ours = (b - a for a, b in zip(self.begin, self.read()))
        return max(0.0, 1 - (idle + ours) / total) if total else 0.0


def machine(opts):
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"model name\s*:\s*(.*)", cpu)
    flags = re.search(r"flags\s*:(.*)", cpu)
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))
    return {
        "cpu": model[1].strip() if model else "unknown",
        "cores": os.cpu_count(),
        "virtualised": "hypervisor" in flags[1].split() if flags else "unknown",
        "memory": f"{int(memory[1]) >> 20} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": os_name(Path("/")),
        "tree": f"{opts.root.name}, {os_name(opts.root)}",
        "file system": file_system(BUILD),
        "user": "root" if os.geteuid() == 0 else "an ordinary user",
        "commit": output("git", "-C", TOP, "describe", "--always", "--dirty"),
        "compiler": output("gcc", "--version"),
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def os_name(root):
    try:
        text = (root / "usr/lib/os-release").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    found = re.search(r'PRETTY_NAME="?([^"\n]*)', text)
    return found[1] if found else "unknown"


def file_system(path):
    device = os.stat(path).st_dev
    want = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, after = line.split(" - ", 1)
        if before.split()[2] == want:
            return after.split()[0]
    return "unknown"


def output(*command):
    if not shutil.which(command[0]):
        return "unknown"
    p = subprocess.run(command, capture_output=True, text=True, check=False)
    return (p.stdout.splitlines() or ["unknown"])[0]
