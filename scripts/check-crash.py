#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: all
# timeout: 3600
"""A process is killed before each of its host calls, in operations of up to three steps: another
instance then sees the tree as it was before a step or after it, never something in between, and
lxrun --check finds nothing wrong. As root and as an ordinary user; in the guest's own tree, in an
overlay mount, and in a drive with metadata.

    scripts/check-crash.py [--few] [--user] [--place tree|overlay|drive] [PATTERN...]

--few: some of the calls of some only. --user: as the ordinary user only. PATTERN: of the scenarios.
"""
import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = Path(os.environ.get("LXRUN", str(TOP / "build/lxrun")))
USER = 64321
ACL, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
SCENARIOS = [
    # New names
    ["1000 creat sticky/x 644"], ["0 creat d/x 0"], ["0 creat d/x 644"], ["1000 creat sticky/x 4755"],
    ["1000 creat acl/x 666"], ["0 creat group/x 644"],
    ["1000 mkdir sticky/x 755"], ["0 mkdir d/x 700"], ["0 mkdir d/x 0"], ["1000 mkdir acl/x 777"], ["0 mkdir group/x 775"],
    ["1000 mknod open/x 10640"], ["0 mknod d/x 10600"], ["1000 mknod sticky/x 100640"], ["1000 mknod acl/x 100640"],
    ["0 mknod d/x 20666 259"], ["1000 mknod open/x 140600"], ["1000 bind open/x"], ["0 bind d/x"],
    ["1000 symlink open/x to"], ["0 symlink open/x to"], ["1000 symlink sticky/x to"],
    ["0 link f g"], ["0 link lu g"], ["0 link p g"],
    # Moved and removed ones
    ["0 rename f g"], ["0 rename f fu"], ["0 rename lu g"], ["0 rename lu l"], ["0 rename l lu"], ["0 rename lu lv"],
    ["0 rename lo lv"], ["0 rename lu f"], ["0 rename f lu"], ["0 rename p lu"], ["0 rename lu p"], ["0 rename p q"],
    ["0 rename q p"], ["0 rename p pp"], ["0 rename n lu"], ["0 rename lu n"], ["0 rename s lu"], ["0 rename p s"],
    ["0 rename lu lv 2"], ["0 rename p pp 2"], ["0 rename p q 2"], ["0 rename lu f 2"], ["0 rename lu d/lu"],
    ["0 rename lu own/l"], ["0 rename own/l lu"], ["0 rename d empty"], ["0 rename own d/own"], ["0 rename n n2"],
    ["0 unlink f"], ["0 unlink lu"], ["0 unlink p"], ["0 unlink n"], ["0 rmdir empty"],
    # Owner and mode
    ["0 chmod plain 600"], ["0 chmod plain 0"], ["0 chmod plain 4755"], ["1000 chmod fu 4755"], ["1000 chmod set 755"],
    ["1000 chmod fu 6750"], ["0 chmod d 0"], ["0 chmod sticky 700"], ["0 chmod p 0"], ["0 chmod p 666"],
    ["0 chmod q 0"], ["0 chmod q 600"], ["0 chmod n 600"], ["0 chmod s 0"], ["0 chmod listed 600"], ["0 chmod caps 700"],
    ["0 chown f 5 6"], ["0 chown plain 5 6"], ["0 chown set 5 6"], ["0 chown d 5 6"], ["0 chown own 5 6"],
    ["0 chown lu 5 6"], ["0 chown l 5 6"], ["0 chown p 5 6"], ["0 chown q 5 6"], ["0 chown n 5 6"], ["0 chown s 5 6"],
    ["0 chown lu 0 0"], ["0 chown p 0 0"], ["0 chown caps 5 6"],
    # Attributes, content, times
    ["0 setxattr f user.x new"], ["0 setxattr f trusted.y new"], ["0 removexattr f user.x"],
    [f"0 setacl f {ACL} 4"], [f"0 setacl fu {ACL} 4"], [f"0 setacl d {DEFAULT} 4"], [f"0 removexattr listed {ACL}"],
    ["0 setcaps f"], ["0 setcaps plain"], ["0 removexattr caps security.capability"], ["1000 write set"],
    ["0 write caps"], ["1000 truncate set"], ["0 truncate f"], ["0 utimes f"], ["0 utimes lu"],
    # The same of what has its attributes with its name
    ["0 mknod acl/x 10660"], ["0 mknod acl/x 20660 259"], ["1000 bind acl/x"], ["0 link pa g"], ["0 unlink pa"],
    ["0 rename pa p"], ["0 rename p pa"], ["0 rename la l"], ["0 rename l la"], ["0 rename la lu 2"], ["0 rename pa d/x"],
    ["0 chmod pa 600"], ["0 chown pa 5 6"], ["0 chown la 5 6"], ["0 setxattr la trusted.y new"], ["0 setxattr n trusted.y new"],
    ["0 setxattr p security.y new"], ["0 removexattr la trusted.x"], [f"0 setacl p {ACL} 4"], [f"0 setacl pa {ACL} 4"],
    [f"0 setacl n {ACL} 4"], [f"0 removexattr pa {ACL}"],
    # Many of one directory
    ["0 chown many/l 8 8", "0 chown many/m 8 8", "0 chown many/n 8 8"], ["0 chown many/l 8 8", "0 chown many/m 8 8", "0 chown many 5 5"],
    ["0 chown many/l 5 5", "0 chown many/m 5 5", "0 rename many/1 many/n"],
    # Several names of one
    ["0 chown h 5 6"], ["0 chmod hp 604", "0 chown d/hp 5 6"], ["0 chown h 5 6", "0 chown d/h 7 8", "0 unlink h"],
    ["0 chown h 5 6", "0 rename h g", "0 chown d/h 7 7"], ["0 chown h 5 6", "0 rename f h", "0 unlink d/h"],
    ["0 setxattr h trusted.y new", "0 setxattr d/h trusted.z new"], [f"0 setacl hp {ACL} 4", "0 chmod d/hp 660"],
    ["0 chown hp 5 6", "0 link d/hp g", "0 chmod g 600"], ["0 link lu g", "0 chown g 5 6", "0 rename g d/h"],
    ["0 chown hp 5 6", "0 unlink hp", "0 chown d/hp 7 8"], ["0 chown h 5 6", "0 rename h lu 2", "0 chown lu 9 9"],
    # Several
    ["1000 creat sticky/t 600", "1000 chmod sticky/t 644", "1000 rename sticky/t sticky/x"],
    ["0 creat t 600", "0 chown t 1000 1001", "0 rename t fu"],
    ["1000 mkdir sticky/x 700", "1000 creat sticky/x/y 640", "1000 rename sticky/x sticky/z"],
    ["1000 symlink open/t new", "1000 rename open/t open/x", "1000 unlink open/x"],
    ["0 symlink t new", "0 rename t lu", "0 chown lu 8 8"],
    ["0 rename f t", "0 rename fu f", "0 rename t fu"], ["0 rename lu t", "0 rename lv lu", "0 rename t lv"],
    ["0 link f g", "0 unlink f", "0 rename g f"], ["0 unlink lu", "0 symlink lu f", "0 chown lu 6 6"],
    ["0 unlink p", "1000 mknod p 10600", "0 chmod p 0"], ["1000 creat sticky/x 600", "0 unlink sticky/x", "0 creat sticky/x 0"],
    ["1000 mkdir sticky/x 700", "0 rmdir sticky/x", "0 mkdir sticky/x 2777"],
]
OVERLAY = [
    # Copied up, by what changes it
    ["0 chmod f 600"], ["0 chown f 5 6"], ["0 chown fu 0 0"], ["1000 chmod set 755"], ["1000 write set"], ["0 write caps"],
    ["0 truncate f"], ["0 write plain"], ["0 truncate listed"], ["0 utimes f"], ["0 setxattr f user.x new"],
    ["0 removexattr f trusted.x"], [f"0 setacl f {ACL} 4"], ["0 setcaps plain"], ["0 link f g"], ["0 link lu g"], ["0 link pa g"],
    ["0 chmod d 700"], ["0 chown d 5 6"], ["0 chown both 5 6"], ["0 chown sticky 0 0"], [f"0 setacl d {DEFAULT} 4"],
    ["0 chown lu 5 6"], ["0 chown l 5 6"], ["0 chmod p 600"], ["0 chown pa 5 6"], ["0 chown n 5 6"], ["0 chmod s 600"],
    ["0 setxattr la trusted.y new"], ["0 utimes lu"], ["0 chmod both/one 600"], ["0 chmod both/two 600"], ["0 chown both/l 5 6"],
    # New names, also where there is a whiteout
    ["0 creat d/x 640"], ["1000 creat sticky/x 4755"], ["1000 creat acl/x 666"], ["0 creat white 0"], ["0 creat white 644"],
    ["1000 creat sticky/x 600", "1000 unlink sticky/x", "1000 creat sticky/x 0"], ["0 mkdir white 755"], ["0 mkdir white 2770"],
    ["0 mkdir both/gone 700"], ["1000 mkdir open/x 755"], ["0 symlink white to"], ["1000 symlink open/x to"],
    ["0 mknod white 10640"], ["0 mknod acl/x 10660"], ["0 mknod white 20666 259"], ["0 bind white"], ["0 link f white"],
    ["0 link lu white"], ["0 link pa white"],
    # Removed ones
    ["0 unlink f"], ["0 unlink up"], ["0 unlink lu"], ["0 unlink upl"], ["0 unlink p"], ["0 unlink n"], ["0 unlink both/two"],
    ["0 unlink both/up"], ["0 rmdir empty"], ["0 rmdir bare"], ["0 rmdir hollow"], ["0 unlink updir/x", "0 rmdir updir"],
    ["0 unlink full/of", "0 rmdir full", "0 mkdir full 755"], ["0 unlink own/l", "0 unlink own/m", "0 unlink own/p"],
    ["0 chmod f 600", "0 unlink f", "0 symlink f to"], ["0 unlink lu", "0 symlink lu f", "0 chown lu 6 6"],
    # Several names of one
    ["0 link upl g", "0 chown g 5 6"], ["0 link upl d/x", "0 chown d/x 5 6", "0 unlink upl"],
    ["0 mknod d/x 10640", "0 link d/x white", "0 chmod white 604"],
    # Moved ones
    ["0 rename f g"], ["0 rename f fu"], ["0 rename up f"], ["0 rename f up"], ["0 rename up upl"], ["0 rename upl up"],
    ["0 rename lu g"], ["0 rename lu upl"], ["0 rename upl lu"], ["0 rename lu f"], ["0 rename f lu"], ["0 rename upl both/l"],
    ["0 rename pa p"], ["0 rename p pa"], ["0 rename la white"], ["0 rename f white"], ["0 rename up white"],
    ["0 rename n lu"], ["0 rename lu n"], ["0 rename both/two both/one"], ["0 rename both/up both/gone"],
    ["0 rename up f 2"], ["0 rename upl lu 2"], ["0 rename lu lv 2"], ["0 rename f lu 2"], ["0 rename pa d/x"],
    ["0 rename updir x"], ["0 rename updir white"], ["0 rename updir empty"], ["0 rename updir hollow"], ["0 rename hollow updir 2"],
    ["0 creat t 600", "0 chown t 1000 1001", "0 rename t fu"], ["0 rename f t", "0 rename fu f", "0 rename t fu"],
    ["0 mkdir white 755", "0 creat white/x 600", "0 rename white x"], ["0 rename updir x", "0 mkdir updir 700", "0 rename x updir/x"],
]
# The scenarios; of --few: each how manieth of them, each how manieth call.
PLACES = {"tree": (SCENARIOS, 1, 4), "overlay": (OVERLAY, 2, 10), "drive": (SCENARIOS, 5, 10)}
DIRS = "t", "bin", "dev", "proc", "sys"


class Wrong(Exception):
    pass


class Harness:
    def __init__(self, work, uid, place):
        self.uid, self.place, self.work = uid, place, work / f"{place}.{uid}"
        self.programs = work / "bin"
        self.front = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        self.lxrun = work / "lxrun"
        self.template = self.work / "template"
        self.env = {**os.environ, "XDG_CACHE_HOME": str(self.work / "cache")}
        self.root = self.work / "root"  # of a drive's guest
        for d in DIRS:
            (self.template / d).mkdir(parents=True)
            (self.root / d).mkdir(parents=True)
        (self.work / "cache").mkdir()
        for path in [self.work, *self.work.rglob("*")]:
            os.chown(path, uid, uid)
        self.must(str(self.lxrun), "--rewrite", *map(str, (self.programs / "crash", self.programs / "ops")))
        self.guest(self.template, "/bin/crash", "layers" if place == "overlay" else "setup")

    def must(self, *argv):
        ran = subprocess.run([*self.front, *argv], env=self.env, cwd="/", capture_output=True, text=True,
                             errors="backslashreplace", check=False)
        if ran.returncode:
            raise Wrong(f"{argv} as {self.uid}: status {ran.returncode}: {ran.stderr}")
        return ran.stdout

    def command(self, tree, *argv):
        root = ["-r", str(tree)] if self.place != "drive" else ["-r", str(self.root), "-b", f"{tree}/t:/t:metadata"]
        return [str(self.lxrun), *root, "-b", f"{self.programs}:/bin:ro", *argv]

    def inside(self, tree, *argv):
        """The command that sees the place."""
        return self.command(tree, *(["/bin/crash", "over"] if self.place == "overlay" else []), *argv)

    def guest(self, tree, *argv):
        return self.must(*self.command(tree, *argv))

    def tree(self, name):
        """A fresh copy."""
        tree = self.work / name
        shutil.rmtree(tree, ignore_errors=True)
        self.must("cp", "-a", str(self.template), str(tree))
        return tree

    def killed(self, tree, at, steps, scenario):
        """Kills it before its call number `at` (0: never): calls begun, and steps done."""
        out = self.must(str(self.programs / "killer"), str(at),
                        *self.inside(tree, "/bin/crash", "run", str(steps), *scenario))
        return tuple(map(int, out.split()))

    def state(self, tree):
        return self.must(*self.inside(tree, "/bin/ops", "show"))

    def scenario(self, number, scenario, every):
        allowed = []
        for steps in range(len(scenario) + 1):
            tree = self.tree(f"s{number}")
            calls, done = self.killed(tree, 0, steps, scenario)
            if done != steps:
                raise Wrong(f"{scenario} in {self.place} as {self.uid}: only {done} of {steps} steps")
            allowed.append(self.state(tree))
        kills = 0
        for at in range(1, calls + 1, every):
            tree = self.tree(f"s{number}")
            _, done = self.killed(tree, at, len(scenario), scenario)
            kills += 1
            got = self.state(tree)
            if not any(self.same(got, text, allowed[done:done + 2]) for text in allowed[done:done + 2]):
                raise Wrong(f"{scenario} in {self.place} as {self.uid}, killed before call {at} of {calls}, after step {done}:\n" +
                            self.differences(allowed[done:done + 2], got))
            check = subprocess.run([*self.front, str(self.lxrun), "--check", str(tree)], capture_output=True,
                                   text=True, check=False)
            if check.returncode:
                raise Wrong(f"{scenario} in {self.place} as {self.uid}, killed before call {at} of {calls}: --check\n{check.stdout}")
        shutil.rmtree(self.work / f"s{number}")
        return kills

    def same(self, got, text, allowed):
        """In an overlay a directory that is copied up has one link, as soon as it is, whatever is changed next (Linux:
        fs/overlayfs/inode.c, ovl_getattr()): either of its counts is right, whichever the rest is."""
        if self.place != "overlay":
            return got == text
        line = re.compile(r"^(\S+)( dir .*?) (n=\d+)", re.M)
        def counts(t):
            return {m.group(1, 3) for m in line.finditer(t)}
        return line.sub(r"\1\2", got) == line.sub(r"\1\2", text) and counts(got) <= set().union(*map(counts, allowed))

    @staticmethod
    def differences(allowed, got):
        lines = [set(text.splitlines()) for text in allowed]
        new = set(got.splitlines())
        common = set.intersection(*lines) & new
        names = ["before", "after"]
        return "\n".join([f"  {n}: {x}" for n, l in zip(names, lines) for x in sorted(l - common)] +
                         [f"  killed: {x}" for x in sorted(new - common)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--user", action="store_true")
    parser.add_argument("--place", choices=PLACES)
    parser.add_argument("patterns", nargs="*")
    opts = parser.parse_args()
    uids = [0] if os.geteuid() else [USER] if opts.user else [0, USER]
    wrong = kills = 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        work = Path(tmp)
        work.chmod(0o755)
        (work / "bin").mkdir()
        for name in "lxrun", "lxcore":
            shutil.copy2(LXRUN.parent / name, work)
        for name, options in ("crash", ["-static"]), ("ops", ["-static"]), ("killer", []):
            subprocess.run(["gcc", "-O1", *options, "-o", work / "bin" / name, TOP / f"tests/volfs/{name}.c"],
                           check=True)
        time.sleep(4)  # the cache takes no file that changed a moment ago
        with ThreadPoolExecutor(2) as pool:
            jobs = []
            for uid, place in itertools.product(uids, [opts.place] if opts.place else PLACES):
                harness, (scenarios, some, calls) = Harness(work, uid, place), PLACES[place]
                scenarios = [s for s in scenarios if not opts.patterns or any(p in x for x in s for p in opts.patterns)]
                some, calls = (some, calls) if opts.few else (1, 1)
                jobs += [pool.submit(harness.scenario, i, s, calls) for i, s in enumerate(scenarios[::some])]
            for job in jobs:
                try:
                    kills += job.result()
                except Wrong as e:
                    wrong += 1
                    print(e, file=sys.stderr)
    print(f"{kills} kills in {len(jobs)} scenarios")
    return bool(wrong)


sys.exit(main())
