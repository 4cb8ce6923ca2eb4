#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
"""Rewrites every ELF file of a tree (default build/rootfs) and checks each moved window against a
decoder that is not the rewriter's: objdump. A window must be whole harmless instructions there,
right before a syscall, with no jump and no symbol into it; filler that was taken for a jump must be
nops behind an instruction that does not go on; every other syscall that objdump shows has become a
trap or lies in a guard, where the file is said to be clean; nothing else may have changed.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from cache_index import index_name

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
PAGE, SLOT = 4096, 32
HEAD = struct.Struct("<QQQQQIIIIQQ")
SEGMENT = struct.Struct("<5Q")
GUARDS_AT = HEAD.size + 4 * SEGMENT.size + 4 * 16
MASK = (1 << 64) - 1
# Of libraries that every program uses, nearly all is moved; else this test would prove nothing.
AT_LEAST = {"libc.so.6": 0.9, "ld-linux-x86-64.so.2": 0.85, "ldconfig": 0.9}
GENERAL = (r"%(?:[re]?(?:ax|bx|cx|dx|si|di|bp|sp)|[abcd][lh]|sil|dil|bpl|spl|r\d+[dwb]?)|"
           r"\$-?0x[0-9a-f]+")
STACK_LOAD = re.compile(r"mov[sz]?[bwl]?[wlq]?q?\s+(-?0x[0-9a-f]+)?\(%rsp\),%(?![er]?sp)\w+")
ADDRESS = r"(?:-?0x[0-9a-f]+)?\((?:%r\w+)?(?:,%r\w+,[1248])?\)(?<!%rip\))"
VECTOR_MOVE = r"mov(?:[ua]ps|dq[ua]|[qd])"
PLAIN = re.compile(  # loads and stores, and moves of vector registers
    rf"(?:mov(?:[sz][bw])?[bwlq]?|movslq|{VECTOR_MOVE})\s+"
    rf"(?:(?:{GENERAL}|%xmm\d+),{ADDRESS}|{ADDRESS},(?:{GENERAL}|%xmm\d+))")
VECTOR = re.compile(rf"{VECTOR_MOVE}\s+(?:%xmm\d+,(?:{GENERAL}|%xmm\d+)|(?:{GENERAL}),%xmm\d+)")
HARMLESS = re.compile(
    r"(?:mov(?:abs|zbl|zbq|zwl|zwq|sbl|sbq|swl|swq|slq|zb|sb)?|xchg|add|sub|adc|sbb|and|or|xor|not|"
    rf"neg|inc|dec|cmp|test|imul|sh[lr]|sar|ro[lr]|bt[sr]?|bswap|set\w+|cmov\w+)[bwlq]?\s+(?:(?:{GENERAL}),?)+"
    r"|c[lw]t[lqd]|cqto|cltd|lea[wlq]?\s+(?!.*%rip).*|(?:data16 |cs )*nop[wl]?\b.*|xchg\s+%ax,%ax")
ENDS = re.compile(r"(?:notrack |bnd |repz )*(?:jmp|ret|hlt|ud2|int3)")
problems = []


class Original:
    """What objdump says about a file."""

    def __init__(self, file):
        self.text, self.length, self.targets, self.previous = {}, {}, set(), {}
        last = None
        p = subprocess.Popen(["objdump", "-d", "-w", str(file)],
                             stdout=subprocess.PIPE, text=True)
        for line in p.stdout:
            m = re.match(r"\s*([0-9a-f]+):\t([0-9a-f ]+)\t?(.*)", line)
            if not m:
                m = re.match(r"([0-9a-f]+) <", line)
                if m:
                    self.targets.add(int(m[1], 16))
                continue
            at, text = int(m[1], 16), m[3].split("#")[0].strip()
            self.length[at], self.text[at] = len(m[2].split()), text
            self.previous[at] = last
            last = at
            m = re.match(r"(?:bnd |notrack )*(?:j\w+|call\w?|loop\w*|xbegin)\s+([0-9a-f]+)\b", text)
            if m:
                self.targets.add(int(m[1], 16))
        p.wait()

    def instructions(self, start, end):
        """The texts of [start, end); None: these are no instruction boundaries."""
        found = []
        while start < end and start in self.length:
            found.append(self.text[start])
            start += self.length[start]
        return found if start == end else None

    def jumped_into(self, start, end):
        return [hex(a) for a in range(start + 1, end) if a in self.targets]


RELATIVE = re.compile(r"lea\s+-?0x[0-9a-f]+\(%rip\),%r(?!sp)\w+")  # its displacement is changed


def check_window(say, original, window, site, relative):
    texts = original.instructions(window, site)
    if texts is None or original.text.get(site) not in ("syscall", "cpuid"):
        say("is not whole instructions before a syscall or cpuid")
        return
    for text in texts:
        if STACK_LOAD.fullmatch(text):
            continue
        moves = HARMLESS.fullmatch(text) or VECTOR.fullmatch(text)
        if not moves and relative and RELATIVE.fullmatch(text):
            moves, relative = True, False  # one at the most
        if not moves and site - window >= 5:
            moves = PLAIN.fullmatch(text)
        if not moves or re.search(r"(?!cmp|test)^\w+.*,%[er]?sp$", text):
            say(f"has '{text}'")
    if relative:
        say("has nothing that is relative")
    if original.jumped_into(window, site):
        say(f"is jumped into at {original.jumped_into(window, site)}")


def check_pad(say, original, pad):
    at = pad
    while at not in original.length and at > pad - 16:
        at -= 1
    end = at
    while end < pad + 5:
        if not re.match(r"(?:data16 |cs )*nop|xchg\s+%ax,%ax|int3", original.text.get(end, "")):
            say(f"has a pad with '{original.text.get(end)}'")
            return
        end += original.length[end]
    if original.jumped_into(pad - 1, pad + 5):
        say("has a pad that is jumped to")
    while re.match(r"(?:data16 |cs )*nop|xchg\s+%ax,%ax", original.text[at]):
        at = original.previous[at]
    if not ENDS.match(original.text[at]):
        say(f"has a pad behind '{original.text[at]}'")


def windows_of(data, slots, size, moved):
    """[(start, end)] of the windows that moved."""
    found = []
    for n in range(1, min(size // SLOT, moved + 1)):
        slot = data[PAGE + n * SLOT:PAGE + (n + 1) * SLOT]
        end = slots + n * SLOT + slot[-1] + 7 + struct.unpack_from("<i", slot, slot[-1] + 3)[0] - 2
        found.append((end - slot[-1], end))
    return found


def check_file(file, entry):
    """Returns the numbers of sites and moved sites, and whether the file is clean."""
    data = entry.read_bytes()
    _, _, _, lo, slots_size, sites, moved, segments, cleans, *_ = HEAD.unpack_from(data)
    if not slots_size and not cleans:
        return sites, 0, False
    original = Original(file)
    guards, = struct.unpack_from("<Q", data, GUARDS_AT)
    guarded = [struct.unpack_from("<QQ", data, GUARDS_AT + 8 + 16 * i) for i in range(guards)]
    left = {at for at, text in original.text.items()
            if re.match(r"(?:[\w.]+ )*(?:syscall|sysenter|int +\$0x80)", text)
            and not any(at - start < size for start, size in guarded if at >= start)}
    pages = []  # [address, rewritten, original], to be changed back below
    for i in range(segments):
        vaddr, _, size, text, was = SEGMENT.unpack_from(data, HEAD.size + i * SEGMENT.size)
        pages.append((vaddr, bytearray(data[text:text + size]), data[was:was + size], data[text:text + size]))
    windows = windows_of(data, lo - slots_size, slots_size, moved)
    for n in range(1, slots_size // SLOT):
        slot = data[PAGE + n * SLOT:PAGE + (n + 1) * SLOT]
        address = lo - slots_size + n * SLOT
        if not any(slot):
            break
        length = slot[-1]
        back, = struct.unpack_from("<i", slot, length + 3)
        site = address + length + 7 + back - 2
        window = site - length

        def say(what, where=f"{file}: window {window:#x}-{site:#x}"):
            problems.append(f"{where} {what}")

        gate, = struct.unpack_from("<i", slot, length + 9)
        cpuid = original.text.get(site) == "cpuid"
        if (slot[length:length + 3] != (b"\x48\x8d\x15" if cpuid else b"\x48\x8d\x0d")
                or slot[length + 7:length + 9] != b"\xff\x25"
                or address + length + 13 + gate != lo - slots_size + 8 * cpuid
                or slot[length + 13:-2].strip(b"\xcc")):
            say("has a wrong slot")
        vaddr, now, was, made = next(p for p in pages if p[0] <= window < p[0] + len(p[1]))
        at = window - vaddr
        if not (cpuid or site in left) or made[site - vaddr] != 0xf4:
            say("has no system call that traps")
        left.discard(site)
        now[site - vaddr] = was[site - vaddr]
        if n > moved:
            if length:
                say("is not in order")
            continue
        moved_code, relative = bytearray(slot[:length]), slot[-2]
        if relative + 4 <= length:
            there, = struct.unpack_from("<i", slot, relative)
            struct.pack_into("<i", moved_code, relative, there + address - window)
        elif relative != 0xcc:
            say("has a wrong displacement")
        if moved_code != was[at:at + length]:
            say("was not moved as it is")
        jump = at
        if made[at] == 0xeb:
            jump = at + 2 + struct.unpack_from("<b", made, at + 1)[0]
            if not any(start + 5 <= vaddr + jump <= end - 5 for start, end in windows):
                check_pad(say, original, vaddr + jump)
        if made[jump] != 0xe9 or vaddr + jump + 5 + struct.unpack_from("<i", made, jump + 1)[0] != address:
            say("does not jump to its slot")
        check_window(say, original, window, site, relative != 0xcc)
        now[at:at + length] = was[at:at + length]
        now[jump:jump + 5] = was[jump:jump + 5]
    if cleans and left:
        problems.append(f"{file}: is not clean: {[hex(at) for at in left]}")
    for vaddr, now, was, _ in pages:
        if now != was:
            problems.append(f"{file}: other bytes of {vaddr:#x} changed")
    return sites, moved, bool(cleans)


def elf_files(tree):
    for top, _, names in os.walk(tree):
        for name in names:
            file = Path(top, name)
            try:
                if file.is_file() and not file.is_symlink() and file.open("rb").read(4) == b"\x7fELF":
                    yield file
            except OSError:
                pass  # not ours to read


def main():
    tree = Path(sys.argv[1]) if len(sys.argv) > 1 else TOP / "build/rootfs"
    if not tree.is_dir():
        print(f"no {tree}: make rootfs makes it")
        return 77
    files = sorted(elf_files(tree))
    total = total_moved = total_clean = 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as cache:
        for i in range(0, len(files), 100):
            ran = subprocess.run([LXRUN, "--rewrite", *map(str, files[i:i + 100])], text=True, check=False,
                                 capture_output=True,
                                 env={**os.environ, "XDG_CACHE_HOME": cache, "LXRUN_CPUID": "trap"})
            if ran.returncode:
                problems.append(f"--rewrite: status {ran.returncode}: {ran.stderr}")
        for file in files:
            entry = Path(cache, "lxrun", index_name(file))
            if not entry.exists():
                problems.append(f"{file}: not in the cache")
                continue
            sites, moved, clean = check_file(file, entry)
            total, total_moved, total_clean = total + sites, total_moved + moved, total_clean + clean
            if file.name in AT_LEAST and not clean:
                problems.append(f"{file}: is not clean")
            if moved < sites * AT_LEAST.pop(file.name, 0):
                problems.append(f"{file}: only {moved} of {sites} sites moved")
    if len(sys.argv) == 1:
        problems.extend(f"{name} was not there" for name in AT_LEAST)
    print("\n".join(problems[:100]) or
          f"{len(files)} files, {total_clean} clean, {total_moved} of {total} system calls moved, "
          "all checked")
    return bool(problems)


sys.exit(main())
