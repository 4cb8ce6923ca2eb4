# SPDX-License-Identifier: MIT
"""What is found out of each way to run programs besides how long it takes: whether the programs that
look at what file systems do pass there, and whether a container can be made."""
import re
import shutil
import subprocess
from pathlib import Path

from process import Failed

TOP = Path(__file__).resolve().parent.parent
# Guest tests (tests/guest/) of what file systems do.
AREAS = ("access chdir chmod chown fallocate fifo file_attr getcwd getdents link lock lseek mkdir mknod "
         "mmap_file open owner path perm race rename stat statx symlink times truncate umask unix_long "
         "unlink utimens xattr").split()
SOME = "chmod_family link_hard lock_posix mknod_types rename_files symlink_readlink xattr_user".split()
# The propagation stays: the root of a chroot is no mount point.
CONTAINER = ["unshare", "--mount", "--propagation", "unchanged", "--pid", "--fork", "/bin/true"]
SCRIPT = """for t in */test; do
    n=${t%/test}
    mkdir w && chmod 755 w
    (cd w && timeout 30 ../$n/test >/dev/null 2>&1) && echo $n
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
    for name, source in programs(quick):
        (to / name).mkdir(parents=True)
        subprocess.run(["gcc", "-static", "-no-pie", "-std=gnu11", "-O1", "-w", "-pthread", "-o",
                        to / name / "test", source, "-lm"], check=True)
    return sorted(d.name for d in to.iterdir())


def find(everyone, quick):
    ready = TOP / "build/bench/semantics"
    names = build(quick, ready)
    for e in everyone:
        if e.unavailable or (e.kind == "lxrun" and e.name != "rewrite") or e.name in ("strace", "qemu-user"):
            continue
        try:
            passed = semantics(e, ready)
            e.facts["semantics"] = {"passed": len(passed), "of": len(names),
                                    "failed": sorted(set(names) - passed)}
        except Failed as reason:
            e.facts["semantics"] = str(reason)
        try:
            e.run(CONTAINER, timeout=60)
            e.facts["container"] = "works"
        except Failed as reason:
            e.facts["container"] = str(reason)


def semantics(engine, ready):
    place, inside = engine.place, f"{engine.place.inside}/semantics"
    shutil.copytree(ready, place.outside / "semantics", dirs_exist_ok=True)
    try:
        engine.bring()
        return set(engine.run(["/bin/sh", "-c", SCRIPT], cwd=inside, timeout=1200).split())
    finally:
        shutil.rmtree(place.outside / "semantics", ignore_errors=True)
        engine.remove_directory(inside)
