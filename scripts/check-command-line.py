#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lxrun's command line and the processes around the program: exit statuses, options, silence,
signals, job control, what is left behind. Programs are the host's own, and one static program in
a root of its own.
"""
import contextlib
import ctypes
import os
import pty
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from expecting import expect, failed

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
PROBE = r"""
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct utsname u;
    char cwd[4096], *home = getenv("HOME"), *path = getenv("PATH");
    gid_t g[64];
    uname(&u);
    if (argc > 2 && !strcmp(argv[1], "write")) {
        int fd = open(argv[2], O_WRONLY | O_CREAT, 0644);
        printf("%s\n", fd < 0 ? strerror(errno) : "written");
        return fd < 0;
    }
    printf("%s|%d:%d:%d|%s|%s|%s|%s|%s\n", argv[0], (int)getuid(), (int)getgid(),
           getgroups(64, g), getcwd(cwd, sizeof cwd), home ? home : "-", path ? path : "-",
           u.nodename, u.release);
    return 0;
}
"""


def lxrun(*args, **options):
    options.setdefault("timeout", 20)
    return subprocess.run([LXRUN, *args], capture_output=True, text=True, **options)


def shell(script, *args):
    return lxrun(*args, "sh", "-c", script)


def check_status():
    for script, status in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255),
                           ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("kill -SEGV $$", 139)]:
        ran = shell(script)
        expect(script, (ran.returncode, ran.stdout, ran.stderr), (status, "", ""))
    for args, status in [(["no-such-program"], 127), (["/no/such/program"], 127), (["/"], 126),
                         (["/etc/passwd"], 126), (["--no-such-option"], 125), ([], 125),
                         (["-r", "/no/such/root", "true"], 125), (["-b", "/no/such", "true"], 125),
                         (["-b", "/:relative", "true"], 125), (["-e", "=x", "true"], 125),
                         (["--cd", "/no/such/directory", "true"], 125),
                         (["-u", "no such user", "true"], 125)]:
        ran = lxrun(*args)
        expect(f"status of {args}", ran.returncode, status)
        expect(f"{args} says one line", ran.stderr.count("\n"), 1)
        if args != ["--no-such-option"]:
            expect(f"{args} says who", ran.stderr.startswith("lxrun: "), True)
    for option in "--help", "--version", "--table":
        ran = lxrun(option)
        expect(option, (ran.returncode, bool(ran.stdout), ran.stderr), (0, True, ""))


def check_environment():
    env = {"PATH": os.environ["PATH"], "KEPT": "1"}
    ran = lxrun("env", env=env)
    expect("environment", set(ran.stdout.split()) >= {"KEPT=1", "PATH=" + env["PATH"]}, True)
    expect("-e", lxrun("-e", "KEPT=2", "-e", "NEW=a=b", "sh", "-c", "echo $KEPT $NEW",
                       env=env).stdout, "2 a=b\n")
    ran = lxrun("--clearenv", "-e", "ONLY=1", "/usr/bin/env", env=env)
    expect("--clearenv", ran.stdout, "ONLY=1\n")
    expect("working directory", lxrun("pwd", cwd="/usr/bin").stdout, "/usr/bin\n")
    expect("--", lxrun("--", "printf", "%s", "-v").stdout, "-v")
    expect("options end at the program", lxrun("echo", "-v").stdout, "-v\n")


def check_stats():
    # A dynamic shell, its children and 200 calls of one kind.
    script = "i=0; while [ $i -lt 100 ]; do echo x; echo y; i=$((i+1)); done; /bin/true; exit 3"
    for engine in "sud", "seccomp", "ptrace", "rewrite":
        ran = lxrun("--stats", f"--trap={engine}", "sh", "-c", script)
        expect(f"--stats, {engine}: status", ran.returncode, 3)
        expect(f"--stats, {engine}: output", ran.stdout, "x\ny\n" * 100)
        counts = {}
        for line in ran.stderr.splitlines():
            if line.endswith(" threads ran with sud underneath"):
                expect(f"--stats, {engine}: only of rewriting", engine, "rewrite")
                continue
            prefix, number, share, percent, what = line.split(None, 4)
            expect(f"--stats, {engine}: form of {line!r}", (prefix, percent), ("lxrun:", "%"))
            counts[what.split(":")[0]] = int(number)
        calls = counts["system calls"]
        expect(f"--stats, {engine}: at least 200 writes", counts["write"] >= 200, True)
        expect(f"--stats, {engine}: every call has a kind", calls, sum(
            counts[how] for how in ("emulated", "translated", "passed", "refused")))
        trapped = [n for what, n in counts.items() if what.startswith("were trapped")]
        sites = counts.get("came from rewritten sites", 0)
        expect(f"--stats, {engine}: every call came some way", [calls - sites], trapped)


def check_root(work):
    root = work / "root"
    for d in "bin", "etc", "home/u", "run", "var":
        (root / d).mkdir(parents=True)
    (root / "var/run").symlink_to("/run")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nu:x:1000:100::/home/u:/bin/p\n")
    (root / "etc/group").write_text("users:x:100:\nmore:x:7:x,u\nmost:x:8:u\n")
    outside = work / "outside"
    outside.mkdir()
    subprocess.run(["gcc", "-static", "-w", "-x", "c", "-", "-o", root / "bin/p"], check=True,
                   input=PROBE, text=True)
    os.chmod(outside, 0o777)
    run = ["-r", str(root), "--hostname", "box", "--kernel-release", "1.2.3"]
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    user_path = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"

    expect("root", lxrun(*run, "p").stdout, f"p|0:0:1|/|/root|{path}|box|1.2.3\n")
    expect("-u name", lxrun(*run, "-u", "u", "--cd", "/home", "-0", "other", "/bin/p").stdout,
           f"other|1000:100:3|/home|/home/u|{user_path}|box|1.2.3\n")
    expect("-u numbers", lxrun(*run, "-u", "5:6", "p").stdout,
           f"p|5:6:1|/|/|{user_path}|box|1.2.3\n")
    expect("-u id:group", lxrun(*run, "-u", "1000:most", "p").stdout,
           f"p|1000:8:1|/|/home/u|{user_path}|box|1.2.3\n")
    release = lxrun("-r", str(root), "/bin/p").stdout.strip().rpartition("|")[2]
    expect("release", release, os.uname().release + "-lxrun")
    expect("inside the root", lxrun(*run, "p", cwd=root / "home").stdout.split("|")[2], "/home")

    bound = f"{outside}:/var/run/deep/dir"
    expect("-b", lxrun(*run, "-b", bound, "p", "write", "/run/deep/dir/a").stdout, "written\n")
    expect("-b wrote", (outside / "a").exists(), True)
    (outside / "x:y").mkdir()
    (outside / "x:y" / "f").touch()
    expect("-b of a colon", lxrun(*run, "-b", f"{outside}/x\\:y:/run/p\\:q", "p", "write", "/run/p:q/f").stdout, "written\n")
    expect("-b ro", lxrun(*run, "-b", bound + ":ro", "p", "write", "/run/deep/dir/b").stdout,
           "Read-only file system\n")
    expect("mount point", (root / "run/deep/dir").is_dir(), True)
    expect("/dev/null", lxrun(*run, "p", "write", "/dev/null").stdout, "written\n")
    expect("only there", (root / "dev/null").exists(), False)


def limited(which, soft, hard=None):
    return lambda: resource.setrlimit(which, (soft, soft if hard is None else hard))


def check_hostile_tree(work):
    """What a guest may have left in its tree for the next start."""
    root, shown = work / "root", work / "shown"
    etc = root / "etc"
    for d in root / "bin", etc, shown / "sub":
        d.mkdir(parents=True)
    subprocess.run(["gcc", "-static", "-w", "-x", "c", "-", "-o", root / "bin/p"], check=True,
                   input=PROBE, text=True)
    run = ["-r", str(root)]
    # A line of its fstab makes nothing in what is shown read-only.
    (etc / "fstab").write_text(f"{shown}/sub /mnt/x/made/by/guest drvfs defaults 0 0\n")
    ran = lxrun(*run, "-b", f"{shown}:/mnt/x:ro", "p", "write", "/mnt/x/made/by/guest/file")
    expect("a mount in a read-only one", ran.stdout, "Read-only file system\n")
    expect("nothing made in a read-only one", sorted(p.name for p in shown.rglob("*")), ["sub"])
    # What it says does not reach the terminal as it is.
    (etc / "fstab").write_text("/no\x1bwhere /mnt/\x1bx drvfs x\x1b 0 0\n/no\x1bwhere /mnt/y drvfs ro 0 0\n")
    expect("what fstab says", lxrun(*run, "p").stderr,
           "lxrun: /etc/fstab: /mnt/?x: 'x?' is no option of it\n"
           "lxrun: /etc/fstab: /mnt/y: /no?where: only what is shown by -b can be mounted\n")
    ran = lxrun(*run, "-b", f"{shown}:/mnt/x:ro,rw=1", "p")
    expect("an option of -b", (ran.returncode, ran.stderr), (125, f"lxrun: -b {shown}: 'rw=1' is no option of it\n"))
    # Files that are none, and one without end.
    (etc / "fstab").unlink()
    for name in "fstab", "passwd", "group":
        os.mkfifo(etc / name)
    expect("FIFOs", lxrun(*run, "p").returncode, 0)
    (etc / "passwd").unlink()
    with open(etc / "passwd", "wb") as f:
        f.truncate(1 << 40)
    ran = lxrun(*run, "-u", "nobody", "p", preexec_fn=limited(resource.RLIMIT_AS, 1 << 32))
    expect("an endless passwd", (ran.returncode, ran.stderr),
           (125, "lxrun: no user 'nobody' in the guest's /etc/passwd\n"))
    (etc / "passwd").unlink()
    # What an attribute says does not reach the terminal as it is.
    os.setxattr(root / "bin/p", "user.containers.override_stat", b"\x1b]0;title\x07")
    ran = lxrun("--check", str(root))
    expect("--check of such an attribute", (ran.returncode, "\\033]0;title\\007" in ran.stdout), (1, True))
    os.removexattr(root / "bin/p", "user.containers.override_stat")


def check_circumstances(work):
    root = work / "masked"
    (root / "bin").mkdir(parents=True)
    (work / "here").mkdir()
    subprocess.run(["gcc", "-static", "-w", "-x", "c", "-", "-o", root / "bin/p"], check=True,
                   input=PROBE, text=True)
    root.chmod(0o755)
    # The umask is the program's; a mount point is for all users of the guest.
    for mask in 0o077, 0o777:
        ran = lxrun("-r", str(root), "-b", f"{work}/here:/a{mask}/b", "p", preexec_fn=lambda m=mask: os.umask(m))
        expect(f"umask {mask:o}", (ran.returncode, ran.stderr), (0, ""))
        expect("mode of a mount point", (root / f"a{mask}").stat().st_mode & 0o777, 0o755)
        ran = lxrun("sh", "-c", "umask", preexec_fn=lambda m=mask: os.umask(m))
        expect("umask of the program", ran.stdout, f"{mask:04o}\n")
    # Without standard descriptors: no output of ours goes to what was opened instead.
    out = work / "out"
    ran = subprocess.run(f"exec {LXRUN} -v sh -c 'ls /proc/self/fd >{out}' <&- >&- 2>&-", shell=True, timeout=20)
    expect("no standard descriptors", (ran.returncode, "2" in out.read_text().split()), (0, False))
    ran = subprocess.run(f"exec {LXRUN} --table >&-", shell=True, timeout=20, stderr=subprocess.PIPE, text=True)
    expect("a table for nobody", (ran.returncode, ran.stderr), (125, "lxrun: cannot write the table: Bad file descriptor\n"))
    # RLIMIT_FSIZE is the guest's: no death by SIGXFSZ.
    ran = lxrun("sh", "-c", "ulimit -Sf", preexec_fn=limited(resource.RLIMIT_FSIZE, 0, resource.RLIM_INFINITY))
    expect("a soft limit of sizes", (ran.returncode, ran.stdout), (0, "0\n"))
    if os.getuid():
        ran = lxrun("true", preexec_fn=limited(resource.RLIMIT_FSIZE, 0))
        expect("a hard limit of sizes", (ran.returncode, ran.stderr),
               (125, "lxrun: cannot make the instance's memory (see ulimit -f): File too large\n"))
    ran = lxrun("true", preexec_fn=limited(resource.RLIMIT_NOFILE, 10))
    expect("of 10 descriptors", (ran.returncode, ran.stderr.endswith(": Too many open files\n")), (125, True))
    for option in "--hostname", "--kernel-release":
        ran = lxrun(option, 65 * "x", "true")
        expect(option, (ran.returncode, ran.stderr), (125, f"lxrun: {option}: longer than 64 characters\n"))


def check_removal(work):
    """A tree that is deeper than there are descriptors goes with the instance, and so does what a
    killed one has left."""
    root, run = work / "deep", work / "run"
    (root / "bin").mkdir(parents=True)
    run.mkdir(mode=0o700)
    source = """#include <sys/stat.h>
#include <unistd.h>
int main(void) { chdir("/dev/shm"); for (int i = 0; i < 500; i++) { mkdir("d", 0700); symlink("/", "l"); chdir("d"); } return 0; }"""
    subprocess.run(["gcc", "-static", "-w", "-x", "c", "-", "-o", root / "bin/p"], check=True,
                   input=source, text=True)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(run)}
    names = lambda: {p for p in os.listdir("/dev/shm") if os.path.isdir(f"/dev/shm/{p}/shm/d/d")}
    before = names()
    ran = lxrun("-r", str(root), "p", env=env, preexec_fn=limited(resource.RLIMIT_NOFILE, 70))
    expect("a deep tree", (ran.returncode, ran.stderr), (0, ""))
    end = time.monotonic() + 20
    while (names() - before or os.listdir(run)) and time.monotonic() < end:
        time.sleep(0.02)
    expect("it is gone", (names() - before, os.listdir(run)), (set(), []))
    child = subprocess.Popen([LXRUN, "sh", "-c", "echo; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=env)
    child.stdout.readline()
    supervisor = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text()
    os.kill(int(supervisor), signal.SIGKILL)
    out, err = child.communicate(timeout=20)
    expect("the supervisor is killed", (child.returncode, err), (125, b"lxrun: the supervisor was killed\n"))


class Orphan:
    """A program whose supervisor was killed: what it stands on stays as long as it lives, and goes then."""

    OLD = 61  # seconds, behind which a directory that nobody has locked may be left over

    def __init__(self, work):
        self.run = work / "orphan"
        self.run.mkdir(mode=0o700)
        self.env = {**os.environ, "XDG_RUNTIME_DIR": str(self.run)}
        self.front = subprocess.Popen([LXRUN, "sh", "-c", "echo $$; read x; ls /dev/null"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env, text=True)
        self.program = int(self.front.stdout.readline())
        supervisor = Path(f"/proc/{self.front.pid}/task/{self.front.pid}/children").read_text()
        os.kill(int(supervisor), signal.SIGKILL)
        self.made = time.monotonic()
        self.stores = os.listdir(self.run)

    def left(self):
        """What is left of it when another instance has come and gone."""
        lxrun("true", env=self.env)
        return [name for name in self.stores if (self.run / name).exists()]

    def check(self):
        expect("a store", len(self.stores), 1)
        time.sleep(max(0, self.made + self.OLD - time.monotonic()))
        expect("the store of a program that lives", self.left(), self.stores)
        out, _ = self.front.communicate("x\n", timeout=20)
        expect("what it finds there", out, "/dev/null\n")
        while Path(f"/proc/{self.program}").exists():
            time.sleep(0.02)
        expect("the store of one that has ended", self.left(), [])


def is_read(fifo):
    """Does anybody have it open for reading, or wait to? He is let go."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
            return True
        time.sleep(0.02)
    return False


def check_processes():
    # A daemon that keeps no descriptor keeps nobody waiting, and is not killed: this one ends only
    # when its FIFO has had a writer, which is after.
    with tempfile.TemporaryDirectory() as work:
        fifo = os.path.join(work, "fifo")
        os.mkfifo(fifo)
        ran = subprocess.run(f"{LXRUN} sh -c '(exec >/dev/null 2>&1; exec cat <{fifo}) & echo hi' | cat", shell=True,
                             capture_output=True, text=True, timeout=20)
        expect("output", ran.stdout, "hi\n")
        expect("the daemon is there", is_read(fifo), True)

    ready = "echo ready; while :; do sleep 0.05; done"
    for sig, name in [(signal.SIGTERM, "TERM"), (signal.SIGHUP, "HUP"), (signal.SIGUSR1, "USR1"),
                      (signal.SIGINT, "INT")]:
        child = subprocess.Popen([LXRUN, "sh", "-c", f"trap 'exit 9' {name}; {ready}"],
                                 stdout=subprocess.PIPE)
        child.stdout.readline()
        child.send_signal(sig)
        expect(f"SIG{name} passed on", child.wait(20), 9)

    child = subprocess.Popen([LXRUN, "sh", "-c", "echo $$; exec sleep 60"], stdout=subprocess.PIPE)
    program = int(child.stdout.readline())
    child.kill()
    child.wait(20)
    end = time.monotonic() + 20  # it may have no processor to end on
    while Path(f"/proc/{program}/status").exists() and time.monotonic() < end:
        time.sleep(0.02)
    expect("SIGKILL takes the program along", Path(f"/proc/{program}/status").exists(), False)

    for name, number in ("TSTP", signal.SIGTSTP), ("STOP", signal.SIGSTOP):
        child = subprocess.Popen([LXRUN, "sh", "-c", f"kill -{name} $$; exit 4"], process_group=0)
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        expect(f"stops with SIG{name}", os.WIFSTOPPED(status) and os.WSTOPSIG(status), number)
        if os.WIFSTOPPED(status):
            os.kill(child.pid, signal.SIGCONT)
            child.wait(20)
            expect("goes on", child.returncode, 4)


def check_ipc():
    """Objects of the host's programs are not in the guest's /proc/sysvipc."""
    libc = ctypes.CDLL(None, use_errno=True)
    ipc_rmid = 0
    shm = libc.shmget(0, 4096, 0o600)
    msg = libc.msgget(0, 0o600)
    sem = libc.semget(0, 1, 0o600)
    script = "while read -r key id rest; do echo $id; done </proc/sysvipc/"
    try:
        for name, column, number in ("shm", "shmid", shm), ("msg", "msqid", msg), ("sem", "semid", sem):
            command = ["sh", "-c", script + name]
            host = subprocess.run(command, capture_output=True, text=True, timeout=20)
            expect(f"the host's {name} for the host", str(number) in host.stdout.split(), True)
            expect(f"the host's {name} for the guest", lxrun(*command).stdout, f"{column}\n")
    finally:
        libc.shmctl(shm, ipc_rmid, None)
        libc.msgctl(msg, ipc_rmid, None)
        libc.semctl(sem, 0, ipc_rmid)


def check_descriptors():
    # What the program is handed is left where it is, also what poll(2) does not name.
    where = os.open("/usr", os.O_PATH)
    for number in 256, 270, 300:
        os.dup2(where, number)
        ran = lxrun("readlink", f"/proc/self/fd/{number}", pass_fds=[number])
        expect(f"O_PATH on {number}", (ran.stdout, ran.stderr), ("/usr\n", ""))
        os.close(number)
    os.close(where)
    for limit in 64, 100, 150, 400, 1024:
        ran = lxrun("sh", "-c", "ls -d /proc/self/fd/ && (true | cat) && ulimit -Hn",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        shown = ran.stdout.split()
        expect(f"of {limit} descriptors", (ran.returncode, ran.stderr, shown[:1]), (0, "", ["/proc/self/fd/"]))
        expect(f"no more than {limit}", 64 <= int(shown[-1] if shown else 0) <= limit, True)


def check_terminal():
    pid, master = pty.fork()
    if pid == 0:
        os.execv(LXRUN, [LXRUN, "sh", "-c", "tty >&2; echo ready; exec cat"])
    seen = b""
    while b"ready" not in seen:
        seen += os.read(master, 1000)
    expect("tty", seen.startswith(b"/dev/pts/"), True)
    os.write(master, b"\x03")
    _, status = os.waitpid(pid, 0)
    expect("^C", os.waitstatus_to_exitcode(status), 130)
    os.close(master)


def main():
    os.chdir("/")
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored below nohup, which a shell cannot trap
    with tempfile.TemporaryDirectory() as work:
        orphan = Orphan(Path(work))
        check_status()
        check_environment()
        check_stats()
        check_root(Path(work))
        check_circumstances(Path(work))
        check_removal(Path(work))
        orphan.check()
    with tempfile.TemporaryDirectory() as work:
        check_hostile_tree(Path(work))
        check_processes()
        check_ipc()
        check_descriptors()
        check_terminal()
    return failed()


if __name__ == "__main__":
    sys.exit(main())
