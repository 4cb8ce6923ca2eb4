# SPDX-License-Identifier: MIT
"""What the workloads need before the clock runs: the program, the native tree, the data sets."""
import gzip
import hashlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from process import Failed

TOP = Path(__file__).resolve().parent.parent
BENCH = TOP / "bench"
BUILD = TOP / "build"


def build_micro():
    """build/bench/micro, static: it runs in any tree."""
    binary = BUILD / "bench/micro"
    sources = sorted(BENCH.glob("micro*.c"))
    inputs = [*sources, BENCH / "micro.h", Path(__file__)]
    if not binary.exists() or binary.stat().st_mtime < max(f.stat().st_mtime for f in inputs):
        subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                        "-static", "-pthread", "-o", binary, *sources], check=True)
    return binary


def native_tree(tree, copy):
    """A copy of lxrun's tree with the owners and modes of the guest as the host's own."""
    stamp = copy.with_name(copy.name + ".stamp")
    made_from = str(os.stat(f"{tree}.stamp").st_mtime_ns)
    if stamp.exists() and stamp.read_text(encoding="ascii") == made_from:
        return copy
    shutil.rmtree(copy, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    copy.mkdir()
    for d in "dev", "proc", "sys":
        (copy / d).mkdir()
    with subprocess.Popen([BUILD / "lxrun", "-r", tree, "tar", "-C", "/", "-c",
                           *(f"--exclude=./{d}" for d in ("dev", "proc", "sys", "tmp/*", "var/tmp/*")),
                           "."], stdout=subprocess.PIPE) as packing:
        subprocess.run(["tar", "-x", "-p", "--numeric-owner", "-C", copy], stdin=packing.stdout,
                       check=True)
    if packing.returncode:
        raise SystemExit(f"bench: tar of {tree} ended with status {packing.returncode}")
    stamp.write_text(made_from, encoding="ascii")
    return copy


def warm(lxrun, cache, place, whole_tree):
    """Puts the rewritten code of our own program, and of all of the tree, into lxrun's cache."""
    stamp = BUILD / f"bench/warm-{place.root.name}"
    made_from = [str(os.stat(f).st_mtime_ns) for f in (lxrun, f"{place.root}.stamp")]
    known = stamp.exists() and stamp.read_text(encoding="ascii").split() == made_from
    if whole_tree and not known:
        files = [f for d in ("bin", "sbin", "lib", "libexec")
                 for f in (place.root / "usr" / d).rglob("*") if is_program(f)]
        for i in range(0, len(files), 500):
            rewrite(lxrun, cache, files[i:i + 500])
        stamp.write_text(" ".join(made_from), encoding="ascii")
    for _ in range(50):  # a file that is younger than two seconds is refused
        if rewrite(lxrun, cache, [place.outside / "micro"]):
            return
        time.sleep(0.1)


def rewrite(lxrun, cache, files):
    os.makedirs(cache["XDG_CACHE_HOME"], exist_ok=True)
    return subprocess.run([lxrun, "--rewrite", *files], env={**os.environ, **cache},
                          capture_output=True, check=False).returncode == 0


def is_program(path):
    """An ELF file that can be mapped: executable or shared object."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with open(path, "rb") as f:
            head = f.read(18)
    except OSError:
        return False
    return head[:4] == b"\x7fELF" and head[16:17] in (b"\2", b"\3")


# Whole programs

def missing(place, group):
    """Why a group's script cannot be run in a place, None when it can."""
    script = BENCH / f"whole/{group}.sh"
    if not place or not script.exists():
        return None
    needs = re.search(r"(?m)^# needs: (.*)", script.read_text(encoding="utf-8"))
    lacking = [c for c in (needs[1].split() if needs else [])
               if not any(os.path.lexists(place.programs / d / c) for d in ("usr/bin", "usr/sbin"))]
    return f"no {' '.join(lacking)} in {place.root.name or 'the host'}" if lacking else None


def prepare(engine, group, divisor, limit):
    """Scripts and data set of a group in the engine's place; nothing when they are there."""
    place = engine.place
    if group in place.ready or not (BENCH / f"whole/{group}.sh").exists():
        return
    shutil.copytree(BENCH / "whole", place.outside / "whole", dirs_exist_ok=True)
    data = place.outside / "data"
    shutil.rmtree(data, ignore_errors=True)  # one group at a time
    place.ready.clear()
    if place.source and group in place.source.ready:  # an emulated processor would set up for minutes
        subprocess.run(["cp", "-a", place.source.outside / "data", place.outside], check=True)
        engine.bring()
        place.ready.add(group)
        return
    data.mkdir()
    if group in MAKERS:
        MAKERS[group](data, divisor)
    engine.bring()
    engine.run(["/bin/bash", f"{place.inside}/whole/{group}.sh", "setup"], f"{place.inside}/data", limit,
               DATA=f"{place.inside}/data", DIVISOR=str(divisor))
    place.ready.add(group)


def text(rng, size):
    """Words: compresses as source text does."""
    words = []
    while size > 0:
        words.append(rng.choice(WORDS))
        size -= len(words[-1]) + 1
    return " ".join(words).encode() + b"\n"


def make_owned_files(data, divisor):
    make_files(data, divisor, [(1000, 1001), (1001, 1001), (33, 33), (1000, 0), (0, 0)])


def make_files(data, divisor, owners=((0, 0),)):
    """The same 5,000 files in both archives, 100 to a directory."""
    rng, sums, large = random.Random(1), hashlib.md5(), 0
    with tarfile.open(data / "files.tar", "w") as tar:
        for i in range(5000 // divisor):
            if i % 100 == 0:
                add(tar, f"d{i // 100:03}", None, owner=owners[i // 100 % len(owners)])
            content = text(rng, rng.choice((100, 1000, 3000, 10000)))
            add(tar, f"d{i // 100:03}/f{i % 100:02}", content, 0o755 if i % 10 == 0 else 0o644,
                owners[i % len(owners)])
            sums.update(content)
            large += len(content) > 4096  # find counts 1 KiB units, rounded up
    with open(data / "files.tar", "rb") as plain, gzip.GzipFile(data / "files.tar.gz", "wb",
                                                                 mtime=0) as zipped:
        shutil.copyfileobj(plain, zipped)
    (data / "files.sum").write_text(f"{sums.hexdigest()}  -\n", encoding="ascii")
    (data / "files.large").write_text(f"{large}\n", encoding="ascii")


def add(tar, name, content, mode=0o755, owner=(0, 0)):
    """One member; a directory without content."""
    info = tarfile.TarInfo(name)
    info.uid, info.gid = owner
    info.mode, info.mtime = mode, 1_700_000_000
    if content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    else:
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))


def make_git(data, divisor):
    """A fast-import stream of one commit."""
    rng = random.Random(2)
    with open(data / "git.import", "wb") as out:
        out.write(b"commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 2\nx\n\n")
        for i in range(3000 // divisor):
            content = text(rng, rng.choice((100, 1000, 3000)))
            out.write(b"M 100644 inline d%02d/s%d/f%d\ndata %d\n%s\n" % (
                i % 60, i % 3, i, len(content), content))


def make_project(data, divisor):
    """C files with a Makefile, and a CMakeLists.txt that looks at the system first."""
    project = data / "project"
    project.mkdir()
    count = 50 // divisor
    for i in range(count):
        (project / f"f{i}.c").write_text(C_FILE.replace("@", str(i)), encoding="ascii")
    names = [f"f{i}" for i in range(count)]
    (project / "all.h").write_text("".join(f"long {n}(long n);\n" for n in names), encoding="ascii")
    (project / "main.c").write_text(
        '#include "all.h"\n#include <stdio.h>\nint main(void)\n{\n    return printf("%ld\\n", '
        + " + ".join(f"{n}(10)" for n in names) + ") < 0;\n}\n", encoding="ascii")
    (project / "Makefile").write_text(MAKEFILE, encoding="ascii")
    checks = [some[:max(1, len(some) // divisor)] for some in (HEADERS, FUNCTIONS)]
    (project / "CMakeLists.txt").write_text(CMAKE_LISTS % tuple(map(" ".join, checks)), encoding="ascii")
    found = sum(len(c) for c in checks) - ("strlcpy_missing" in checks[1])
    (data / "project.found").write_text(f"{found}\n", encoding="ascii")
    (data / "project.sum").write_text(f"{sum(45 + 10 * i for i in range(count))}\n", encoding="ascii")


def copy_npm(to):
    """Debian's npm, and of what its package depends on, what npm itself needs: a fortieth."""
    subprocess.run([BENCH / "peers", "npm"], check=True)
    modules, wanted, found = BUILD / "bench/peers/usr/share/nodejs", ["npm"], set()
    if not (modules / "npm").is_dir():
        raise Failed("bench/peers could not get npm")
    while wanted:
        name = wanted.pop().split("/")[0]  # what is common to a scope lies in its directory
        if name in found or not (modules / name).is_dir():  # some are inside others
            continue
        found.add(name)
        shutil.copytree(modules / name, to / name, symlinks=True, dirs_exist_ok=True)
        for package in (modules / name).rglob("package.json"):
            wanted += json.loads(package.read_text(encoding="utf-8")).get("dependencies", {})


def make_npm(data, divisor):
    """npm; 20 packages of 20 files, and a project that depends on all of them."""
    copy_npm(data / "nodejs")
    project, count = data / "npm/project", max(20 // divisor, 2)
    project.mkdir(parents=True)
    for i in range(count):
        package = data / f"npm/p{i}"
        package.mkdir()
        write_json(package / "package.json", {"name": f"p{i}", "version": "1.0.0", "main": "f0.js"})
        for j in range(20):
            (package / f"f{j}.js").write_text(f"module.exports = {i + j};\n", encoding="ascii")
    write_json(project / "package.json", {
        "name": "project", "version": "1.0.0",
        "dependencies": {f"p{i}": f"file:../p{i}" for i in range(count)}})
    (project / "index.js").write_text(
        "module.exports = " + " + ".join(f'require("p{i}")' for i in range(count)) + ";\n",
        encoding="ascii")
    (data / "npm.sum").write_text(f"{sum(range(count))}\n", encoding="ascii")


def make_nginx(data, _):
    (data / "nginx.file").write_bytes(text(random.Random(3), 20000))


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="ascii")


MAKERS = {"files": make_files, "owners": make_owned_files, "git": make_git, "owners-git": make_git, "build": make_project, "npm": make_npm,
          "nginx": make_nginx}
WORDS = "if else for while return int long char struct static const void size count name".split()
C_FILE = """#include "all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

long f@(long n)
{
    int values[64];
    long sum = 0;
    char text[32];
    for (int i = 0; i < n; i++)
        values[i] = (i * 7) % (int)n;
    qsort(values, n, sizeof *values, compare);
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%d", values[i]);
        sum += strtol(text, NULL, 10) + @;
    }
    return strlen(text) ? sum : 0;
}
"""
MAKEFILE = """obj := $(patsubst %.c,%.o,$(wildcard *.c))
sum: $(obj)
\tgcc -o $@ $^
%.o: %.c all.h
\tgcc -O2 -c -o $@ $<
"""
HEADERS = "stdint sys/epoll sys/mman pthread".split()
FUNCTIONS = "poll strlcpy_missing mmap eventfd getrandom".split()
CMAKE_LISTS = """cmake_minimum_required(VERSION 3.13)
project(sum C)
include(CheckIncludeFile)
include(CheckFunctionExists)
foreach(header %s)
    string(MAKE_C_IDENTIFIER HAVE_${header} have)
    check_include_file(${header}.h ${have})
endforeach()
foreach(function %s)
    check_function_exists(${function} HAVE_FUNCTION_${function})
endforeach()
file(GLOB sources *.c)
add_executable(sum ${sources})
"""
