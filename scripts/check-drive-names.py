#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 300
"""Names that Windows' file systems refuse, in a drive that keeps them as WSL does (drivename.h): a guest
finds what ext4 gives it, the host finds the mapped names. In a directory with names=windows, where root
may mount them also on NTFS, exFAT and FAT.

    scripts/check-drive-names.py
"""
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = Path(os.environ.get("LXRUN", str(TOP / "build/lxrun")))
REFUSED = {*range(1, 32), *b'"*:<>?\\|'}
failures = 0


def wrong(what):
    global failures
    failures += 1
    print(what)


def on_host(name):
    last = len(name) - 1
    return b"".join(chr(0xF000 + c).encode() if c in REFUSED or (i == last and c in b". ") else bytes([c])
                    for i, c in enumerate(name))


def is_utf8(name):
    return name.decode(errors="replace").encode() == name


def unescape(text):
    out, i = b"", 0
    while i < len(text):
        n = 3 if text[i] == "%" else 1
        out += bytes.fromhex(text[i + 1:i + 3]) if n == 3 else text[i].encode()
        i += n
    return out


class Place:
    def __init__(self, work):
        self.work, self.root, self.bin = work, work / "root", work / "bin"
        for d in "proc", "dev", "bin", "d":
            (self.root / d).mkdir(parents=True)
        self.bin.mkdir()
        subprocess.run(["gcc", "-O1", "-static", "-o", self.bin / "names", TOP / "tests/volfs/names.c"], check=True)

    def guest(self, drive, options, *argv, cwd="/d"):
        ran = subprocess.run([LXRUN, "-r", self.root, "-b", f"{self.bin}:/bin", "-b", f"{drive}:/d:{options}",
                              "--cd", cwd, *argv], capture_output=True, check=False, timeout=200)
        if ran.returncode:
            wrong(f"{argv} with {options}: status {ran.returncode}: {ran.stderr.decode(errors='replace')}")
        return ran.stdout.decode(errors="backslashreplace").splitlines()

    def native(self, how):
        place = self.work / f"native.{how}"
        place.mkdir()
        return subprocess.run([self.bin / "names", how], cwd=place, capture_output=True, text=True,
                              check=True).stdout.splitlines()

    def same(self, what, drive, options, how):
        got, truth = self.guest(drive, options, "/bin/names", how), self.native_of[how]
        if len(got) != len(truth):
            wrong(f"{what} {how}: {len(got)} lines, not {len(truth)}")
        for a, b in zip(got, truth):
            if a != b:
                wrong(f"{what} {how}:\n  guest  " + " ".join(x for x, y in zip(a.split(), b.split()) if x != y or "name=" in x) +
                      "\n  native " + " ".join(y for x, y in zip(a.split(), b.split()) if x != y or "name=" in y))
                if failures > 5:
                    sys.exit(1)

    def host_has(self, what, drive):
        names = {unescape(x.split("=", 1)[1].strip()) for x in self.native_of["listed"] if "=" in x}
        want, got = {on_host(n) for n in names}, set(os.listdir(os.fsencode(drive)))
        if what.endswith("few"): # names are UTF-8, and case may not tell them apart
            want, got = ({n.decode().lower() for n in names if is_utf8(n)} for names in (want, got))
        if want != got:
            wrong(f"{what}: on the host {sorted(want ^ got)[:10]}")


def empty(drive):
    for entry in os.scandir(os.fsencode(drive)):
        (os.rmdir if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)


def in_a_directory(place):
    drive = place.work / "drive"
    drive.mkdir()
    for options in "names=windows", "names=windows,metadata", "names=windows,case=off":
        place.same(options, drive, options, "all")
        left = os.listdir(os.fsencode(drive))
        if left:
            wrong(f"{options}: left {left}")
    place.same("listed", drive, "names=windows", "listed")
    place.host_has("listed", drive)
    empty(drive)
    place.same("exact", drive, "names=exact", "listed")
    if "a:b" not in os.listdir(drive) or "a\uf03ab" in os.listdir(drive):
        wrong("names=exact maps")
    empty(drive)


def is_seen(place, drive, host, guest):
    """A file that the host calls so: what the guest is shown, and finds by that."""
    (drive / host).write_text("x")
    lines = place.guest(drive, "names=windows", "/bin/names", "seen")
    (drive / host).unlink()
    name = [unescape(x.split("=", 1)[1]).decode() for x in lines if "=" in x]
    if name != [guest] or "stat:0" not in lines[-1]:
        wrong(f"{host!r} on the host is {name}, not {guest!r}: {lines}")


def made_by_the_host(place):
    drive = place.work / "drive"
    for host, guest in (("a\uf03ab", "a:b"), ("a\uf02eb", "a\uf02eb"), ("a\uf02e", "a."), ("\uf02e", "\uf02e"),
                        (".\uf02e", ".\uf02e"), ("..\uf02e", "..."), ("a\uf02fb", "a\uf02fb"), ("a\uf000b", "a\uf000b"),
                        ("a\uf05c", "a\\"), ("a\uf07cb", "a|b"), ("a\uf041b", "a\uf041b"), ("a\uf101b", "a\uf101b"),
                        ("a\uf020", "a "), ("a:b", "a:b"), ("a?b:c", "a?b:c"), ("\uf001\uf01f", "\x01\x1f")):
        is_seen(place, drive, host, guest)
    # Where both are there, the mapped one comes first; what does not fit is an error of the host's.
    (drive / "a:b").write_text("1")
    (drive / "a\uf03ab").write_text("333")
    lines = place.guest(drive, "names=windows", "/bin/names", "long")
    if lines != [" 85:0 86:36 255:0", " both:3"]:
        wrong(f"long names: {lines}")
    empty(drive)


MOUNTS = {
    "ntfs": (["mkntfs", "-F", "-Q"], (["ntfs-3g"], ["mount", "-t", "ntfs3"])),
    "exfat": (["mkfs.exfat"], (["mount", "-t", "exfat"], ["mount.exfat-fuse"])),
    "vfat": (["mkfs.vfat"], (["mount", "-t", "vfat", "-o", "utf8"],)),
}


def on_windows(place, kind):
    image, drive = place.work / f"{kind}.img", place.work / kind
    drive.mkdir()
    with open(image, "wb") as f:
        f.truncate(48 << 20)
    make, ways = MOUNTS[kind]
    try:
        loop = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no loop device"
    try:
        subprocess.run([*make, loop], capture_output=True, check=True)
        for way in ways:
            try:
                if not subprocess.run([*way, loop, drive], capture_output=True, check=False).returncode:
                    break
            except OSError:
                pass
        else:
            return "cannot be mounted here"
        try:
            # Nothing is said of names: the file system's type tells.
            place.same(kind, drive, "uid=0", "few")
            empty(drive)
            place.guest(drive, "uid=0", "/bin/names", "listed")
            place.host_has(f"{kind} few", drive)
            lines = place.guest(drive, "uid=0", "/bin/names", "cannot")
            print(f"{kind}: {lines[0].strip()}")
            if "utf8:84" not in lines[0] and "utf8:22" not in lines[0] and "utf8:2 " not in lines[0]:
                wrong(f"{kind}: {lines}")
        finally:
            subprocess.run(["umount", drive], check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no program to make it"
    finally:
        for _ in range(20):  # the driver may still have it
            if not subprocess.run(["losetup", "-d", loop], capture_output=True, check=False).returncode:
                break
            time.sleep(0.2)
    return None


def main():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        place = Place(Path(tmp))
        place.native_of = {how: place.native(how) for how in ("few", "all", "listed")}
        in_a_directory(place)
        made_by_the_host(place)
        for kind in MOUNTS if not os.geteuid() else ():
            why = on_windows(place, kind)
            if why:
                print(f"{kind}: {why}")
    return bool(failures)


sys.exit(main())
