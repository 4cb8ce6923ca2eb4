# SPDX-License-Identifier: MIT
"""The utility VMs as engines (--vm), and what is measured of a VM as a whole.

Each is started once and stays; the runs join it. It runs for the benchmark alone: its sockets are in a
directory of its own. What a run needs is put into a VM by commands in it, since what the host does to
a tree while a VM has it is not what is measured.
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

import process
from engines import BUILD, CACHE, TOP, Engine, Place
from process import Failed, descendants

BOOT = 120  # seconds
SETTLED = 8  # seconds after which an idle VM has given back what it does not need
WRITTEN = 256 << 20  # bytes that are written and deleted, to see whether the host gets them back
SHARED = "/mnt/lxrun-bench"


class Staged(Place):
    """A place whose files are on the host first, and are copied into the VM."""

    def __init__(self, tree, root, inside):
        super().__init__(root, inside)
        self.programs = tree


class Machine(Engine):
    def __init__(self, name, place, option, version, image=None):
        self.image, self.facts, self.pids = image, {}, set()
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
            self.start()  # finds out about KVM, for good
            self.stop()
            begin = time.monotonic()
            self.start()
            self.facts["boot s"] = time.monotonic() - begin
            self.facts["how"] = self.how()
            time.sleep(SETTLED)
            self.facts["idle KiB"] = self.memory()
            self.make_directory(self.place.inside)
            self.bring()
        except (Failed, OSError, subprocess.SubprocessError) as e:
            self.stop()
            self.unavailable = str(e)
        return not self.unavailable

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
        """KiB of all that the VM is on the host."""
        from measure import proportional_set_size  # pylint: disable=import-outside-toplevel
        return sum(map(proportional_set_size, self.pids & set(process.everything(os.getpid()))))

    def make_directory(self, inside):
        self.run(["/bin/mkdir", "-p", inside], timeout=60)

    def remove_directory(self, inside):
        self.run(["/bin/rm", "-rf", inside], timeout=60)

    def bring(self):
        if self.image:
            inside = self.place.inside
            self.run(["/bin/sh", "-c", f"rm -rf {inside}/data; cp -a {SHARED}/. {inside}"], timeout=300)

    def finish(self):
        """What is left to find out of a VM that has served, which ends here."""
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
        self.disk = disk

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
    staged = Staged(ours.root, BUILD / "bench/staged", ours.inside)
    shares = ["-b", f"{staged.outside}:{SHARED}"]
    found = [Machine("vm-ext4", staged, ["--vm", "--image", str(image), *shares], version, image),
             Machine("vm-9p", ours, ["--vm", *tree], version),
             Machine("vm-uml", native, ["--vm=uml", "-r", str(native.root)], version)]
    disk = BUILD / "bench/image-virtiofs.ext4"
    found.insert(2, Shared(Staged(ours.root, BUILD / "bench/shared", ours.inside), version, disk))
    if p.returncode:
        found[0].unavailable = found[2].unavailable = process.last_line(p.stderr)
    elif wanted(found[2].name):
        subprocess.run(["cp", "--reflink=auto", "--sparse=always", image, disk], check=True)
    return found


