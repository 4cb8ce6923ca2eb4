# SPDX-License-Identifier: MIT
"""What is found out of each way to run programs besides how long it takes: whether the programs that
look at what file systems do pass there, and whether a container can be made."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from process import Failed

TOP = Path(__file__).resolve().parent.parent
# Guest tests (tests/guest/) of what file systems do; not those that race for a second and more.
AREAS = ("access chdir chmod chown fallocate fifo file_attr getcwd getdents link lock lseek mkdir mknod "
         "mmap_file open owner path perm rename stat statx symlink times truncate umask unix_long "
         "unlink utimens xattr").split()
SOME = "chmod_family link_hard lock_posix mknod_types rename_files symlink_readlink xattr_user".split()
# The propagation stays: the root of a chroot is no mount point.
CONTAINER = ["unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork", "/bin/true"]
# What has not been tried when the time is over is not counted at all.
SCRIPT = """end=$(($(date +%s) + 60))
for t in */test; do
    [ $(date +%s) -lt $end ] || break
    n=${t%/test} passed=no
    mkdir w && chmod 755 w
    (cd w && timeout 20 ../$n/test >/dev/null 2>&1) && passed=yes
    echo $n $passed
    rm -rf w
done; true"""


def programs(quick):
    """Name: program, of the tests that are one static program without conditions."""
    for source in sorted((TOP / "tests/guest").glob("*.c")):
        head = "\n".join(source.read_text(encoding="utf-8").splitlines()[:15])
        plain = not re.search(r"^// (args|expect|link|lxrun|native|level):", head, re.M)
        if plain and (source.stem in SOME if quick else source.stem.startswith(tuple(AREAS))):
            yield source.stem, source


def build(quick, to):
    """A directory for each test, with the program in it."""
    shutil.rmtree(to, ignore_errors=True)
    def compile_one(one):
        name, source = one
        (to / name).mkdir(parents=True)
        subprocess.run(["gcc", "-static", "-no-pie", "-std=gnu11", "-O1", "-w", "-pthread", "-o",
                        to / name / "test", source, "-lm"], check=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, programs(quick)))


def find(everyone, quick, verbose):
    ready = TOP / "build/bench/semantics"
    build(quick, ready)
    for e in everyone:
        if e.unavailable or (e.kind == "lxrun" and e.name != "rewrite") or e.name in ("strace", "qemu-user"):
            continue
        begin = time.monotonic()
        try:
            found = semantics(e, ready)
            failed = sorted(n for n, passed in found.items() if passed != "yes")
            e.facts["semantics"] = {"passed": len(found) - len(failed), "of": len(found), "failed": failed}
        except Failed as reason:
            e.facts["semantics"] = str(reason)
        try:
            e.run(CONTAINER, timeout=60)
            e.facts["container"] = "works"
        except Failed as reason:
            e.facts["container"] = str(reason)
        if verbose:
            print(f"{time.monotonic() - begin:7.1f} s  facts  {e.name}", file=sys.stderr, flush=True)


def semantics(engine, ready):
    place, inside = engine.place, f"{engine.place.inside}/semantics"
    shutil.copytree(ready, place.outside / "semantics", dirs_exist_ok=True)
    try:
        engine.bring()
        text = engine.run(["/bin/sh", "-c", SCRIPT], cwd=inside, timeout=300)
        return dict(line.split() for line in text.splitlines())
    finally:
        shutil.rmtree(place.outside / "semantics", ignore_errors=True)
        engine.remove_directory(inside)
