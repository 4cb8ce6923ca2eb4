#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each folder uses only the folders below it: in the headers that its files include, and in the
symbols that its objects of lxcore need (which an `extern` of one's own does not get round).
"""
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent

# Folder: the folders whose headers and functions it may use besides its own.
MAY_USE = {
    "host": "",
    "task": "host",
    "fs": "host task",
    "loader": "host task fs",
    "syscalls": "fs task loader host",
    "trap": "task host",
    "rewrite": "",
    "cli": "rewrite vm",
    "vm": "",
}
# The uses upwards, by header or symbol, each with its reason.
EXCEPTIONS = {
    "trap": {"dispatch", "dispatch_full"},  # the one call from the door
    "syscalls": {"trap.h", "door_return"},  # declares dispatch; when a tracer has set registers
    # A new thread arms its engine itself; one that is traced takes its own text back.
    "task": {"trap.h", "trap_arm", "rewritten.h", "rewritten_take_back"},
    "loader": {"trap.h", "trap_install", "door_return"},  # the first one too; the way into the guest
    # Where a clone's child goes, and a call that is passed on: still in .hostcall.
    "host": {"door_return", "task_child_start", "door_check", "door_full", "door_again"},
}
# Interfaces of task/ that trap/ implements, since it knows the addresses of the door.
INTERFACES = ("signal_", "uaccess_")
# The folder that a header of include/ belongs to is the lowest one with a source of its name; these
# have none. "" is for all (ABI, table, plain types).
HEADERS = {
    "types.h": "", "layout.h": "", "arguments.inc": "", "fixup.inc": "", "syscalls.def": "", "syscall_rows.h": "",
    "instance.h": "", "cred.h": "", "devlink.h": "", "drive.h": "", "drivename.h": "",
    "rewrite.h": "", "attr.h": "", "newcalls.h": "",  # shared by both programs
    "fail.h": "",  # shared by all that is hosted
    "host.h": "host",
    "signal.h": "task", "uaccess.h": "task",
    "seccomp.h": "syscalls",
    "fs.h": "fs", "metadata.h": "fs",
    "loader.h": "loader",
    "trap.h": "trap",
    "vm.h": "vm",
}

errors = []


def folder_of(header):
    """The folder of a header in include/, or None."""
    if header in HEADERS:
        return HEADERS[header]
    stem = header.rsplit(".", 1)[0]
    return next((f for f in MAY_USE if list((TOP / f).glob(stem + ".[cS]"))), None)


def allowed(user, used):
    return used in ("", user) or used in MAY_USE[user].split()


def check_includes(path, folder):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not m or (path.parent / m[1]).exists() and path.parent.name != "include":
            continue
        where = f"{path.relative_to(TOP)}:{number}"
        used = folder_of(m[1])
        if used is None:
            errors.append(f"{where}: {m[1]} belongs to no folder yet: add it to HEADERS")
        elif folder and not allowed(folder, used) and m[1] not in EXCEPTIONS.get(folder, ()):
            errors.append(f"{where}: {folder}/ may not use {m[1]} of {used}/")
        elif not folder and used:
            errors.append(f"{where}: a header for all may not use {m[1]} of {used}/")


def check_symbols():
    core = TOP / "build/core"
    defined, needed = {}, []
    for obj in sorted(core.rglob("*.o")):
        source = obj.relative_to(core).with_suffix("")  # host/lib.c.o is of host/lib.c
        if not (TOP / source).exists():
            continue  # left over from before a file moved
        folder = source.parts[0]
        nm = subprocess.run(["nm", "-g", obj], capture_output=True, text=True, check=True)
        for line in nm.stdout.splitlines():
            kind, name = line.split()[-2:]
            if kind == "U":
                needed.append((source, name))
            else:
                defined[name] = "task" if name.startswith(INTERFACES) else folder
    for source, name in needed:
        folder, used = source.parts[0], defined.get(name, "")
        if not allowed(folder, used) and name not in EXCEPTIONS.get(folder, ()):
            errors.append(f"{source}: {folder}/ may not use {name} of {used}/")


for name in MAY_USE:
    for file in sorted((TOP / name).rglob("*.[chS]")):
        check_includes(file, name)
for file in sorted((TOP / "include").iterdir()):
    check_includes(file, folder_of(file.name) or "")
check_symbols()
print("\n".join(errors), end="\n" if errors else "")
sys.exit(bool(errors))
