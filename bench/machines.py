# SPDX-License-Identifier: MIT
"""The utility VMs as engines (--vm), and what is measured of a VM as a whole.

Each is started once and stays; the runs join it. It runs for the benchmark alone: its sockets are in a
directory of its own. What a run needs is put into a VM by commands in it, since what the host does to
a tree while a VM has it is not what is measured.
"""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import engines
import process
from engines import BUILD, CACHE, TOP, Engine, Place
from process import Failed, descendants

BOOT = 300  # seconds, on a busy machine
CACHED = 1.1  # seconds after which a VM looks again at what it has seen over virtiofs
SETTLED = 30  # seconds after which an idle VM has given back what it does not need
WRITTEN = 256 << 20  # bytes that are written and deleted, to see whether the host gets them back
SHARED = "/mnt/lxrun-bench"


class Staged(Place):
    """A place whose files are on the host first, and are copied into the VM."""

    def __init__(self, tree, root, source):
        super().__init__(root, source.inside)
        self.programs, self.source = tree, source


class Machine(Engine):
    tried = False  # whether KVM works is known
    apart = False  # it does not see at once what the host does to its files
    idle_since = 0

    def __init__(self, name, place, option, version, image=None):
        self.image, self.apart, self.facts, self.pids = image, bool(image), {}, set()
        self.sockets = BUILD / "bench" / name
        super().__init__(name, "vm", place, self.wrapper(option), version,
                         extra={**CACHE, "XDG_RUNTIME_DIR": str(self.sockets)})

    def wrapper(self, option):
        def wrap(command, cwd, env):
            guest = [a for k, v in env.items() for a in ("-e", f"{k}={v}")]
            return [str(BUILD / "lxrun"), *option, "--vm-set", "vmIdleTimeout=-1", "--cd", cwd, "--clearenv",
                    *guest, *command]

        return wrap

    @property
    def slow(self):
        return True

    def probe(self):
        if self.unavailable or self.pids:
            return not self.unavailable
        try:
            if not Machine.tried:
                self.start()  # finds out about KVM, for good
                self.stop()
                Machine.tried = True
            begin = time.monotonic()
            self.start()
            self.facts["boot s"] = time.monotonic() - begin
            self.facts["how"] = self.how()
            self.make_directory(self.place.inside)
            self.bring()
            self.idle_since = time.monotonic()
        except subprocess.TimeoutExpired as e:
            self.stop()
            self.unavailable = f"no end within {e.timeout:g} s"
        except (Failed, OSError, subprocess.SubprocessError) as e:
            self.stop()
            self.unavailable = str(e)
        return not self.unavailable

    def settle(self):
        self.idle("idle KiB")

    def idle(self, fact):
        if self.pids:
            time.sleep(max(0, self.idle_since + SETTLED - time.monotonic()))
            self.facts[fact] = self.memory()

    def run(self, command, cwd="/", timeout=20, **env):
        try:
            return super().run(command, cwd, timeout, **env)
        finally:
            self.idle_since = time.monotonic()

    def start(self):
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = set(descendants(os.getpid()))
        command, env = self.command(["/bin/true"])
        p = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=BOOT, check=False)
        self.pids = set(descendants(os.getpid())) - before
        process.residents |= self.pids
        if p.returncode:
            raise Failed(process.last_line(p.stderr))

    def stop(self):
        subprocess.run([BUILD / "lxrun", "--shutdown"], env={**os.environ, **self.extra}, timeout=BOOT,
                       stdin=subprocess.DEVNULL, capture_output=True, check=False)
        process.residents -= self.pids
        self.pids = set()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def how(self):
        command, env = self.command(["/bin/true"])
        command.insert(1, "-v")
        p = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=BOOT, check=False)
        return process.last_line(p.stderr).removeprefix("lxrun: ")

    def memory(self):
        """KiB of all that the VM is on the host, as if it were alone there: what its processes map of
        files counts once for each program, since other VMs run the same ones."""
        total, files = 0, {}
        for pid in self.pids & set(process.everything(os.getpid())):
            proc = Path("/proc", str(pid))
            parts = dict(re.findall(r"(\w+):\s+(\d+) kB", (proc / "smaps_rollup").read_text(encoding="ascii") +
                                    (proc / "status").read_text(errors="replace")))
            total += int(parts["Pss_Anon"]) + int(parts["Pss_Shmem"])
            program = os.readlink(proc / "exe")
            files[program] = max(files.get(program, 0), int(parts["RssFile"]))
        return total + sum(files.values())

    def make_directory(self, inside):
        if self.apart:
            self.run(["/bin/mkdir", "-p", inside], timeout=60)
        else:
            super().make_directory(inside)

    def fresh_directory(self):
        if not self.apart:
            return super().fresh_directory()
        name = f"{self.place.inside}/run{next(engines.runs)}"
        self.make_directory(name)
        return name

    def remove_directory(self, inside):
        if self.apart:
            self.run(["/bin/rm", "-rf", inside], timeout=60)
        else:
            super().remove_directory(inside)

    def bring(self):
        """As one file: each of many would take the VM several messages to the host. lxrun packs it, since
        owners are what lxrun says."""
        if self.image:
            inside, outside = self.place.inside, self.place.outside
            subprocess.run([BUILD / "lxrun", "tar", "-C", outside, "--exclude=./all.tar", "--numeric-owner",
                            "-cf", outside / "all.tar", "."], env={**os.environ, **CACHE}, check=True,
                           stdin=subprocess.DEVNULL, timeout=300)
            self.run(["/bin/sh", "-c", f"rm -rf {inside}/data; tar -C {inside} --numeric-owner -xpf {SHARED}/all.tar"],
                     timeout=300)

    def finish(self):
        """What is left to find out of a VM that has served, which ends here."""
        self.idle("idle after work KiB")
        if self.pids and self.image:
            try:
                self.facts["trim"] = self.give_back()
            except Failed as e:
                self.facts["trim"] = str(e)
        self.stop()
        if self.image:
            self.image.unlink(missing_ok=True)

    def give_back(self):
        """[host's bytes before, with a large file, after its deletion]"""
        found, file = [], f"{self.place.inside}/large"
        for command in ("true", f"head -c {WRITTEN} /dev/urandom >{file}", f"rm {file}"):
            self.run(["/bin/sh", "-c", f"{command}; sync"], timeout=300)
            time.sleep(2)
            found.append(self.image.stat().st_blocks * 512)
        return found


class Shared(Machine):
    """Its programs are in an image, the benchmark's directory is one of the host over virtiofs."""

    def __init__(self, place, version, disk):
        shares = ["-b", f"{place.outside}:{place.inside}", "--vm-set", "virtiofs=true"]
        super().__init__("vm-virtiofs", place, ["--vm", "--image", str(disk), *shares], version)
        self.disk, self.apart = disk, True

    def bring(self):
        time.sleep(CACHED)

    def finish(self):
        super().finish()
        self.disk.unlink(missing_ok=True)


def machines(ours, native, version, wanted):
    """One VM for each kind of root. wanted(name): will it be used?"""
    subprocess.run([TOP / "scripts/vm-kernel.py"], env={**os.environ, **CACHE}, check=False,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    tree = ["-r", str(ours.root)]
    image = BUILD / "bench/image.ext4"
    image.unlink(missing_ok=True)
    p = subprocess.run([BUILD / "lxrun", "--to-image", ours.root, image], env={**os.environ, **CACHE},
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    staged = Staged(ours.root, BUILD / "bench/staged", ours)
    shares = ["-b", f"{staged.outside}:{SHARED}"]
    found = [Machine("vm-ext4", staged, ["--vm", "--image", str(image), *shares], version, image),
             Machine("vm-9p", ours, ["--vm", *tree], version),
             Machine("vm-uml", native, ["--vm=uml", "-r", str(native.root)], version)]
    disk = BUILD / "bench/image-virtiofs.ext4"
    found.insert(2, Shared(Staged(ours.root, BUILD / "bench/shared", native), version, disk))
    if p.returncode:
        found[0].unavailable = found[2].unavailable = process.last_line(p.stderr)
    elif wanted(found[2].name):
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", image, disk], check=True)
    return found


