#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The utility VM, by booting it: commands on the host's tree, on a tree of its own, and on an image;
as root and as an ordinary user.
level: test
"""
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
USER = 64321
BOOT = 120  # seconds that a busy machine may take to emulate a boot
failures = 0


def expect(what, got, want):
    global failures
    if got != want:
        failures += 1
        print(f"{what}: {got!r}, not {want!r}", file=sys.stderr)


def vm(*args, **options):
    options.setdefault("timeout", BOOT)
    options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
    if "input" in options:
        del options["stdin"]
    return subprocess.run([LXRUN, "--vm", *args], capture_output=True, text=True, check=False, **options)


def machines():
    """Process ids of the QEMUs that were started for this test."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
            mine = os.environ["LXRUN_TEST_VM"].encode() in Path("/proc", pid, "environ").read_bytes()
        except OSError:
            continue
        if mine and words[0].endswith(b"qemu-system-x86_64"):
            found.append(int(pid))
    return found


def wait_for(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            expect(what, "nothing within %d s" % seconds, "it happens")
            return
        time.sleep(0.05)


def shutdown():
    ran = subprocess.run([LXRUN, "--shutdown"], capture_output=True, text=True, timeout=60, check=False)
    expect("--shutdown", (ran.returncode, ran.stderr), (0, ""))
    wait_for("no machine after --shutdown", lambda: not machines())


# ---- On the host's tree ----

def check_status():
    expect("first command", vm("echo", "hello").stdout, "hello\n")
    for script, status in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -KILL $$", 137),
                           ("kill -SEGV $$", 139)]:
        ran = vm("sh", "-c", script)
        expect(script, (ran.returncode, ran.stdout, ran.stderr), (status, "", ""))
    for args, status in [(["no-such-program"], 127), (["/no/such/program"], 127), (["/"], 126),
                         (["/etc/passwd"], 126), (["--cd", "/no/such/directory", "true"], 125),
                         (["-u", "no such user", "true"], 125), (["--image", "/etc/passwd", "true"], 125),
                         (["--root", "/etc/passwd", "true"], 125), (["--vm-set", "memory=x", "true"], 125),
                         (["--vm-set", "memory=77MB", "true"], 125)]:
        ran = vm(*args)
        expect(f"status of {args}", ran.returncode, status)
        expect(f"{args} says one line", (ran.stderr.count("\n"), ran.stderr[:7]), (1, "lxrun: "))


def check_streams():
    data = os.urandom(300000).hex()
    ran = vm("sh", "-c", "cat; echo err >&2", input=data)
    expect("cat", (ran.stdout == data, ran.stderr), (True, "err\n"))
    ran = vm("sh", "-c", "pwd; echo $KEPT $NEW; id -u; exec sh -c 'echo $0'", cwd="/usr/bin",
             env={**os.environ, "KEPT": "1"})
    expect("directory, environment, user", ran.stdout, "/usr/bin\n1\n0\nsh\n")
    ran = vm("-u", "1234:56", "-e", "NEW=2", "--cd", "/tmp", "-0", "zero", "sh", "-c", "pwd; echo $NEW; id -u; id -g")
    expect("-u, -e, --cd", ran.stdout, "/tmp\n2\n1234\n56\n")
    # Who writes to a command that does not read is told; who reads from one ends it.
    ran = subprocess.run(f"yes | {LXRUN} --vm true; {LXRUN} --vm yes </dev/null | head -1", shell=True,
                         capture_output=True, text=True, timeout=BOOT, check=False)
    expect("pipes that close", (ran.stdout, ran.stderr), ("y\n", ""))
    start = time.monotonic()
    ran = subprocess.run(f"{LXRUN} --vm sh -c 'sleep 30 >/dev/null 2>&1 & echo hi' </dev/null | cat",
                         shell=True, capture_output=True, text=True, timeout=BOOT, check=False)
    expect("no waiting for a daemon", (ran.stdout, time.monotonic() - start < 20), ("hi\n", True))


def check_joined():
    """Many commands at a time in one machine."""
    out = [None] * 4

    def one(i):
        out[i] = vm("sh", "-c", f"seq {i} 20000 | cat", input="x" * 100000).stdout

    threads = [threading.Thread(target=one, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(4):
        expect(f"joined command {i}", out[i] == "".join(f"{n}\n" for n in range(i, 20001)), True)
    expect("machines", len(machines()), 1)
    ran = vm("--vm-set", "processors=1", "--vm-set", "memory=555MB", "true")
    expect("other settings", (ran.returncode, "other settings" in ran.stderr), (125, True))


def check_signals():
    ready = "echo ready; while :; do sleep 0.1; done"
    for sig, name in [(signal.SIGTERM, "TERM"), (signal.SIGUSR1, "USR1"), (signal.SIGINT, "INT")]:
        child = subprocess.Popen([LXRUN, "--vm", "sh", "-c", f"trap 'exit 9' {name}; {ready}"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        child.stdout.readline()
        child.send_signal(sig)
        expect(f"SIG{name} passed on", child.wait(BOOT), 9)
    child = subprocess.Popen([LXRUN, "--vm", "sh", "-c", "echo $$; exec sleep 1000"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    program = child.stdout.readline().decode().strip()
    child.kill()
    child.wait(20)
    wait_for("SIGKILL takes the command along",
             lambda: vm("test", "-d", f"/proc/{program}").returncode == 1, 60)
    child = subprocess.Popen([LXRUN, "--vm", "sh", "-c", "kill -STOP $$; exit 4"], process_group=0,
                             stdin=subprocess.DEVNULL)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    expect("stops", os.WIFSTOPPED(status), True)
    os.kill(child.pid, signal.SIGCONT)
    expect("goes on", child.wait(BOOT), 4)


def check_terminal():
    pid, master = pty.fork()
    if pid == 0:
        os.execv(LXRUN, [LXRUN, "--vm", "sh", "-c", "stty size; echo ready; exec cat"])
    import fcntl  # pylint: disable=import-outside-toplevel
    import struct  # pylint: disable=import-outside-toplevel
    import termios  # pylint: disable=import-outside-toplevel
    seen = b""
    while b"ready" not in seen:
        seen += os.read(master, 1000)
    os.write(master, b"echoed\r")
    while seen.count(b"echoed") < 2:
        seen += os.read(master, 1000)
    os.write(master, b"\x03")
    _, status = os.waitpid(pid, 0)
    expect("^C", os.waitstatus_to_exitcode(status), 130)
    os.close(master)
    pid, master = pty.fork()
    if pid == 0:
        os.execv(LXRUN, [LXRUN, "--vm", "sh", "-c", "trap 'stty size; exit 5' WINCH; echo ready; while :; do sleep 0.1; done"])
    seen = b""
    while b"ready" not in seen:
        seen += os.read(master, 1000)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    os.kill(pid, signal.SIGWINCH)
    while b"33 77" not in seen:
        seen += os.read(master, 1000)
    _, status = os.waitpid(pid, 0)
    expect("size of the window", os.waitstatus_to_exitcode(status), 5)
    os.close(master)


def talk(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(b"GET /f HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: s.recv(4096), b""))
    except OSError as e:
        return str(e).encode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def check_network(work):
    (work / "f").write_text("from the VM\n")
    port = free_port()
    child = subprocess.Popen([LXRUN, "--vm", "/bin/busybox", "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", work],
                             stdin=subprocess.DEVNULL)
    wait_for("a port of the VM's localhost", lambda: talk(port).endswith(b"from the VM\n"))
    child.terminate()
    child.wait(60)
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with server.accept()[0] as s:
                s.sendall(b"from the host\n")
        threading.Thread(target=serve, daemon=True).start()
        ran = vm("/bin/busybox", "nc", "10.0.2.2", str(server.getsockname()[1]))
        expect("the host's localhost", ran.stdout, "from the host\n")
    expect("resolv.conf", vm("cat", "/etc/resolv.conf").stdout, "nameserver 10.0.2.3\n")


# ---- Other roots ----

def make_tree(tree):
    """A tree with a shell and what lxrun keeps in attributes, made under lxrun."""
    for d in "bin", "etc", "tmp", "proc", "sys", "dev", "mnt":
        (tree / d).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    (tree / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nu:x:1000:100::/tmp:/bin/sh\n")
    (tree / "etc/group").write_text("users:x:100:\nmore:x:7:u\n")
    subprocess.run([LXRUN, "--root", tree, "/bin/sh", "-c",
                    "echo secret >/etc/s && busybox chown 1000:7 /etc/s && busybox chmod 4640 /etc/s && "
                    "busybox mknod /etc/null c 1 3 && busybox chmod 666 /etc/null && "
                    "busybox ln -s s /etc/l && busybox chown -h 5:6 /etc/l"], check=True, timeout=60)


STAT = "busybox stat -c '%n %u:%g %a %F %t:%T' /etc/s /etc/null /etc/l"


def check_root(work):
    """The tree as the VM's root: the owners that lxrun stores are the VM's, both ways."""
    tree = work / "tree"
    make_tree(tree)
    here = subprocess.run([LXRUN, "--root", tree, "/bin/sh", "-c", STAT], capture_output=True,
                          text=True, timeout=60, check=True).stdout
    expect("the tree itself", here.splitlines()[0], "/etc/s 1000:7 4640 regular file 0:0")
    expect("owners, modes, devices", vm("--root", tree, "sh", "-c", STAT).stdout, here)
    ran = vm("--root", tree, "-u", "u", "sh", "-c", "id -u; id -G; echo $HOME; cat /etc/s; cat /etc/shadow")
    expect("a user of the tree", ran.stdout, "1000\n100 7\n/tmp\nsecret\n")
    ran = vm("--root", tree, "sh", "-c", "echo new >/tmp/n && busybox chown 77:88 /tmp/n && busybox chmod 2751 /tmp/n && "
             "busybox mkdir /tmp/d && busybox chown 9:9 /tmp/d")
    expect("changes", (ran.returncode, ran.stderr), (0, ""))
    after = subprocess.run([LXRUN, "--root", tree, "/bin/sh", "-c", "busybox stat -c '%u:%g %a %F' /tmp/n /tmp/d"],
                           capture_output=True, text=True, timeout=60, check=True).stdout
    expect("as lxrun sees them", after, "77:88 2751 regular file\n9:9 755 directory\n")
    shutdown()


def check_image(work):
    tree, image = work / "plain", work / "image"
    make_tree(tree)
    with image.open("wb") as f:
        f.truncate(256 << 20)
    subprocess.run(["/sbin/mke2fs", "-q", "-t", "ext4", "-d", tree, image], check=True)
    run = ["--image", str(image), "--vm-set", "vmIdleTimeout=300000"]
    expect("an image", vm(*run, "sh", "-c", "echo $HOME; busybox grep -c ' / ext4 ' /proc/mounts").stdout, "/root\n1\n")
    # Killed while it writes.
    child = subprocess.Popen([LXRUN, "--vm", *run, "sh", "-c",
                              "echo ready; while :; do busybox dd if=/dev/zero of=/tmp/x bs=64k count=100 2>/dev/null; "
                              "busybox cp /bin/busybox /tmp/y; busybox sync; done"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    child.stdout.readline()
    time.sleep(2)
    for pid in machines():
        os.kill(pid, signal.SIGKILL)
    _, err = child.communicate(timeout=60)
    expect("the command of a killed VM", (child.returncode, err[:13], err.count("\n")), (125, "lxrun: the VM", 1))
    ran = vm(*run, "busybox", "true")
    expect("after the kill", (ran.returncode, "was not closed cleanly" in ran.stderr), (0, True))
    ran = vm(*run, "busybox", "true")
    expect("said once", (ran.returncode, ran.stderr), (0, ""))
    shutdown()
    ran = subprocess.run(["/sbin/e2fsck", "-fn", image], capture_output=True, text=True, check=False)
    expect("e2fsck", (ran.returncode, ran.stdout if ran.returncode else ""), (0, ""))


def check_idle():
    expect("a VM with a short time", vm("--vm-set", "vmIdleTimeout=200", "true").returncode, 0)
    wait_for("ends when idle", lambda: not machines())


def as_user():
    """The rest of this as an ordinary user, who needs what root has in its cache."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as home:
        kernel = Path(home, "cache/lxrun/vm")
        kernel.mkdir(parents=True)
        for name in "vmlinux", "modules.cpio":
            shutil.copy(cache() / name, kernel)
        for name in "lxrun", "lxcore", "lxinit":
            shutil.copy(Path(LXRUN).parent / name, home)
        for top, dirs, files in os.walk(home):
            for name in [".", *dirs, *files]:
                os.chown(os.path.join(top, name), USER, USER)
        env = {**os.environ, "LXRUN": f"{home}/lxrun", "XDG_CACHE_HOME": f"{home}/cache", "TMPDIR": home, "HOME": home}
        env.pop("XDG_RUNTIME_DIR", None)
        shutil.copy(__file__, home)
        ran = subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                              sys.executable, f"{home}/check-vm.py", "part"],
                             env=env, timeout=500, check=False)
        expect("as an ordinary user", ran.returncode, 0)


def cache():
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "lxrun/vm")


def main():
    os.environ["LXRUN_TEST_VM"] = f"{os.getpid()}.{time.time()}"
    # An argument names one check; "part" is what an ordinary user runs.
    if sys.argv[1:] != ["part"]:
        subprocess.run([TOP / "scripts/vm-kernel.py"], check=True)
    host_tree = [check_status, check_streams, check_joined, check_signals, check_terminal,
                 check_network, shutdown]
    whole = [*host_tree, check_image, check_idle, check_root]
    named = {"part": [check_root], **{c.__name__: [c] for c in whole}}
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        os.chmod(work, 0o755)
        os.environ["XDG_RUNTIME_DIR"] = str(work)
        try:
            for check in named[sys.argv[1]] if sys.argv[1:] else whole:
                if check in (check_network, check_image, check_root):
                    check(work)
                else:
                    check()
        finally:
            subprocess.run([LXRUN, "--shutdown"], check=False, timeout=60)
    if os.geteuid() == 0 and not sys.argv[1:]:
        as_user()
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
