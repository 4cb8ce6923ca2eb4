#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
# timeout: 120
"""What two processes do to one name at the worst moment: one is held up in a host call (by strace), just before it or just
after, and the other does its part meanwhile. Then whose the name is must be what one after the other gives, and
`lxrun --check` finds nothing left over. If it did its part before or behind that, on a busy machine, they begin anew."""
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
HELD = 500000  # us
PROGRAM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Of who is held up and of who comes meanwhile: before and behind the first step, and behind the last.
static struct times { long begin, one, end; } *times;

static long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// "unlink a; own a 1": what each says.
static void run(char *steps, struct times *t)
{
    char *end;
    t->begin = now();
    for (char *step = strtok_r(steps, ";", &end); step; t->one = t->one ? t->one : now(), step = strtok_r(NULL, ";", &end)) {
        char what[20] = "", a[20] = "", b[20] = "";
        sscanf(step, "%19s %19s %19s", what, a, b);
        int r = 0;
        if (!strcmp(what, "look")) // often enough for the directory to be kept open
            for (int i = 0; i < 3; i++)
                r = access(a, F_OK);
        else if (!strcmp(what, "unlink"))
            r = unlink(a);
        else if (!strcmp(what, "own"))
            r = lchown(a, atoi(b), atoi(b));
        else if (!strcmp(what, "symlink"))
            r = symlink(b, a);
        else if (!strcmp(what, "fifo"))
            r = mkfifo(a, 0666);
        else if (!strcmp(what, "file"))
            r = close(open(a, O_CREAT | O_WRONLY, 0666));
        else if (!strcmp(what, "link"))
            r = link(a, b);
        else if (!strcmp(what, "rename"))
            r = rename(a, b);
        else if (!strcmp(what, "as"))
            r = setegid(atoi(a)) || seteuid(atoi(a));
        else
            abort();
        if (r && getenv("VERBOSE"))
            fprintf(stderr, "%s: %s\n", step, strerror(errno));
    }
    t->end = now();
}

// Setup, held up, meanwhile, name. 3: not meanwhile; 4: perhaps not, or it had to wait for the other.
int main(int argc, char **argv)
{
    struct stat st;
    umask(0);
    times = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (times == MAP_FAILED || chdir("/d"))
        return 1;
    run(argv[1], times);
    for (int i = 2; i < 4; i++)
        if (!fork()) {
            usleep(i == 2 ? 0 : 150000);
            run(argv[i], times + i);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    // The call had begun when no more was left than it is held up.
    if (times[3].begin < times[2].end - HELD || times[3].begin > times[2].end)
        return 3;
    if (lstat(argv[4], &st))
        puts("-");
    else
        printf("%c%d\n", S_ISLNK(st.st_mode) ? 'l' : S_ISFIFO(st.st_mode) ? 'p' : '-', st.st_uid);
    return times[3].one > times[2].end ? 4 : 0;
}
"""
# Held up where; setup; by whom; what another does meanwhile; a name, and what it may be then.
CASES = (
    # A removal that has not looked, as nothing had a record.
    ("unlinkat:enter", "symlink a x", "look /d/q; unlink /d/a", "own a 1", "a", "-"),
    ("unlinkat:enter", "fifo a", "look /d/q; unlink /d/a", "own a 1", "a", "-"),
    ("unlinkat:enter", "fifo a; link a b", "look /d/q; unlink /d/a", "own a 1; unlink b", "a", "-"),
    ("unlinkat:enter", "symlink a x; link a b", "look /d/q; unlink /d/a", "own a 1; unlink b", "a", "-"),
    ("unlinkat:enter", "fifo a; link a b", "look /d/q; unlink /d/a", "own b 1; unlink b", "a", "-"),
    ("unlinkat:enter", "fifo a; link a b", "look /d/q; unlink /d/a", "own a 1", "b", "p0 p1"),
    ("unlinkat:enter", "fifo a; link a b", "look /d/q; unlink /d/a", "own b 1", "b", "p1"),
    ("unlinkat:enter", "fifo a", "look /d/q; unlink /d/a", "rename a b; as 1; symlink a x", "a", "- l1"),
    ("unlinkat:enter", "file a; symlink b x; own b 1", "look /d/q; unlink /d/a", "rename b a", "a", "- l1"),
    ("unlinkat:enter", "file a", "look /d/q; unlink /d/a", "unlink a; as 1; symlink a x", "a", "- l1"),
    ("renameat:enter", "symlink a x; file f", "look /d/q; rename /d/f /d/a", "own a 1", "a", "-0 -1"),
    ("renameat:enter", "fifo a; file f; link a b", "look /d/q; rename /d/f /d/a", "own a 1; unlink b", "a", "-0 -1"),
    ("renameat:enter", "file f", "look /d/q; rename /d/f /d/a", "as 1; symlink a x", "a", "-0"),
    # It was another's when it was looked at.
    ("renameat:enter", "file f; fifo x", "rename f a", "link x a; own a 2; unlink x", "a", "-0"),
    ("renameat:enter", "fifo z; link z y; own z 1; file f; fifo x", "rename f a", "link x a; own a 2; unlink x", "a",
     "-0 -2"),
    ("unlinkat:enter", "file a; fifo q; link q r", "unlink a", "rename q a; own a 2; unlink r", "a", "- p2"),
    ("unlinkat:enter", "fifo z; link z y; own z 1; file a; fifo q; link q r", "unlink a", "rename q a; own a 2; unlink r",
     "a", "- p2"),
    # A record that goes when its name does, and another has the name by then.
    ("unlinkat:exit", "symlink a x; own a 2", "unlink a", "as 1; symlink a y", "a", "l1"),
    ("unlinkat:exit", "fifo a; own a 2", "unlink a", "as 1; fifo a", "a", "p1"),
    ("unlinkat:exit", "fifo a; own a 2", "unlink a", "fifo b; own b 1; rename b a", "a", "p1"),
    ("unlinkat:exit", "fifo a; own a 2; fifo b; own b 1", "unlink a", "link b a", "a", "p1"),
    ("renameat:exit", "symlink a x; own a 2", "rename a b", "as 1; symlink a y", "a", "l1"),
    ("renameat:exit", "symlink a x; own a 2", "rename a b", "unlink b; as 1; symlink b y", "b", "l1"),
    ("renameat:exit", "symlink a x; own a 2; file f", "rename f a", "unlink a; as 1; symlink a y", "a", "l1"),
    # A record that is there before its name, and another takes that.
    ("symlinkat:enter", "file f", "as 1; symlink a x", "symlink a x", "a", "l0 l1"),
    ("symlinkat:enter", "file f", "as 1; symlink a x", "file a", "a", "-0"),
    ("symlinkat:enter", "file f", "as 1; symlink a x", "look /d/q; rename /d/f /d/a", "a", "-0"),
    ("linkat:enter", "symlink b x; own b 1", "link b a", "symlink a y; unlink a", "a", "l1 -"),
    ("renameat:enter", "symlink b x; own b 1", "rename b a", "symlink a y; unlink a", "a", "l1 -"),
    ("linkat:enter", "symlink b x; own b 1", "link b a", "file a", "a", "-0 l1"),
)
# The same in a directory that has room for one more record: whoever needs another makes some, and takes none away that
# was just written.
FULL_CASES = (
    ("symlinkat:enter", "fifo b", "as 1; symlink a x", "own b 3", "a", "l1"),
    ("symlinkat:enter", "fifo b", "as 1; symlink a x", "own b 3", "b", "p3"),
    ("mknodat:enter", "symlink b x", "as 1; fifo a", "own b 3", "a", "p1"),
    ("mknodat:enter", "symlink b x", "as 1; fifo a", "as 1; symlink c x", "a", "p1"),
    ("mknodat:enter", "symlink b x", "as 1; fifo a", "as 1; symlink c x", "c", "l1"),
)


def fill(directory):
    """Records of no entry, all but one that there would be room for. Their hashes have none of the locks of a, b and c."""
    names = [f"user.lxrun.o.{i // 8 * 64 + i % 8:016x}" for i in range(1000)]
    try:
        for n, name in enumerate(names):
            os.setxattr(directory, name, b"1:1:777:l:00000000")
    except OSError as e:
        if e.errno != errno.ENOSPC:
            raise
        os.removexattr(directory, names[n - 1])


def one(program, case):
    for _ in range(20):
        meanwhile, wrong = attempt(program, case)
        if meanwhile or wrong is None:
            break
    return wrong


def attempt(program, case):
    """(Did the other do its part meanwhile? What is wrong, or None)"""
    held, setup, first, second, name, want = case
    call, when = held.split(":")
    with tempfile.TemporaryDirectory(prefix="lxrun-names-") as root:
        Path(root, "d").mkdir()
        Path(root, "d").chmod(0o777)
        shutil.copy(program, root + "/program")
        if case in FULL_CASES:
            fill(root + "/d")
        ran = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                              f"inject={call}:delay_{when}={HELD}:when=1", LXRUN, "-r", root, "/program",
                              setup, first, second, name], capture_output=True, text=True, timeout=60, check=False)
        got = ran.stdout.strip()
        found = subprocess.run([LXRUN, "--check", root], text=True, capture_output=True, check=False)
        meanwhile, good = ran.returncode not in (3, 4), ran.returncode in (0, 4) and got in want.split()
        if good and not found.returncode and not found.stdout:
            return meanwhile, None
    return meanwhile, (f"{held} {setup} | {first} | {second}: status {ran.returncode}, {name} is {got!r}, not {want}; "
                       f"{ran.stderr}{found.stdout}")


def main():
    if not shutil.which("strace"):
        print("no strace")
        return 77
    with tempfile.TemporaryDirectory(prefix="lxrun-names-") as work:
        program = Path(work, "program")
        subprocess.run(["cc", "-O1", "-static", "-w", f"-DHELD={HELD}", "-x", "c", "-", "-o", program],
                       input=PROGRAM, text=True, check=True)
        with ThreadPoolExecutor(4) as pool:
            wrong = [x for x in pool.map(lambda case: one(program, case), CASES + FULL_CASES) if x]
    print(*wrong, sep="\n", file=sys.stderr)
    return bool(wrong)


sys.exit(main())
