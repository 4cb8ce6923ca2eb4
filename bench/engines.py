# SPDX-License-Identifier: MIT
"""What the workloads run on: native, the engines of lxrun, and the peers.

Each has a place, which is a root directory and the benchmark's own directory in it. Native runs and
the peers share a tree with ordinary owners and modes; lxrun has its own tree, of which the other is
a copy.
"""
import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from process import Failed, last_line, run

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
PEERS = BUILD / "bench/peers"
CACHE = {"XDG_CACHE_HOME": str(BUILD / "bench/cache")}  # lxrun's own, of rewritten code
STATIC = ["qemu-x86_64-static", "runsc"]  # of those that bench/peers unpacks
RUNSC_PLATFORMS = ["systrap", "kvm", "ptrace"]
TRAPS = ["rewrite", "sud", "seccomp", "ptrace"]
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
       "LANG": "C.UTF-8", "TERM": "dumb", "USER": "root", "LOGNAME": "root"}
APART = 128 * 1024  # inode numbers: a flexible group of ext4, as mke2fs makes them
RECENT = 600  # seconds
LOADER = "/lib64/ld-linux-x86-64.so.2"


runs = itertools.count()
taken = {}  # inode numbers of the directories of runs, and when these began


class Place:
    """A root directory, and the directory below it in which everything of the benchmark happens."""

    def __init__(self, root, inside):
        self.root, self.inside = Path(root), inside
        self.programs = self.root  # the tree that the programs are in
        self.ready = set()  # groups whose data set is there
        self.source = None  # the place whose data set can be copied
        self.spreads = False

    @property
    def outside(self):
        """The benchmark's directory as the host names it."""
        return self.on_host(self.inside)

    def make(self):
        """chattr(1), T: ext4 spreads the directories that are made in it over the disk."""
        self.outside.mkdir(parents=True)
        self.spreads = shutil.which("chattr") is not None and not subprocess.run(
            ["chattr", "+T", self.outside], capture_output=True, check=False).returncode

    def fresh(self):
        """Makes a directory for one run; its name. ext4 passes over inodes that were deleted a moment
        ago, so it lies where none has run of late, on any place."""
        tried, now = [], time.monotonic()
        while not tried or self.spreads and len(tried) < 64 and not self.is_apart(tried[-1], now):
            tried.append(f"{self.inside}/run{next(runs)}")
            self.on_host(tried[-1]).mkdir()
        for name in tried[:-1]:  # kept until now, so that ext4 went on to others
            self.on_host(name).rmdir()
        taken[self.on_host(tried[-1]).stat().st_ino] = now
        return tried[-1]

    def is_apart(self, name, now):
        number = self.on_host(name).stat().st_ino
        return all(abs(number - n) > APART or now - at > RECENT for n, at in taken.items())

    def on_host(self, inside):
        return self.root / inside.lstrip("/")

    def remove(self):
        shutil.rmtree(self.outside, ignore_errors=True)


class Engine:
    """One way to run a program. `wrap` turns a command, a directory and an environment (all as the
    guest is to see them) into a command of the host, which runs in that environment with `extra`."""

    def __init__(self, name, kind, place, wrap, version="", cannot=None, extra=None):
        self.name, self.kind, self.place, self.wrap = name, kind, place, wrap
        self.version, self.extra, self.unavailable = version, extra or {}, None
        self.cannot = cannot or (lambda group, row: None)
        self.facts = {}  # what is known of it besides the figures

    @property
    def slow(self):
        """Stops a process at each call, or is not ours: one round of whole programs must do."""
        return self.kind == "peer" or self.name == "ptrace"

    def command(self, command, cwd="/", **env):
        """What the host is to run, and in which environment."""
        env = {**ENV, **env}
        return self.wrap(command, cwd, env), {**env, **self.extra}

    def run(self, command, cwd="/", timeout=20, **env):
        return run(*self.command(command, cwd, **env), timeout)

    def make_directory(self, inside):
        self.place.on_host(inside).mkdir(parents=True, exist_ok=True)

    def fresh_directory(self):
        return self.place.fresh()

    def remove_directory(self, inside):
        shutil.rmtree(self.place.on_host(inside), ignore_errors=True)

    def bring(self):
        """Makes what the host has put into the place visible to the programs."""

    def memory(self):
        """KiB of what is there before a program is run."""
        return 0

    def settle(self):
        """Nothing has been run on it yet but for the probe, and other ways have had their turn."""

    def finish(self):
        """Nothing runs on it any more."""

    def probe(self):
        """Finds out whether it works here at all."""
        if not self.unavailable:
            try:
                self.run(["/bin/true"])
            except (Failed, OSError) as e:
                self.unavailable = str(e)
        return not self.unavailable


def absent(name, kind, reason):
    engine = Engine(name, kind, None, None)
    engine.unavailable = reason
    return engine


def inside(cwd, command):
    """For what cannot set the working directory by itself."""
    return command if cwd == "/" else ["/bin/sh", "-c", 'cd "$0" && exec "$@"', cwd, *command]


def native(place):
    if place.root == Path("/"):
        return Engine("native", "native", place, lambda c, cwd, env: inside(cwd, c),
                      "the host's own programs: chroot needs root")
    return Engine("native", "native", place,
                  lambda c, cwd, env: ["chroot", str(place.root), *inside(cwd, c)], "chroot")


def lxrun(place):
    """One engine for each that the program at hand can be asked for."""
    program = str(BUILD / "lxrun")
    version = subprocess.run([program, "--version"], capture_output=True, text=True,
                             check=True).stdout.strip()

    def engine(name, *option):
        def wrap(command, cwd, env):
            guest = [a for k, v in env.items() for a in ("-e", f"{k}={v}")]
            return [program, *option, "-r", str(place.root), "--cd", cwd, "--clearenv", *guest, *command]

        return Engine(name, "lxrun", place, wrap, version, extra=CACHE)

    found = [engine(name, f"--trap={name}") for name in TRAPS]
    for i, e in enumerate(found):
        if not e.probe() and e.name == "sud" and "--trap" in e.unavailable:
            found[i] = engine("sud")  # a version without the option has this engine alone
            found[i].probe()
    return found


def find(name):
    """The command of a peer: as installed, or as bench/peers has unpacked it."""
    installed, path = shutil.which(name), PEERS / "usr/bin" / name
    if installed:
        return [installed]
    if not path.exists():
        return None
    if name in STATIC:
        return [str(path)]
    # Its libraries lie beside it. LD_LIBRARY_PATH would reach the guest too.
    libs = [str(PEERS / d / "x86_64-linux-gnu") for d in ("usr/lib", "lib")]
    return [LOADER, "--library-path", ":".join(libs), str(path)]


def version_of(command):
    p = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    for line in (p.stdout + p.stderr).splitlines():
        if any(c.isdigit() for c in line):
            return line.strip(" |_\\/")
    return last_line(p.stdout)


def no_micro(group, _):
    if group == "micro":
        return "a static program loads no library that could stand between"
    return None


def no_children(group, row):
    if group not in ("micro", "start"):
        return "qemu-user leaves what a program executes to the host"
    return "what is executed runs natively" if row.name in ("exec-static", "exec-dynamic", "spawn") else None


def peers(place):
    root = str(place.root)

    def proot(command):
        binds = [a for d in ("/dev", "/proc", "/sys") for a in ("-b", d)]
        return lambda c, cwd, env: [*command, "-0", "-r", root, *binds, "-w", cwd, *c]

    def qemu(command):
        # Static, and therefore able to run inside the root directory.
        shutil.copy2(command[-1], place.outside / "qemu")
        return lambda c, cwd, env: ["chroot", root, *inside(cwd, [place.inside + "/qemu", *c])]

    def strace(command):
        return lambda c, cwd, env: [*command, "-f", "-qq", "-o", "/dev/null", "chroot", root,
                               *inside(cwd, c)]

    def fakechroot(command):
        return lambda c, cwd, env: [*command, "chroot", root, *inside(cwd, c)]

    for name, program, wrap, cannot in (
            ("proot", "proot", proot, None), ("qemu-user", "qemu-x86_64-static", qemu, no_children),
            ("strace", "strace", strace, None), ("fakechroot", "fakechroot", fakechroot, no_micro)):
        command = find(program)
        if not command:
            yield absent(name, "peer", "neither installed nor made by bench/peers")
        elif os.geteuid() != 0 and name in ("qemu-user", "strace"):
            yield absent(name, "peer", "its chroot needs root")
        else:
            yield Engine(name, "peer", place, wrap(command), version_of(command), cannot)
    yield from gvisor(place)


def gvisor(place):
    """One engine for each platform of runsc; each run is a container that shares the host's
    network."""
    runsc = find("runsc")
    for platform in RUNSC_PLATFORMS:
        name = f"runsc-{platform}"
        if not runsc:
            yield absent(name, "peer", "neither installed nor made by bench/peers")
        elif platform == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
            yield absent(name, "peer", "no /dev/kvm")
        else:
            yield Engine(name, "peer", place, container(runsc, platform, place), version_of(runsc))


def container(runsc, platform, place):
    bundle = BUILD / "bench/bundle"
    capabilities = [f"CAP_{c}" for c in (
        "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SYS_CHROOT").split()]

    def wrap(command, cwd, env):
        config = {
            "ociVersion": "1.0.0",
            "root": {"path": str(place.root)},
            "process": {"args": command, "cwd": cwd, "user": {"uid": 0, "gid": 0},
                        "env": [f"{k}={v}" for k, v in env.items()],
                        "capabilities": {k: capabilities for k in
                                         ("bounding", "effective", "permitted")}},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                       {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
                        "options": ["nosuid", "noexec", "nodev", "mode=1777"]}],
            "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
        }
        bundle.mkdir(exist_ok=True)
        (bundle / "config.json").write_text(json.dumps(config))
        return [*runsc, "--platform", platform, "--network", "host", "--ignore-cgroups",
                "--overlay2=none", "--root", str(bundle / "state"), "run", "--bundle", str(bundle),
                f"lxrun-bench-{os.getpid()}"]

    return wrap
