#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lxrun --check: says nothing of a tree as guests leave it, finds each kind of damage, repairs what
can be repaired, and nothing else. As root, once more as an ordinary user.
"""
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import expect, failed

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
USER = 64321
STAT = "user.containers.override_stat"
MAKE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

// A file goes, then another process makes a link with an owner, which goes too, or is replaced.
static int drop(int dir, const char *a, const char *x, int replaced)
{
    int status, bad = 0;
    for (int i = 0; i < 3; i++)
        bad |= close(openat(dir, a, O_CREAT | O_WRONLY, 0644)) || (i < 2 && unlinkat(dir, a, 0));
    if (!fork())
        _exit(symlinkat("to", dir, x) || fchownat(dir, x, 3, 4, AT_SYMLINK_NOFOLLOW));
    wait(&status);
    bad |= replaced ? renameat(dir, a, dir, x) : unlinkat(dir, a, 0);
    return bad | status | unlinkat(dir, x, 0);
}

int main(void)
{
    struct sockaddr_un a = {AF_UNIX, "sock"};
    int bad = 0, s = socket(AF_UNIX, SOCK_STREAM, 0);
    bad |= mkdir("dir", 0755) || chown("dir", 7, 8) || mkdir("plain", 0755);
    bad |= close(open("file", O_CREAT | O_WRONLY, 0644)) || chown("file", 1, 2);
    bad |= close(open("setid", O_CREAT | O_WRONLY, 0644)) || chmod("setid", 04755);
    bad |= close(open("none", O_CREAT | O_WRONLY, 0)) || mkdir("closed", 0);
    bad |= symlink("to", "link") || lchown("link", 3, 4) || symlink("to", "dir/of-dir");
    bad |= mkfifo("fifo", 0640) || chown("fifo", 5, 6);
    bad |= bind(s, (void *)&a, sizeof a) || chown("sock", 5, 6);
    bad |= symlink("to", "a") || link("a", "dir/b") || lchown("dir/b", 3, 4);
    bad |= mknod("null", S_IFCHR | 0666, makedev(1, 3)) || chown("null", 9, 9);
    bad |= setxattr("file", "trusted.x", "1", 1, 0) || setxattr("file", "user.lxrun.o.x", "1", 1, 0);
    bad |= mkdir("named", 0755) || drop(open("plain", O_RDONLY), "a", "x", 0);
    bad |= drop(open("plain", O_RDONLY), "b", "y", 1);
    bad |= drop(-1, "/t/named/a", "/t/named/x", 0) || drop(-1, "/t/named/b", "/t/named/y", 1);
    bad |= mkdir("odd\n\\\xff", 0700);
    return bad;
}
"""


def fnv(data, h):
    for byte in data:
        h = (h ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return h


def record(name):
    return f"user.lxrun.o.{fnv(name.encode(), 0xcbf29ce484222325):016x}"


def check_of(name, target=""):
    h = fnv(name.encode() + b"\0" + target.encode(), 0x84222325cbf29ce4)
    return f"{(h ^ h >> 32) & 0xffffffff:08x}"


def node(text):
    return ("lxrun-node:" + text).ljust(300, ".")


class Tree:
    """A tree that a guest made; `front` runs lxrun as its owner."""

    def __init__(self, work, binary, uid):
        self.top, self.uid = work / "tree", uid
        self.front = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        for name in "bin", "t", "dev", "proc", "sys":
            (self.top / name).mkdir(parents=True)
        (self.top / "bin/make").write_bytes(binary)
        (self.top / "bin/make").chmod(0o755)
        for path in [self.top, *self.top.rglob("*")]:
            os.chown(path, uid, uid)
        self.lxrun = str(work / "lxrun")
        ran = subprocess.run([*self.front, self.lxrun, "-r", str(self.top), "--cd", "/t", "/bin/make"], check=False)
        expect("the guest's own work", ran.returncode, 0)

    def check(self, *options):
        """Status, and the lines without their first './t/'."""
        ran = subprocess.run([*self.front, self.lxrun, "--check", str(self.top), *options], check=False,
                             capture_output=True, text=True, errors="surrogateescape")
        expect("stderr", ran.stderr, "")
        return ran.returncode, sorted(line.removeprefix("./t/") for line in ran.stdout.splitlines())

    def path(self, name):
        return str(self.top / "t" / name)

    def damage(self, what, do, lines, repairs=True):
        """do() damages the tree; `lines`, patterns, say so; is it in order again after a repair?"""
        do()
        wrong = any(": wrong: " in line for line in lines)
        status, got = self.check()
        expect(f"{what}: status", status, int(wrong))
        expect(f"{what}: {got}", [bool(re.fullmatch(p, g)) for p, g in zip(lines, got)], [True] * len(lines))
        expect(f"{what}: number of lines", len(got), len(lines))
        status, after = self.check("--repair")
        expect(f"{what}: status of the repair", status, int(wrong and not repairs))
        expect(f"{what}: the repair's lines", after, [f"{g}: repaired" if repairs else g for g in got])
        if repairs:
            expect(f"{what}: after the repair", self.check(), (0, []))

    def damages(self):
        p, chmod, setx = self.path, os.chmod, os.setxattr
        owner = self.uid or os.geteuid()

        def new(name, mode):
            os.close(os.open(p(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            chmod(p(name), mode)
            os.chown(p(name), owner, owner)
            return p(name)

        self.damage("no numbers", lambda: setx(p("file"), STAT, b"abc"),
                    [r"file: wrong: the attribute 'abc' is not understood"])
        self.damage("too long", lambda: setx(p("dir"), STAT, b"1:1:755:dir:" + b"1" * 200),
                    [r"dir: wrong: the attribute '...' is not understood"])
        sets = "user.lxrun.o.sets"
        for value in b"1:1", b"1:1=*;2:2=abc", b"1:1=abcd*", b"1:1=*;":
            self.damage(f"owners {value}", lambda v=value: setx(p("dir"), sets, v),
                        [r"dir: wrong: the owners '.*' are not understood"])
        setx(p("dir"), sets, b"1:1=*;2:2=abcdEf+/")
        expect("owners", self.check(), (0, []))
        os.removexattr(p("dir"), sets)
        chmod(p("file"), 0o1644)
        self.damage("a directory's", lambda: setx(p("file"), STAT, b"1:2:644:dir"),
                    [r"file: wrong: the attribute '1:2:644:dir' is of another type"])
        expect("type repaired", os.getxattr(p("file"), STAT), b"1:2:644:file")
        self.damage("a file's", lambda: setx(p("dir"), STAT, b"1:2:755:file"),
                    [r"dir: wrong: the attribute '1:2:755:file' is of another type"])
        self.damage("a pipe's", lambda: setx(p("file"), STAT, b"1:2:644:pipe"),
                    [r"file: wrong: the attribute says that it is no file"], repairs=False)
        setx(p("file"), STAT, b"1:2:644:file")
        self.damage("a witness of nothing", lambda: setx(p("file"), STAT, b"1:2:100644:file"),
                    [r"file: wrong: a witness of set-id bits that the attribute does not have"])
        self.damage("host's set-id", lambda: chmod(p("setid"), 0o5755),
                    [r"setid: wrong: is a set-id program on the host, mode 5755"])
        expect("its guest mode", os.getxattr(p("setid"), STAT), b"0:0:4755:file")
        self.damage("host's set-id, no x", lambda: chmod(p("file"), 0o5644),
                    [r"file: left over: has set-id bits on the host, mode 5644"])
        self.damage("mark of a file gone", lambda: chmod(p("file"), 0o644),
                    [r"file: left over: has an attribute that does not count without the host's sticky bit"])
        if owner:
            self.damage("barred", lambda: chmod(p("file"), 0o1444), [r"file: wrong: the host's mode 1444 bars its owner"])
            expect("opened", stat.S_IMODE(os.stat(p("file")).st_mode), 0o1644)

        self.damage("unfinished file", lambda: new("new", 0o1644),
                    [r"new: left over: is unfinished, its maker was killed"
                     r"|new: left over: had an attribute, and has lost it"])

        def lose():
            Path(new("lost", 0o1640)).write_text("content")
            time.sleep(0.01)
            chmod(p("lost"), 0o1640)

        self.damage("attribute lost", lose, [r"lost: left over: had an attribute, and has lost it"])
        expect("it is kept", Path(p("lost")).read_text(), "content")
        expect("its mode", stat.S_IMODE(os.stat(p("lost")).st_mode), 0o640)

        def unfinished_dir():
            os.mkdir(p("newdir"), 0o700)
            chmod(p("newdir"), 0o1700)
            os.chown(p("newdir"), owner, owner)

        # The chmod may have come so late that it shows: then it is an ordinary directory.
        unfinished_dir()
        st = os.stat(p("newdir"))
        if st.st_ctime_ns == st.st_mtime_ns:
            self.damage("unfinished directory", lambda: None,
                        [r"newdir: left over: is unfinished, its maker was killed"])

        name = record("gone")
        self.damage("record of no entry", lambda: setx(p(""), name, f"1:2:777:l:{check_of('gone')}".encode()),
                    [rf"\./t: left over: record {name[13:]} '1:2:777:l:\w+' is of no entry"])
        self.damage("record of another link", lambda: (os.unlink(p("link")), os.symlink("elsewhere", p("link"))),
                    [rf"\./t: left over: record {record('link')[13:]} '3:4:777:l:\w+' is of another file .*"])
        setx(p(""), record("link"), f"3:4:777:l:{check_of('link', 'elsewhere')}".encode())
        expect("a record as guests write it", self.check(), (0, []))
        setx(p(""), record("sock"), f"5:6:644:s:{check_of('sock')}".encode())
        self.damage("record of a FIFO", lambda: setx(p(""), record("sock"), f"5:6:644:p:{check_of('sock')}".encode()),
                    [rf"\./t: left over: record {record('sock')[13:]} .* is of another file .*"])
        ino = os.lstat(p("link")).st_ino
        self.damage("records of a rename",
                    lambda: setx(p(""), record("link"), f"1:1:777:l:{check_of('link', 'x')}@7 "
                                 f"3:4:777:l:{check_of('link', 'elsewhere')}@{ino}".encode()),
                    [rf"\./t: left over: record {record('link')[13:]} .* is of a rename that was not finished"])
        expect("the one that is kept", os.getxattr(p(""), record("link")),
               f"3:4:777:l:{check_of('link', 'elsewhere')}".encode())
        self.damage("record without sense", lambda: setx(p(""), record("fifo"), b"?"),
                    [rf"\./t: wrong: record {record('fifo')[13:]} '\?' is not understood"])
        self.damage("FIFO without record", lambda: chmod(p("fifo"), 0o1640),
                    [r"fifo: left over: a new FIFO without its record"])

        top = str(self.top)
        self.damage("record of an inode that is gone", lambda: setx(top, "user.lxrun.i.0123456789abcdef", b"1:2:777:l"),
                    [r"\.: left over: record i.0123456789abcdef '1:2:777:l' of an inode that is not in the tree"])
        self.damage("record of an inode without sense", lambda: setx(top, "user.lxrun.i.0123456789abcdef", b"1:2:777:x"),
                    [r"\.: wrong: record i.0123456789abcdef '1:2:777:x' of an inode is not understood"])
        self.damage("mark of nodes gone", lambda: os.removexattr(p(""), "user.lxrun.nodes"),
                    [r"\./t: wrong: has device nodes, and no mark that says so"])
        for text in "c:1:3:0:0:99999:", "x:1:3:0:0:666:", "c:5000:3:0:0:666:", "c:1:":
            self.damage(f"node {text}", lambda text=text: os.symlink(node(text), p("bad")),
                        [r"bad: wrong: a (device node out of rule|link that almost is a device node)"], repairs=False)
            os.unlink(p("bad"))
        self.damage("short node", lambda: os.symlink("lxrun-node:c:1:3:0:0:666:", p("bad")),
                    [r"bad: wrong: a link that almost is a device node"], repairs=False)
        os.unlink(p("bad"))

        acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", t, 7, 0xffffffff) for t in (1, 4, 32))
        self.damage("no mark of ACLs",
                    lambda: setx(p("dir"), "user.lxrun.x.system.posix_acl_default", acl),
                    [r"dir: wrong: has a default ACL, and the root of the tree no mark that says so"])
        self.damage("dead ACL and capabilities",
                    lambda: [setx(p("file"), f"user.lxrun.x.{n}", acl)
                             for n in ("system.posix_acl_access", "security.capability")],
                    [r"file: left over: an access ACL that does not hold",
                     r"file: left over: capabilities that do not hold"])
        self.damage("lost ACL", lambda: setx(p("file"), STAT, b"1:2:640:file:acl") or os.chmod(p("file"), 0o1600),
                    [r"file: wrong: its access ACL is not there: the group has what its mask permitted"])
        self.damage("unknown name", lambda: setx(p("file"), "user.lxrun.y", b"") or setx(p("dir"), "user.lxrun.y", b""),
                    [r"dir: wrong: an attribute user.lxrun.y, which lxrun does not know here"], repairs=False)
        os.removexattr(p("dir"), "user.lxrun.y")
        odd = p(os.fsdecode(b"odd\n\\\xff/sub"))
        os.mkdir(odd)
        os.chown(odd, owner, owner)
        self.damage("an odd path", lambda: setx(odd, STAT, b"x"),
                    [r"odd\\012\\134./sub: wrong: the attribute 'x' is not understood"])
        expect("in the end", self.check(), (0, []))


def main():
    for args in [], ["a", "b"], ["/nonexistent"]:
        ran = subprocess.run([LXRUN, "--check", *args], capture_output=True, text=True, check=False)
        expect(f"--check {args}", (ran.returncode, ran.stdout), (125, ""))
    uids = [0, USER] if os.geteuid() == 0 else [0]
    for uid in uids:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
            work = Path(tmp)
            work.chmod(0o755)
            for name in "cache", "home":
                (work / name).mkdir()
                os.chown(work / name, uid or -1, uid or -1)
            for name in "lxrun", "lxcore":  # where the user can reach them
                shutil.copy2(Path(LXRUN).parent / name, work)
            (work / "make.c").write_text(MAKE)
            subprocess.run(["gcc", "-static", "-o", work / "make", work / "make.c"], check=True)
            os.environ["XDG_CACHE_HOME"] = str(work / "cache")
            tree = Tree(work, (work / "make").read_bytes(), uid)
            expect("as guests leave it", tree.check(), (0, []))
            tree.damages()
    return failed()


sys.exit(main())
