#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes loader/often.ld anew: lxcore's functions that run often, found by a probe at each (uprobes,
so as root). Takes some minutes, for the kernel takes its time with a thousand probes.

    make && scripts/often.py && make
"""
import os
import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CORE, LIST = TOP / "build/lxcore", TOP / "loader/often.ld"
TRACING, GROUP = Path("/sys/kernel/tracing"), "lxrun_often"
TIMES = 50
# What is run with which options of lxrun, and how often a function must for being listed.
FORKS = ["/bin/bash", "-c", f"for i in {{1..{TIMES}}}; do (:); done"]
STARTS = ["/bin/bash", "-c", f"for i in {{1..{TIMES}}}; do /bin/true; done"]
# awk's system() is a posix_spawn.
SPAWNS = ["/usr/bin/awk", f'BEGIN {{ for (i = 0; i < {TIMES}; i++) system("/bin/true") }}']
WORK = [
    ("A fork, an exit and a wait.", [FORKS, ["--trap=sud", *FORKS]], TIMES),
    ("A program's start and end.", [STARTS, SPAWNS], TIMES),
    ("A shell that waits.", [["/bin/bash", "-c", "read x"]], 1),
    ("Some small programs.", [["/bin/bash", "-c", """
     ls -l /etc; cat /etc/passwd | grep root; echo a >/tmp/often; test -e /tmp/often; rm /tmp/often
     cd /usr; pwd; trap : USR1; kill -USR1 $$"""]], 1),
]


def output(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def functions():
    """[(offset in the file, name)]; what .S files have stands before the list anyhow."""
    load = re.search(r"LOAD +(\S+) (\S+)", output("readelf", "-lW", CORE))
    found = re.findall(r"^(\w+) \w+ [tT] (\S+)$", output("nm", "-nS", CORE), re.M)
    return [(int(at, 16) - int(load[2], 16) + int(load[1], 16), at, name) for at, name in found]


def counts():
    lines = (TRACING / "uprobe_profile").read_text().splitlines()
    return {int(w[1][1:]): int(w[2]) for w in map(str.split, lines) if re.fullmatch(r"f\d+", w[1])}


def command_events(lines):
    events = os.open(TRACING / "uprobe_events", os.O_WRONLY | os.O_APPEND)
    for line in lines:
        os.write(events, line.encode())
    os.close(events)


def run(commands):
    for c in commands:
        subprocess.run([TOP / "build/lxrun", "--root", TOP / "build/rootfs", *c], check=True,
                       input=b"\n", stdout=subprocess.DEVNULL)


def measure(probes):
    """For each work, the indices of the functions that it ran often enough."""
    for _, commands, _ in WORK: # once without: what is done the first time only does not count
        run(commands)
    command_events(f"p:{GROUP}/f{i} {CORE}:{offset:#x}" for i, (offset, _, _) in enumerate(probes))
    switch = TRACING / f"events/{GROUP}/enable"
    try:
        switch.write_text("1")
        ran = []
        for _, commands, least in WORK:
            before = counts()
            run(commands)
            ran.append([i for i, n in counts().items() if n - before[i] >= least])
        return ran
    finally:
        switch.write_text("0")
        command_events(f"-:{GROUP}/f{i}" for i in range(len(probes)))


def paragraph(title, ran, probes):
    """Lines of a linker script: the sections of the functions, by file."""
    by_file = {}
    # With what is inlined there; the outermost function comes last.
    places = output("addr2line", "-a", "-i", "-e", CORE, *[probes[i][1] for i in ran]).split("0x")[1:]
    for i, place in zip(ran, places):
        source = re.findall(r"(\w+/\w+\.\w):\d+", place)[-1]
        if source.endswith(".c"):
            name = re.sub(r"\..*", ".*", probes[i][2])
            by_file.setdefault(source, []).append(f".text.{name}")
    lines = [f"/* {title} */"]
    for source, sections in sorted(by_file.items()):
        lines.append(f"*/{source}.o(")
        for s in sorted(set(sections)):
            if len(lines[-1]) + len(s) > 98:
                lines.append("   ")
            lines[-1] += ("" if lines[-1].endswith("(") else " ") + s
        lines[-1] += ")"
    return lines


def main():
    probes = functions()
    done, lines = set(), ["/* Made by scripts/often.py: what of lxcore runs often, for loader/lxcore.ld. */"]
    for (title, _, _), ran in zip(WORK, measure(probes)):
        lines += paragraph(title, [i for i in sorted(ran) if i not in done], probes)
        done.update(ran)
    LIST.write_text("\n".join(lines) + "\n", encoding="ascii")


main()
