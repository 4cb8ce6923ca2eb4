#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""The benchmark: micro and whole-program workloads on every engine of lxrun, natively and on the
peers.

    bench/run.py [options] [NAME...]    NAME is a workload or a group of bench/table.py; several may
                                        be joined by commas

Prints one table and writes build/bench/result.json. docs/bench.md says how it measures. The exit
status is 1 when a workload failed natively or under lxrun; a missed target is no failure.
"""
import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import claims
import data
import engines
import machines
import measure
import facts
import report
from process import Failed, adopt_orphans, end_orphans
from table import GROUPS, OWNERS, QUICK

TOP = Path(__file__).resolve().parent.parent
OUT = TOP / "build/bench"
NAMESPACE = "LXRUN_BENCH_NAMESPACE"


def options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="default 5, and 3 for whole programs; 1 with --quick")
    parser.add_argument("--slow-rounds", type=int, default=1, metavar="N",
                        help="rounds of the VMs, and of whole programs for ptrace and the peers (default 1)")
    parser.add_argument("--quick", action="store_true", help="small and short: does it work at all")
    parser.add_argument("--ms", type=float, metavar="N",
                        help="milliseconds of one micro measurement (default 60; 5 with --quick)")
    parser.add_argument("--engines", metavar="NAME,...", help="only these; native is always run")
    parser.add_argument("--vm", action="store_true", help="the utility VMs too, and what is known of each way")
    parser.add_argument("--divisor", type=int, metavar="N", help="whole programs do an N-th of their work")
    parser.add_argument("--limit", type=int, default=300, metavar="SECONDS", help="of one run of a script")
    parser.add_argument("--minutes", type=float, default=10000, metavar="N",
                        help="after so many only native runs and lxrun's engines but ptrace go on")
    parser.add_argument("-v", "--verbose", action="store_true", help="say what runs, and how long it took")
    parser.add_argument("--no-peers", action="store_true", help="only native and lxrun")
    parser.add_argument("--root", type=Path, metavar="DIR",
                        help="lxrun's tree (default build/apps if made, else build/rootfs)")
    parser.add_argument("--owners", action="store_true",
                        help="the workloads on files whose owners are others than root")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default build/bench/result.json")
    opts = parser.parse_args()
    opts.json = opts.json or OUT / ("owners.json" if opts.owners else "result.json")
    opts.names = [n for name in opts.names for n in name.split(",") if n]
    opts.ms = opts.ms or (5 if opts.quick else 60)
    opts.divisor = opts.divisor or (QUICK if opts.quick else 1)
    opts.end = time.monotonic() + opts.minutes * 60
    if not opts.root:
        made = (TOP / "build/apps.stamp").exists()
        opts.root = TOP / ("build/apps" if made else "build/rootfs")
    opts.root = opts.root.resolve()
    return opts


def chosen(table, names):
    """[(group, rows)] of what the names select; all without names."""
    known = set(table) | {row.name for rows in table.values() for row in rows}
    for name in names:
        if name not in known:
            sys.exit(f"bench: no workload is named {name}; there are: {' '.join(sorted(known))}")
    for group, rows in table.items():
        picked = [r for r in rows if not names or group in names or r.name in names]
        if picked and group == "micro":
            yield from ((group, [row]) for row in picked)
        elif picked:
            yield group, rows


def importance(chosen_group):
    """What is slow may have no time left: what the claims are judged by first, the servers last."""
    group, rows = chosen_group
    claimed = group == "micro" and rows[0].name in ("getpid", *claims.NINEP)
    if claimed or group in ("start", "memory", "shell", "files", "git", "build", "npm"):
        return 0
    return 1 if group == "micro" else 2


def private_mounts():
    """As root: goes on in a mount namespace of its own, so that no mount can stay behind."""
    if os.geteuid() == 0 and NAMESPACE not in os.environ:
        unshare = ["unshare", "--mount", "--propagation", "private"]
        if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0:
            os.execvpe(unshare[0], [*unshare, sys.executable, "-B", *sys.argv],
                       {**os.environ, NAMESPACE: "1"})
    return os.environ.pop(NAMESPACE, None) is not None


def places(opts, namespace):
    """Where native runs and the peers are at home, and where lxrun is."""
    inside = "/var/tmp/lxrun-bench"
    ours = engines.Place(opts.root, inside)
    if namespace:
        tree = data.native_tree(opts.root, OUT / f"native-{opts.root.name}")
        # The root of every other way is a mount point.
        subprocess.run(["mount", "--bind", tree, tree], check=True)
        for d in "dev", "proc", "sys":
            subprocess.run(["mount", "--rbind", f"/{d}", tree / d], check=True)
        theirs = engines.Place(tree, inside)
        return theirs, theirs, ours
    host = engines.Place("/", str(OUT / "host"))
    return host, engines.Place(opts.root, inside + ".peers"), ours


def line_up(opts, everyone, native, peers, ours):
    """Fills everyone with the engines, in the order of the table's columns, those included that cannot
    run here. What has been started when it fails is in it."""
    found = [engines.native(native), *engines.lxrun(ours)]
    if not opts.no_peers:
        subprocess.run([TOP / "bench/peers"], check=True)
        found += engines.peers(peers)
    wanted = opts.engines.split(",") if opts.engines else None
    if opts.vm:
        found += machines.machines(ours, native, found[1].version, lambda name: not wanted or name in wanted)
    if wanted:
        for name in wanted:
            if name not in [e.name for e in found]:
                sys.exit(f"bench: no engine is named {name}")
        found = [e for e in found if e.kind == "native" or e.name in wanted]
    for e in found:
        everyone.append(e)
        if opts.vm and isinstance(e.place, machines.Staged):
            furnish(e.place, data.build_micro())
        e.probe()


def furnish(place, micro):
    place.remove()  # of a run that was killed
    place.make()
    shutil.copy2(micro, place.outside / "micro")


def rounds_of(opts, group, engine):
    rounds = opts.rounds or (1 if opts.quick else 5 if group == "micro" else 3)
    if engine.kind == "vm" or engine.slow and group not in ("micro", "start", "memory"):
        return min(rounds, opts.slow_rounds)
    return rounds


def run_group(opts, group, rows, everyone, results):
    """Round-robin over the engines; each round begins with another one."""
    names = [row.name for row in rows]
    able = []
    for e in everyone:
        reasons = [e.unavailable or e.cannot(group, row) or data.missing(e.place, group)
                   for row in rows]
        if all(reasons):
            for name, reason in zip(names, reasons):
                results.not_run(name, e.name, reason)
        else:
            able.append(e)
    def attempt(engine, keep):
        begin = time.monotonic()
        if engine.slow and begin > opts.end:
            able.remove(engine)
            for name in names:
                if not results.has(name, engine.name):
                    results.not_run(name, engine.name, "no time was left for it")
            return
        try:
            data.prepare(engine, group, opts.divisor, opts.limit)
            figures = measure.measure(engine, group, names, opts, warm_up=keep is None)
            if keep is not None:
                for name in names:
                    results.add(name, engine.name, keep, figures[name])
        except (Failed, OSError, subprocess.SubprocessError) as e:
            able.remove(engine)
            for name in names:
                results.failed(name, engine.name, str(e))
        if opts.verbose:
            print(f"{time.monotonic() - begin:7.1f} s  {names[0]}{'...' if names[1:] else ''}  {engine.name}",
                  file=sys.stderr, flush=True)

    for e in list(able):
        if not e.slow:
            attempt(e, None)
    for i in range(max(rounds_of(opts, group, e) for e in everyone)):
        order = able[i % len(able):] + able[:i % len(able)] if able else []
        for e in order:
            if i < rounds_of(opts, group, e):
                attempt(e, i)


def main():
    opts = options()
    if opts.owners and os.geteuid() != 0:
        sys.exit("bench: --owners: natively only root makes files of other owners")
    groups = list(chosen(OWNERS if opts.owners else GROUPS, opts.names))
    namespace = private_mounts()
    for sig in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(sig, lambda sig, _: sys.exit(128 + sig))  # with everything cleaned up
    try:
        OUT.mkdir(parents=True, exist_ok=True)
        lock = open(OUT / "lock", "w", encoding="ascii")  # two at once would measure each other
    except OSError as e:
        sys.exit(f"bench: {e.filename}: {e.strerror}")
    fcntl.flock(lock, fcntl.LOCK_EX)
    adopt_orphans()
    micro = data.build_micro()
    at = places(opts, namespace)
    everyone = []
    try:
        for place in set(at):
            furnish(place, micro)
        line_up(opts, everyone, *at)
        if any(e.name == "rewrite" and not e.unavailable for e in everyone):
            report.progress("warming the cache")
            data.warm(TOP / "build/lxrun", engines.CACHE, at[2], whole_tree=not opts.quick)
        results = report.Results(opts, everyone)
        if opts.vm:
            facts.find(everyone, opts.quick, opts.verbose)
        for group, rows in sorted(groups, key=importance):
            report.progress(" ".join(row.name for row in rows))
            run_group(opts, group, rows, everyone, results)
        report.progress("")
    finally:
        for e in everyone:
            e.finish()
        end_orphans(0)
        for place in set(at):
            place.remove()
    results.finish(groups)
    return 1 if results.broken else 0


if __name__ == "__main__":
    sys.exit(main())
