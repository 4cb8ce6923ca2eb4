#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
"""The table of known attributes (fs/attrcache.c), by itself: inodes whose numbers differ by a multiple of
what ext4 puts between its groups do not push each other out; two that have the same place are both
known, and of three the oldest goes; another ctime is another state; what is forgotten or torn is not
known."""
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PROGRAM = r"""
#include "fs/attrcache.c"

int printf(const char *format, ...);
void *calloc(unsigned long n, unsigned long size);

static long seconds = 1000000;
long vdso_call(enum vdso_function f, long a, long b, long c)
{
    *(struct __kernel_timespec *)b = (struct __kernel_timespec){seconds, 0};
    return 0;
}
bool attrstore_is_used(void) { return false; }
long host_call(long nr, long a, long b, long c, long d, long e, long f) { __builtin_trap(); }

static struct task t;
static int faults;
#define EXPECT(cond) ((cond) ? 0 : (faults++, printf("line %d: not: %s\n", __LINE__, #cond)))

static struct statx inode(u64 ino)
{
    return (struct statx){.stx_ino = ino, .stx_mode = S_IFREG | 0644, .stx_nlink = 1,
                          .stx_ctime.tv_sec = 5, .stx_dev_minor = 3};
}

static void put(u64 ino, u32 uid)
{
    struct statx st = inode(ino);
    struct attr a = {.uid = uid, .gid = 7, .mode = 0640, .type = S_IFREG};
    attrcache_put(&t, &st, true, &a);
}

static long uid_of(u64 ino)
{
    struct statx st = inode(ino);
    struct attr a;
    bool has;
    return attrcache_get(&t, &st, &has, &a) && has && a.gid == 7 ? (long)a.uid : -1;
}

int main(void)
{
    enum { GROUPS = 40, FIRST = 100, APART = 8192 };
    u64 same[3] = {12345};
    int known = 0;

    t.instance = calloc(1, sizeof *t.instance);
    is_mapped = 1;
    for (u64 g = 0; g < GROUPS; g++)
        for (u64 i = 0; i < FIRST; i++)
            put(11 + g * APART + i, 1 + g);
    for (u64 g = 0; g < GROUPS; g++)
        for (u64 i = 0; i < FIRST; i++)
            known += uid_of(11 + g * APART + i) == (long)(1 + g);
    EXPECT(known > GROUPS * FIRST * 95 / 100);

    // Neighbours lie on few pages.
    struct statx a = inode(64 * 1000), b = inode(64 * 1000 + 63);
    EXPECT(place_of(&b) - place_of(&a) == 63 * PLACES);

    for (u64 ino = same[0] + 1, n = 1; n < 3; ino++) {
        a = inode(same[0]), b = inode(ino);
        if (place_of(&a) == place_of(&b))
            same[n++] = ino;
    }
    for (int i = 0; i < 3; i++, seconds++) {
        put(same[i], 500 + i);
        EXPECT(uid_of(same[i]) == 500 + i);
        EXPECT(i == 0 || uid_of(same[i - 1]) == 500 + i - 1);
    }
    EXPECT(uid_of(same[0]) == -1);
    // A change of one leaves the other.
    put(same[2], 600);
    EXPECT(uid_of(same[2]) == 600 && uid_of(same[1]) == 501);
    put(same[1], 601);
    EXPECT(uid_of(same[2]) == 600 && uid_of(same[1]) == 601);

    struct statx changed = inode(same[1]);
    struct attr attr;
    bool has;
    changed.stx_ctime.tv_nsec = 1;
    EXPECT(!attrcache_get(&t, &changed, &has, &attr));
    changed = inode(same[1]);
    changed.stx_dev_minor = 4;
    EXPECT(!attrcache_get(&t, &changed, &has, &attr));
    changed = inode(same[1]);
    attrcache_forget(&t, &changed);
    EXPECT(uid_of(same[1]) == -1 && uid_of(same[2]) == 600);
    changed = inode(same[2]);
    for (int i = 0; i < PLACES; i++)
        places(&t, &changed)[i].owner ^= 1;
    EXPECT(uid_of(same[2]) == -1);
    return faults != 0;
}
"""


def main():
    with tempfile.TemporaryDirectory() as tmp:
        source, program = Path(tmp) / "attrcache.c", Path(tmp) / "attrcache"
        source.write_text(PROGRAM)
        subprocess.run(["gcc", "-std=gnu11", "-O1", "-g", "-w", "-fno-builtin", "-iquote", TOP / "include", "-iquote", TOP,
                        "-DLX_BASE=0x7e9000000000", "-static", "-o", program, source, TOP / "host/str.c"],
                       check=True)
        return subprocess.run([program], check=False).returncode


if __name__ == "__main__":
    failed = main()
    print("FAIL" if failed else "ok")
    sys.exit(failed)
