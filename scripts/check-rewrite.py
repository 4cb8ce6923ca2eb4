#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rewriter by golden bytes, and its cache.

tests/rewrite/NAME.in.S is made into a program; rewritten, its code and slots must be those of
NAME.out.S, byte for byte (no NAME.out.S: nothing may be rewritten). A comment behind each syscall
of NAME.in.S says what becomes of it: `moved`, or `left: REASON`. `strip`, `no sections` and `shared` in a
comment of the first lines are about linking; `clean` says that the file is, and `guards: FROM-TO...`
which pages of it are guards.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import expect, failed

from cache_index import index_name

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
TESTS = TOP / "tests/rewrite"
TEXT = 0x401000
PAGE = 4096
FOLIO = 256 << 10
HEAD = struct.Struct("<QQQQQIIIIQQ")
HEAD_SIZE = 384
SLOTS_AT = PAGE
SEGMENT = struct.Struct("<5Q")
MASK = (1 << 64) - 1


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, check=False, **options)


def must(*argv):
    ran = run(*argv)
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: {ran.stderr}")


def rewrite(cache, *files, env=(), verbose=False):
    return run(LXRUN, *["-v"] * verbose, "--rewrite", *map(str, files),
               env={**os.environ, "XDG_CACHE_HOME": str(cache), "LXRUN_CPUID": "trap", **dict(env)})


def checksum(data):
    lane = [1, 2, 3, 4]
    for i, (w,) in enumerate(struct.iter_unpack("<Q", data)):
        x = ((lane[i % 4] ^ w) * 0x9e3779b97f4a7c15) & MASK
        lane[i % 4] = x ^ x >> 29
    return (((lane[0] * 31 + lane[1]) * 31 + lane[2]) * 31 + lane[3]) & MASK


class Entry:
    """An entry of the cache, with its own promises checked (include/rewrite.h)."""

    def __init__(self, file, original):
        data = file.read_bytes()
        (magic, size, check, self.lo, self.slots_size, self.sites, self.moved, segments, cleans,
         original_size, start) = HEAD.unpack_from(data)
        expect("magic", magic, 0x39307772786c)
        expect("size", size, len(data))
        head = data[:16] + bytes(8) + data[24:HEAD_SIZE]  # without the checksum itself
        expect("checksum", check, (checksum(head) * 31 + checksum(data[PAGE:])) & MASK)
        expect("whole pages of slots", self.slots_size % PAGE, 0)
        self.slots = data[SLOTS_AT:SLOTS_AT + self.slots_size]
        self.segments = []
        content = original.read_bytes()
        if segments or cleans:
            expect("its original", (original_size, start),
                   (len(content), checksum(content[:1024].ljust(1024, b"\0"))))
        at = HEAD.size + 4 * SEGMENT.size
        self.clean = [struct.unpack_from("<QQ", data, at + 16 * i) for i in range(cleans)]
        at += 16 * 4
        guards, = struct.unpack_from("<Q", data, at)
        ranges = [struct.unpack_from("<QQ", data, at + 8 + 16 * i) for i in range(guards)]
        self.guards = [f"{start:#x}-{start + size:#x}" for start, size in ranges]
        for i in range(segments):
            vaddr, offset, size, text, was = SEGMENT.unpack_from(data, HEAD.size + i * SEGMENT.size)
            self.segments.append((vaddr, data[text:text + size]))
            # At a place for the page cache's large folios (rewrite/entry.h: ENTRY_FOLIO).
            expect("place of the text", text % min(FOLIO, 1 << (size - 1).bit_length()), 0)
            expect("original pages", data[was:was + size], content[offset:offset + size].ljust(size, b"\0"))


# ---- Golden bytes ----

def link(source, to, address=TEXT):
    head = source.read_text().splitlines()[:5]
    kind = ["-shared", "--hash-style=sysv"] if "// shared" in head else []
    strip = ["-s"] if "// strip" in head else []
    must("gcc", "-c", "-o", to.with_suffix(".o"), source)
    must("ld", *kind, *strip, "-z", "noexecstack", "-z", "separate-code", "--eh-frame-hdr",
         f"-Ttext={address:#x}", "-o", to, to.with_suffix(".o"))
    if "// no sections" in head:
        data = bytearray(to.read_bytes())
        data[0x28:0x30] = bytes(8)  # where they are, their size, number and names
        data[0x3a:0x40] = bytes(6)
        to.write_bytes(data)


def section(elf, name):
    """The bytes of a section."""
    data = elf.read_bytes()
    table, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3a)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    for header in headers:
        at = headers[names][4] + header[0]
        if data[at:data.index(b"\0", at)].decode() == name:
            return data[header[4]:header[4] + header[5]]
    return sys.exit(f"{elf} has no {name}")


def left_sites(output):
    """[(address, reason)], by address, from --rewrite -v."""
    found, reason = [], None
    for line in output.splitlines()[1:]:
        m = re.match(r" +\d+  (.*)", line)
        if m:
            reason = m[1]
        else:
            found.append((int(line, 16), reason))
    return sorted(found)


def compare(what, got, want, address):
    """Bytes, shown where they first differ."""
    for i in range(max(len(got), len(want))):
        if got[i:i + 1] != want[i:i + 1]:
            at = max(0, i - 4)
            expect(f"{what} at {address + i:#x} (bytes from {address + at:#x})",
                   got[at:at + 16].hex(" "), want[at:at + 16].hex(" "))
            return


def check_golden(name, program, work):
    source = (TESTS / f"{name}.in.S").read_text()
    comments = re.findall(r"// (moved|left: .*)", source)
    wanted = [c[len("left: "):] for c in comments if c != "moved"]
    moved = comments.count("moved")
    ran = rewrite(work / "cache", program, verbose=True)
    expect(f"{name}: status and errors", (ran.returncode, ran.stderr), (0, ""))
    left = left_sites(ran.stdout)
    for (address, reason), want in zip(left, wanted):
        if not reason.startswith(want):
            expect(f"{name}: reason at {address:#x}", reason, want)
    expect(f"{name}: number left", len(left), len(wanted))
    counts = re.search(r"(\d+) system calls, (\d+) moved", ran.stdout)
    expect(f"{name}: counts", [int(counts[1]), int(counts[2])] if counts else [0, 0],
           [len(comments), moved])
    clean = "// clean" in source.splitlines()
    expect(f"{name}: clean", ran.stdout.splitlines()[0].endswith(", clean"), clean)
    out = TESTS / f"{name}.out.S"
    entry = Entry(work / "cache/lxrun" / index_name(program), program)
    size = 1 if "// no sections" in source else len(section(program, ".text"))
    expect(f"{name}: clean pages", entry.clean, [(PAGE, -(-size // PAGE) * PAGE)] if clean else [])
    guards = re.search("^// guards: (.*)", source, re.M)
    expect(f"{name}: guards", entry.guards, guards[1].split() if guards else [])
    if not out.exists():
        expect(f"{name}: segments, slots", (len(entry.segments), len(entry.slots)), (0, 0))
        return
    cpuids = re.search(r"(\d+)  cpuid are answered, (\d+) of them moved", ran.stdout)
    cpuids = (int(cpuids[1]), int(cpuids[2])) if cpuids else (0, 0)
    expect(f"{name}: cpuid", cpuids[0], len(re.findall(r"// cpuid\b", source)))
    expect(f"{name}: counts of the entry", (entry.sites, entry.moved), (len(comments) + cpuids[0], moved + cpuids[1]))
    golden = work / f"{name}.golden"
    text_at = TEXT if entry.lo else 0x1000
    must("gcc", "-c", "-o", golden.with_suffix(".o"), out)
    must("ld", f"-Ttext={text_at:#x}", "-e", "0", "-z", "noexecstack",
         f"--section-start=.slots={(entry.lo - entry.slots_size) & MASK:#x}", "-o", golden,
         golden.with_suffix(".o"))
    want_text, want_slots = section(golden, ".text"), section(golden, ".slots")
    vaddr, text = entry.segments[0]
    expect(f"{name}: one segment", (len(entry.segments), vaddr), (1, text_at))
    compare(f"{name}: text", text[:len(want_text)], want_text, text_at)
    compare(f"{name}: slots", entry.slots[:len(want_slots)], want_slots, entry.lo - entry.slots_size)
    expect(f"{name}: behind the slots", entry.slots[len(want_slots):].strip(b"\0"), b"")


# ---- The cache ----

def check_cache(program, other, bigs, work):
    cache = work / "cache/lxrun"
    expect("mode of the cache", cache.stat().st_mode & 0o777, 0o700)
    expect("nothing unfinished", list(cache.glob("t-*")), [])
    before = {f.name: f.lstat().st_ino for f in cache.glob("c-*")}
    copy = work / "old-copy"  # of the same content: the same entry
    expect("copy", rewrite(work / "cache", copy).returncode, 0)
    expect("entries", {f.name: f.lstat().st_ino for f in cache.glob("c-*")}, before)
    expect("shared entry", os.readlink(cache / index_name(copy)),
           os.readlink(cache / index_name(program)))

    plain = work / "plain"
    ran = rewrite(work / "cache", plain, verbose=True)
    expect("not ELF", (ran.returncode, ran.stdout),
           (0, f"{plain}: nothing to rewrite: not an ELF file\n"))
    expect("not ELF: index", os.readlink(cache / index_name(plain)), "c-nothing")

    fresh = work / "fresh"
    shutil.copy(program, fresh)
    ran = rewrite(work / "cache", fresh)
    expect("fresh file", (ran.returncode, "a moment ago" in ran.stderr), (125, True))
    expect("fresh file: index", (cache / index_name(fresh)).is_symlink(), False)
    os.mkfifo(work / "fifo")
    for what in work, work / "fifo", Path("/dev/null"):
        ran = rewrite(work / "cache", what)
        expect(what, (ran.returncode, ran.stderr), (125, f"lxrun: {what}: not a regular file\n"))
    expect("no such file", rewrite(work / "cache", work / "none").returncode, 125)

    # An entry that was cut short is made again.
    entry = cache / os.readlink(cache / index_name(program))
    entry.chmod(0o600)
    os.truncate(entry, PAGE)
    expect("cut short", rewrite(work / "cache", program).returncode, 0)
    Entry(cache / index_name(program), program)

    open_to_all = work / "open/lxrun"
    open_to_all.mkdir(parents=True)
    open_to_all.chmod(0o777)
    ran = rewrite(work / "open", program)
    expect("open to others", (ran.returncode, list(open_to_all.iterdir())), (125, []))

    # Another user's entry is made again, though it is whole.
    if os.geteuid() == 0:
        os.chown(entry, 1, 1)
        expect("another's entry", rewrite(work / "cache", program).returncode, 0)
        expect("another's entry: owner", entry.stat().st_uid, 0)

    # Not all entries fit: the oldest go, and their names in the index. Other files there stay.
    small = work / "small/lxrun"
    small.mkdir(parents=True)
    others = ["c-notes", "notes", "1.2.3", "t-shirt", "deadbeef"]
    for name in others:
        (small / name).write_bytes(bytes(1000000))
        os.utime(small / name, (1, 1))
    link = work / "link"
    link.mkdir()
    (link / "lxrun").symlink_to(small)
    ran = rewrite(link, program, env={"LXRUN_CACHE_MIB": "1"})
    expect("a link for a cache", (ran.returncode, sorted(f.name for f in small.iterdir())), (125, sorted(others)))
    for file in bigs:
        expect("small cache", rewrite(work / "small", file, env={"LXRUN_CACHE_MIB": "1"}).returncode, 0)
    kept = [(small / index_name(f)).exists() for f in bigs]
    expect("the oldest are gone", kept, sorted(kept))
    expect("not all, and not none", (kept[0], kept[-1]), (False, True))
    expect("other files stay", [n for n in others if not (small / n).exists()], [])
    for name in others:
        (small / name).unlink()
    expect("size", sum(f.lstat().st_blocks for f in small.iterdir()) * 512 < 1 << 20, True)
    expect("dangling names", [f for f in small.iterdir() if not f.exists()], [])

    many = [subprocess.Popen([LXRUN, "--rewrite", program, other, plain], stdout=subprocess.DEVNULL,
                             env={**os.environ, "XDG_CACHE_HOME": str(work / "many")})
            for _ in range(8)]
    expect("at the same time", [p.wait() for p in many], [0] * 8)
    Entry(work / "many/lxrun" / index_name(program), program)
    expect("at the same time: unfinished", list((work / "many/lxrun").glob("t-*")), [])


def check_hostile(program, work):
    """Cut off and damaged files are refused or rewritten, without a crash."""
    content = program.read_bytes()
    bad = work / "bad"
    bad.mkdir()
    for n in [0, 1, 63, 64, 100, 200, 400, PAGE, PAGE + 1, len(content) - 1]:
        (bad / f"cut{n}").write_bytes(content[:n])
    for at in range(16, 64 + 56 * 4):
        for value in 0xff, 0x80:
            (bad / f"byte{at}.{value}").write_bytes(content[:at] + bytes([value]) + content[at + 1:])
    ran = run(LXRUN, "--disas", *sorted(map(str, bad.iterdir())))
    expect("damaged files", (ran.returncode, ran.stderr), (0, ""))
    expect("damaged files: all named", len(re.findall(r"^/.*: ", ran.stdout, re.M)),
           len(list(bad.iterdir())))


def check_disas(program):
    ran = run(LXRUN, "--disas", str(program))
    for line in (r"401000  b8 27 00 00 00 +movl \$0x27, %eax", r"401000  e9 1b e0 ff ff +jmp 0x3ff020",
                 r"3ff020  b8 27 00 00 00 +movl \$0x27, %eax", r"3ff025 .*leaq 0x1fdb\(%rip\), %rcx",
                 r"3ff02c .*jmpq \*-0x32\(%rip\)", "system call at 401005, number 39"):
        expect(f"--disas: {line}", bool(re.search(line, ran.stdout)), True)


def main():
    names = sorted(f.name[:-len(".in.S")] for f in TESTS.glob("*.in.S"))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        work = Path(tmp)
        for name in names:
            source = TESTS / f"{name}.in.S"
            shared = "// shared" in source.read_text().splitlines()
            link(source, work / name, 0x1000 if shared else TEXT)
        shutil.copy(work / "contexts", work / "old-copy")
        (work / "plain").write_text("#!/bin/sh\n")
        bigs = [work / f"big{n}" for n in range(8)]
        assembly = work / "big.s"
        assembly.write_text(".globl _start\n_start: mov $39, %eax\nsyscall\nret\n.fill 100000,1,0x90\n")
        must("gcc", "-nostdlib", "-static", "-o", bigs[0], assembly)
        for n, file in enumerate(bigs[1:]):
            file.write_bytes(bigs[0].read_bytes() + bytes([n]))
        time.sleep(3.1)  # younger ones are not kept
        for name in names:
            check_golden(name, work / name, work)
        check_disas(work / "contexts")
        check_cache(work / "contexts", work / "pads", bigs, work)
        check_hostile(work / "contexts", work)
    return failed()


sys.exit(main())
