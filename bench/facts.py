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
# Guest tests (tests/guest/) of what file systems do; not those that race, or do a thing a thousand times.
AREAS = ("access chdir chmod chown fallocate fifo file_attr getcwd getdents link lock lseek mkdir mknod "
         "mmap_file open owner path perm rename stat statx symlink times truncate umask unix_long "
         "unlink utimens xattr").split()
LONG = re.compile("random|at_once|change_ctime|deep")
SOME = "chmod_family link_hard lock_posix mknod_types rename_files statx_fields symlink_readlink xattr_user".split()
# The propagation stays: the root of a chroot is no mount point.
CONTAINER = {"mounts and a host name": ["--mount", "--uts", "--propagation", "unchanged"],
             "processes": ["--pid", "--fork"]}
# What has not been tried when the time is over is not counted at all. Few processes: each takes an
# emulated VM longer than most tests do; and two at a time, one for each of its processors.
SCRIPT = """every_second() {
    for t in */test; do
        other=$((!other))
        [ $other = $1 ] || continue
        [ $SECONDS -lt 60 ] || break
        (cd ${t%/test}/w && timeout 10 ../test >/dev/null 2>&1) && echo ${t%/test} yes || echo ${t%/test} no
    done
}
other=0
every_second 0 & every_second 1
wait"""


def programs(quick):
    """Name: program, of the tests that are one static program without conditions."""
    for source in sorted((TOP / "tests/guest").glob("*.c")):
        head = "\n".join(source.read_text(encoding="utf-8").splitlines()[:15])
        plain = not re.search(r"^// (args|expect|link|lxrun|native|level):", head, re.M)
        wanted = source.stem in SOME if quick else source.stem.startswith(tuple(AREAS)) and not LONG.search(source.stem)
        if plain and wanted:
            yield source.stem, source


def build(quick, to):
    """A directory for each test, with the program in it; what is newer than its sources is left."""
    wanted = dict(programs(quick))
    for d in to.iterdir() if to.is_dir() else []:
        if d.name not in wanted:
            shutil.rmtree(d)
    headers = max(h.stat().st_mtime for h in (TOP / "tests/guest").glob("*.h"))
    def compile_one(one):
        name, source = one
        test = to / name / "test"
        (to / name / "w").mkdir(mode=0o755, parents=True, exist_ok=True)
        if not test.exists() or test.stat().st_mtime < max(headers, source.stat().st_mtime):
            subprocess.run(["gcc", "-static", "-no-pie", "-std=gnu11", "-O1", "-w", "-pthread", "-o",
                            test, source, "-lm"], check=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, wanted.items()))


def find(everyone, quick, verbose):
    ready = TOP / f"build/bench/semantics{'-quick' if quick else ''}"
    build(quick, ready)
    for e in everyone:
        if e.unavailable or (e.kind == "lxrun" and e.name != "rewrite") or e.name in ("strace", "qemu-user"):
            continue
        begin = time.monotonic()
        e.settle()
        try:
            if reason := e.cannot("micro", None):  # these programs are static, too
                raise Failed(reason)
            found = semantics(e, ready)
            failed = sorted(n for n, passed in found.items() if passed != "yes")
            e.facts["semantics"] = {"passed": len(found) - len(failed), "of": len(found), "failed": failed}
        except Failed as reason:
            e.facts["semantics"] = str(reason)
        e.facts["container"] = container(e)
        if verbose:
            print(f"{time.monotonic() - begin:7.1f} s  facts  {e.name}", file=sys.stderr, flush=True)


def container(engine):
    """Which kinds of namespaces can be made: "works", or what each came to."""
    found = {}
    for kind, options in CONTAINER.items():
        try:
            engine.run(["unshare", *options, "/bin/true"], timeout=60)
            found[kind] = "works"
        except Failed as reason:
            found[kind] = str(reason)
    return "works" if set(found.values()) == {"works"} else ", ".join(f"{k}: {v}" for k, v in found.items())


def semantics(engine, ready):
    place, inside = engine.place, f"{engine.place.inside}/semantics"
    shutil.copytree(ready, place.outside / "semantics", dirs_exist_ok=True)
    try:
        engine.bring()
        text = engine.run(["/bin/bash", "-c", SCRIPT], cwd=inside, timeout=300)
        return dict(line.split() for line in text.splitlines())
    finally:
        # In a VM first: for a second it would still believe in what the host has removed.
        engine.remove_directory(inside)
        shutil.rmtree(place.outside / "semantics", ignore_errors=True)
