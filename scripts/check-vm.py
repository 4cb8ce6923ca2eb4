#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: test
# timeout: 1800
"""The utility VM, by booting it: commands on the host's tree, on a tree of its own, and on an image;
as root and as an ordinary user.
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
import uuid
from pathlib import Path

from expecting import expect, failed
from vm_commands import BOOT, LXRUN, TOP, cache, lxrun, machines, make_tree, shutdown, used, vm, wait_for

USER = 64321


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
                         (["--vm-set", "memory=777MB", "true"], 125), (["--vm-set", "memory=900GB", "true"], 125), (["--vm-set", "memory=95MB", "true"], 125)]:
        ran = vm(*args)
        expect(f"status of {args}", ran.returncode, status)
        expect(f"{args} says one line", (ran.stderr.count("\n"), ran.stderr[:7]), (1, "lxrun: "))
    ran = vm(LXRUN, "uname", "-s")
    expect("lxrun in the VM", (ran.returncode, ran.stdout, ran.stderr), (0, "Linux\n", ""))
    ran = vm("/bin/busybox", "sh", "-c", "mount -t tmpfs t /mnt && cd /mnt && mkdir a b w m && echo below >a/f && "
             "mount -t overlay -o lowerdir=a,upperdir=b,workdir=w o m && cat m/f && exec 3<>/dev/fuse && echo fuse; "
             "umount /mnt/m; cd /; umount /mnt")
    expect("modules that are loaded when wanted", (ran.stdout, ran.stderr), ("below\nfuse\n", ""))


def check_missing():
    for what, env in ("qemu", {"PATH": "/nonexistent"}), ("scripts/vm-kernel.py", {"XDG_CACHE_HOME": "/nonexistent"}):
        ran = vm("true", env={**os.environ, **env, "XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"] + "/none"})
        expect(f"without {what}", (ran.returncode, ran.stderr.count("\n"), what in ran.stderr), (125, 1, True))


def check_settings(work):
    """The file of settings: what it does not know it leaves alone, what is no value it says where."""
    config = work / "config/lxrun/config"
    config.parent.mkdir(parents=True)
    env = {**os.environ, "XDG_CONFIG_HOME": str(work / "config")}
    tree = work / "settings"
    make_tree(tree)
    text = "[wsl2]\nmemory=%s\nswap = 0\n# memory=9\n kernelCommandLine = one=two \n[experimental]\nmemory=9\n"
    config.write_text(text % "95MB")
    ran = vm("--root", tree, "true", env=env)
    expect("a wrong value", (ran.returncode, f"{config}:2: memory: " in ran.stderr, ran.stderr.count("\n")), (125, True, 1))
    config.unlink()
    config.mkdir()
    ran = vm("--root", tree, "true", env=env)
    expect("a file that cannot be read", (ran.returncode, ran.stderr), (125, f"lxrun: cannot read {config}: Is a directory\n"))
    config.rmdir()
    config.write_text(text % "96MB" + "autoMemoryReclaim=now\n")
    ran = vm("--root", tree, "true", env=env)
    expect("a wrong one of [experimental]", (ran.returncode, f"{config}:8: autoMemoryReclaim: dropCache" in ran.stderr), (125, True))
    config.write_text(text % "96MB" + "AutoMemoryReclaim = Gradual\n[wsl2]\nlocalhostForwarding=FALSE\n")
    share, port = work / "shared", free_port()
    share.mkdir()
    (share / "f").write_text("of the host\n")
    run = ["--root", tree, "-b", f"{share}:/mnt/rw", "-b", f"{share}:/mnt/deep/ro:ro"]
    ran = vm(*run, "sh", "-c", "busybox free -m | busybox awk 'NR==2 { print $2 < 96 }'; busybox grep -o one=two /proc/cmdline",
             env=env)
    expect("settings from the file", (ran.returncode, ran.stdout), (0, "1\none=two\n"))
    ran = vm(*run, "sh", "-c", "busybox cat /mnt/rw/f; echo of the VM >/mnt/rw/g; busybox cat /mnt/deep/ro/g; echo x >/mnt/deep/ro/h", env=env)
    expect("directories of the host", (ran.stdout, "Read-only file system" in ran.stderr, (share / "g").read_text()),
           ("of the host\nof the VM\n", True, "of the VM\n"))
    child = subprocess.Popen([LXRUN, "--vm", *run, "busybox", "httpd", "-f", "-p", f"127.0.0.1:{port}"], env=env, stdin=subprocess.DEVNULL)
    wait_for("a server in the VM", lambda: vm(*run, "sh", "-c", f"echo | busybox nc 127.0.0.1 {port}", env=env).returncode == 0)
    time.sleep(1.5)
    expect("no forwarding", talk(port).count(b"refused"), 1)
    child.terminate()
    child.wait(60)
    shutdown()
    ran = vm("--root", tree, "--vm-set", "kernel=/etc/passwd", "true")
    expect("no kernel", (ran.returncode, ran.stderr[:32], ran.stderr.count("\n")), (125, "lxrun: the VM did not boot: it e", 1))
    ran = lxrun("--shutdown", "one")
    expect("--shutdown and a name", (ran.returncode, ran.stderr.count("\n")), (125, 1))
    shutdown()


def check_acceleration(work):
    """What is found of /dev/kvm is said, and known the next time."""
    known = work / "cache/lxrun/vm"
    known.mkdir(parents=True)
    for name in "vmlinux", "modules.cpio":
        (known / name).symlink_to(cache() / name)
    env = {**os.environ, "XDG_CACHE_HOME": str(work / "cache")}
    tree = work / "accelerated"
    make_tree(tree)
    whole = (known / "modules.cpio").read_bytes()
    (known / "modules.cpio").unlink()
    (known / "modules.cpio").write_bytes(whole[:len(whole) // 2])
    ran = vm("--root", tree, "true", env=env)
    expect("a cut archive", (ran.returncode, " is cut: " in ran.stderr, ran.stderr.count("\n")), (125, True, 1))
    (known / "modules.cpio").write_bytes(whole)
    ran = vm("--root", tree, "--vm-set", "kernel=/etc/passwd", "true", env=env)
    expect("what does not boot at all says nothing of KVM", (ran.returncode, (known / "no-kvm").exists()), (125, False))
    ran = vm("-v", "--root", tree, "sh", "-c", ":", env=env)
    usable = os.access("/dev/kvm", os.R_OK | os.W_OK)
    by_kvm = "the VM runs under KVM;" in ran.stderr
    expect("it says how", (ran.returncode, by_kvm or "the VM runs under TCG: " in ran.stderr), (0, True))
    expect("that KVM does not work is said once", "now and later" in ran.stderr, usable and not by_kvm)
    expect("and remembered", (known / "no-kvm").exists(), usable and not by_kvm)
    shutdown()
    (known / "vmlinux").unlink()
    shutil.copyfile(cache() / "vmlinux", known / "vmlinux")
    ran = vm("-v", "--root", tree, "sh", "-c", ":", env=env)
    expect("of another kernel it is not known", (ran.returncode, "now and later" in ran.stderr), (0, usable and not by_kvm))
    shutdown()
    # The command that starts a VM can be ended while it boots, and so can the VM.
    child = subprocess.Popen([LXRUN, "--vm", "--root", tree, "sh"], env=env, stdin=subprocess.DEVNULL)
    wait_for("a machine", machines)
    child.terminate()
    expect("SIGTERM while it boots", child.wait(10), -signal.SIGTERM)
    for pid in machines():
        os.kill(pid, signal.SIGSTOP)  # so that it never boots: after a minute that would be told
    begin = time.monotonic()
    shutdown()
    expect("--shutdown while it boots", time.monotonic() - begin < 20, True)
    if usable and not by_kvm:
        ran = vm("-v", "--root", tree, "sh", "-c", ":", env=env)
        expect("the next time", (ran.returncode, "now and later" in ran.stderr, "did not boot the kernel" in ran.stderr),
               (0, False, True))
        shutdown()


def check_streams():
    data = os.urandom(300000).hex()
    ran = vm("sh", "-c", "cat; echo err >&2", input=data)
    expect("cat", (ran.stdout == data, ran.stderr), (True, "err\n"))
    ran = vm("sh", "-c", "pwd; echo $KEPT $NEW; id -u; exec sh -c 'echo $0'", cwd="/usr/bin",
             env={**os.environ, "KEPT": "1"})
    expect("directory, environment, user", ran.stdout, "/usr/bin\n1\n0\nsh\n")
    ran = vm("-u", "1234:56", "-e", "NEW=2", "--cd", "/tmp", "-0", "zero", "sh", "-c", "pwd; echo $NEW; id -u; id -g")
    expect("-u, -e, --cd", ran.stdout, "/tmp\n2\n1234\n56\n")
    ran = vm("sh", "-c", "umask", umask=0o027)
    expect("umask", ran.stdout, "0027\n")
    for closed, script, want in [("<&-", "cat 2>&1", (1, True)), (">&-", "echo x 2>/dev/null", (1, False)), ("2>&-", "echo x >&2", (2, False))]:
        ran = subprocess.run(f"{LXRUN} --vm sh -c '{script}' {closed}", shell=True, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=BOOT, check=False)
        expect(f"a closed stream, {closed}", (ran.returncode, "Bad file descriptor" in ran.stdout, ran.stderr), (*want, ""))
    with open("/dev/full", "w", encoding="utf-8") as full:
        ran = subprocess.run([LXRUN, "--vm", "echo", "x"], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                             text=True, timeout=BOOT, check=False)
    expect("output that is lost", (ran.returncode, ran.stderr),
           (125, "lxrun: cannot write the command's standard output: No space left on device\n"))
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


def check_clock():
    """It follows the host's."""
    vm("date", "-s", "@1000000000")
    time.sleep(1.5)  # it is asked once a second at most
    begin = time.time()
    # The command is started while the keeper is asked.
    told = float(vm("sh", "-c", "sleep 1; date +%s.%N").stdout)
    expect(f"{begin} <= {told} <= {time.time()}", begin - 0.1 <= told <= time.time() + 0.1, True)


# Two jobs of one terminal: the first has it until it has read a line, then the second.
JOBS = r"""
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.execv(sys.argv[1], [sys.argv[1], "--vm", "sh", "-c", "echo both; read x; echo second $x"])
print("first", sys.stdin.readline(), flush=True)
os.setpgid(pid, pid)
os.tcsetpgrp(0, pid)
os.waitpid(pid, 0)
"""


def read_until(master, wanted, count=1):
    seen = b""
    while seen.count(wanted) < count:
        seen += os.read(master, 1000)
    return seen


def check_jobs():
    """^Z and SIGTSTP stop the command and lxrun; what is in the background leaves the terminal alone."""
    pid, master = pty.fork()
    if pid == 0:
        with tempfile.TemporaryFile() as errors:
            os.dup2(errors.fileno(), 2)
            os.execv(LXRUN, [LXRUN, "--vm", "sh", "-c", "echo no >&2; echo ready; exec sleep 1000"])
    expect("standard error is a file", b"no" in read_until(master, b"ready"), False)
    os.write(master, b"\x1a")
    _, status = os.waitpid(pid, os.WUNTRACED)
    expect("^Z", os.WIFSTOPPED(status), True)
    os.kill(pid, signal.SIGCONT)
    os.write(master, b"\x03")
    _, status = os.waitpid(pid, 0)
    expect("^C after that", os.waitstatus_to_exitcode(status), 130)
    os.close(master)
    child = subprocess.Popen([LXRUN, "--vm", "sh", "-c", "echo ready; sleep 1000"], process_group=0,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    child.stdout.readline()
    child.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    expect("SIGTSTP", os.WIFSTOPPED(status), True)
    os.kill(child.pid, signal.SIGCONT)
    child.terminate()
    expect("SIGTERM after that", child.wait(BOOT), 143)
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", JOBS, LXRUN])
    read_until(master, b"both")
    os.write(master, b"1\n")
    seen = read_until(master, b"first 1")
    os.write(master, b"2\n")
    seen += read_until(master, b"second 2")
    expect("a line each", b"second 1" in seen, False)
    os.waitpid(pid, 0)
    os.close(master)


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


def talk(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), 20) as s:
            s.sendall(b"GET /f HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: s.recv(4096), b""))
    except OSError as e:
        return str(e).encode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# In the VM: a server that says all it has to say before it listens, on IPv6, too; and one that never accepts.
SERVERS = r"""
import socket, sys
deaf = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=0)
half = socket.create_server(("::1", int(sys.argv[1])), family=socket.AF_INET6)
print("ready", flush=True)
while True:
    s = half.accept()[0]
    s.sendall(b"all")
    s.shutdown(socket.SHUT_WR)
    print("heard", s.recv(100).decode()[:5], flush=True)
    s.close()
"""


def check_servers():
    """Servers that speak, or do not, in their own way."""
    ports = free_port(), free_port()
    child = subprocess.Popen([LXRUN, "--vm", "python3", "-ISc", SERVERS, *map(str, ports)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, text=True)
    expect("servers in the VM", child.stdout.readline(), "ready\n")
    for host in "127.0.0.1", "::1":
        wait_for(f"the port at {host}", lambda: talk(ports[0], host) == b"all")  # pylint: disable=cell-var-from-loop
        expect("what it heard", child.stdout.readline(), "heard GET /\n")
        with socket.create_connection((host, ports[0]), 20) as s:
            expect(f"the end of what it says, {host}", b"".join(iter(lambda: s.recv(4096), b"")), b"all")  # pylint: disable=cell-var-from-loop
            s.sendall(b"after the end")
        expect("what it hears after that", child.stdout.readline(), "heard after\n")
    waiting = [socket.create_connection(("127.0.0.1", ports[1]), 20) for _ in range(5)]
    time.sleep(0.5)
    begin = time.monotonic()
    expect("a command while connections wait", (vm("true").returncode, time.monotonic() - begin < 20), (0, True))
    for s in waiting:
        s.close()
    child.terminate()
    child.wait(60)


def check_network(work):
    (work / "f").write_text("from the VM\n")
    port = free_port()
    child = subprocess.Popen([LXRUN, "--vm", "/bin/busybox", "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", work],
                             stdin=subprocess.DEVNULL)
    wait_for("a port of the VM's localhost", lambda: talk(port).endswith(b"from the VM\n"))
    child.terminate()
    child.wait(60)
    check_servers()
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with server.accept()[0] as s:
                s.sendall(b"from the host\n")
        threading.Thread(target=serve, daemon=True).start()
        ran = vm("/bin/busybox", "nc", "10.0.2.2", str(server.getsockname()[1]))
        expect("the host's localhost", ran.stdout, "from the host\n")
    shutdown()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        def echo():
            for _ in range(2):
                with server.accept()[0] as s:
                    s.sendall(s.recv(100).upper())
        threading.Thread(target=echo, daemon=True).start()
        asked = ["--vm-set", f"hostPorts={port}", "/bin/busybox", "nc", "127.0.0.1", str(port)]
        expect("the host by the VM's localhost", vm(*asked, input="one\n").stdout, "ONE\n")
        expect("again", vm(*asked, input="two\n").stdout, "TWO\n")
    expect("where nobody listens", vm(*asked, input="three\n").stdout, "")
    shutdown()
    ran = vm("sh", "-c", "cat /etc/resolv.conf; /bin/busybox ip -4 addr show eth0 | grep -o '10.0.2.15/24'")
    expect("resolv.conf and address", ran.stdout, "nameserver 10.0.2.3\n10.0.2.15/24\n")


# ---- Conversion ----

# Makes a tree with one of everything in the current directory.
ALL_KINDS = r"""
import os, socket, struct
os.umask(0o022)
def put(name, content=b"x"):
    with open(name, "wb") as f:
        f.write(content)
put("file", b"hi" * 70000)
os.chown("file", 1000, 70000)
os.chmod("file", 0o4751)
os.mkdir("sub")
os.link("file", "hard")
os.link("file", "sub/hard")
os.mkdir("d")
os.chown("d", 5, 6)
os.chmod("d", 0o3777)
os.symlink("target", "l")
os.lchown("l", 7, 8)
os.symlink("t" * 200, "long")
os.mknod("char", 0o640 | 0o020000, os.makedev(5, 1))
os.mknod("block", 0o600 | 0o060000, os.makedev(259, 300))
os.chown("block", 9, 10)
os.mkfifo("fifo", 0o600)
os.chown("fifo", 11, 12)
os.mkfifo("fifo-1", 0o600)
os.link("fifo-1", "fifo-2")
os.chown("fifo-1", 13, 14)
os.chmod("fifo-2", 0o624)
socket.socket(socket.AF_UNIX).bind("socket")
with open("sparse", "wb") as f:
    f.seek(5000000)
    f.write(b"x")
    f.truncate(20000000)
os.setxattr("file", "user.short", b"value")
os.setxattr("d", "user.long", b"v" * 2000)
def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
NONE = 0xffffffff
os.setxattr("sparse", "system.posix_acl_access",
            acl((1, 6, NONE), (2, 7, 1234), (4, 4, NONE), (16, 7, NONE), (32, 4, NONE)))
os.setxattr("d", "system.posix_acl_default",
            acl((1, 7, NONE), (4, 5, NONE), (8, 5, 55), (16, 5, NONE), (32, 1, NONE)))
for i in range(300):
    put("sub/%03d %s" % (i, "n" * (i % 200)), b"%d" % i)
put("odd: \\ ? * \x7f", b"")
os.utime("file", ns=(1, 981173106123456789))
os.utime("l", ns=(1, 915148800500000000), follow_symlinks=False)
os.utime("sub", ns=(1, 2208988800250000000))
os.utime("d", ns=(1, -315619200000000000 + 7))
os.chown(".", 21, 22)
os.chmod(".", 0o751)
os.utime(".", ns=(1, 1000000000000000001))
"""

# Says all there is to say about the tree in the current directory, but for inode numbers and ctimes.
ALL_TOLD = r"""
import hashlib, os, stat
first = {}
def tell(path):
    st = os.lstat(path)
    more = [(n, os.getxattr(path, n, follow_symlinks=False).hex())
            for n in sorted(os.listxattr(path, follow_symlinks=False))]
    if stat.S_ISLNK(st.st_mode):
        more.append(os.readlink(path))
    if stat.S_ISREG(st.st_mode):
        more.append(hashlib.sha256(open(path, "rb").read()).hexdigest())
        more.append(st.st_blocks * 512 < st.st_size / 2)
    if not stat.S_ISDIR(st.st_mode):
        more += [st.st_nlink, st.st_size, first.setdefault(st.st_ino, path)]
    print(path, oct(st.st_mode), st.st_uid, st.st_gid, st.st_rdev, st.st_mtime_ns, *more)
for top, dirs, files in os.walk("."):
    dirs.sort()
    tell(top)
    for name in sorted(files + [d for d in dirs if os.path.islink(os.path.join(top, d))]):
        tell(os.path.join(top, name))
"""


def check_conversion(work):
    source, image, back = work / "source", work / "converted", work / "back"
    source.mkdir()

    def inside(tree, script):
        ran = lxrun("-b", f"{tree}:{tree}", "--cd", tree, "/usr/bin/python3", "-c", script)
        expect(f"python in {tree.name}", (ran.returncode, ran.stderr), (0, ""))
        return ran.stdout

    inside(source, ALL_KINDS)
    told = inside(source, ALL_TOLD)
    expect("inodes of the tree", len(told.splitlines()), 316)
    for args in (source, image, "64MB"), (source, image):
        ran = lxrun("--to-image", *args)
        want = (0, "") if len(args) == 3 else (125, f"lxrun: {image} is there already\n")
        expect(f"--to-image {len(args)}", (ran.returncode, ran.stderr), want)
    expect("a sparse image", used(image) < 20, True)
    ran = lxrun("--to-image", source, work / "narrow", "1MB")
    expect("no room for the tree", (ran.returncode, ran.stderr.count("\n"), "above that" in ran.stderr), (125, 1, True))
    for args in (["--to-image", source], ["--from-image", image], ["--resize", image], ["--resize", image, "1GB", "more"]):
        ran = lxrun(*args)
        expect(f"{args[0]} says what it takes", (ran.returncode, ran.stderr.count("\n"), f"{args[0]} " in ran.stderr), (125, 1, True))
    ran = lxrun("--from-image", image, back)
    expect("--from-image", (ran.returncode, ran.stderr), (0, ""))
    expect("the tree that came back", inside(back, ALL_TOLD) == told, True)
    expect("the tree it was made of", inside(source, ALL_TOLD) == told, True)
    expect("e2fsck", subprocess.run(["/sbin/e2fsck", "-fn", image], capture_output=True, check=False).returncode, 0)
    # The comparison that a conversion ends with finds what is not the same.
    lximage = Path(LXRUN).parent / "lximage"
    for change in "sif file mode 0100751", "sif file links_count 4", "sif file links_count 2", "sif d uid 6", "sif sub/hard mtime 5", 'rm "sub/004 nnnn"', "ln char other", \
                  "ea_set d user.more x", "ea_rm file user.short", "zap_block -f sparse -p 1 1220", "sif char block[0] 0x502":
        copy = work / "copy"
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        subprocess.run(["/sbin/debugfs", "-w", "-R", change, copy],
                       capture_output=True, check=True)
        ran = lxrun("-b", f"{source}:{source}", lximage, "extract", copy, "/nowhere")
        expect("nowhere", ran.returncode, 1)
        ran = lxrun("-b", f"{source}:{source}", lximage, "compare", source, copy)
        expect(change, (ran.returncode, ran.stderr[:31]), (1, "lxrun: the image is not the tree"[:31]))
    ran = lxrun("-b", f"{source}:{source}", lximage, "compare", source, image)
    expect("the same", (ran.returncode, ran.stderr), (0, ""))
    # A name outside of the tree is none of the image's.
    os.link(source / "odd: \\ ? * \x7f", work / "outside")
    os.link(source / "file", work / "outside-file")
    ran = lxrun("--to-image", source, work / "linked.img", "64MB")
    expect("--to-image with names outside", (ran.returncode, ran.stderr), (0, ""))
    ran = lxrun("--from-image", work / "linked.img", work / "linked")
    expect("--from-image of that", (ran.returncode, ran.stderr), (0, ""))
    (work / "outside").unlink()
    (work / "outside-file").unlink()
    expect("the tree without what is outside", inside(work / "linked", ALL_TOLD) == told, True)
    # Killed at any moment: no result, nothing lost, and the next one works.
    for delay in 0.05, 0.15, 0.3, 0.5:
        for args in ("--to-image", source, work / "killed.img", "64MB"), ("--from-image", image, work / "killed"):
            child = subprocess.Popen([LXRUN, *args], stderr=subprocess.DEVNULL)
            time.sleep(delay)
            child.kill()
            child.wait()
            if args[2].exists():
                remove(args[2])
    ran = lxrun("--to-image", source, work / "killed.img", "64MB")
    expect("after a kill", (ran.returncode, ran.stderr), (0, ""))
    ran = lxrun("--from-image", work / "killed.img", work / "killed")
    expect("after a kill, back", (ran.returncode, ran.stderr), (0, ""))
    expect("the tree after that", inside(work / "killed", ALL_TOLD) == told, True)
    expect("nothing is left", sorted(f.name for f in work.iterdir() if f.name.endswith(".new")), [])


def remove(path):
    """A whole conversion was faster than the kill: it is to be a right one."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


# ---- Other roots ----

STAT = "busybox stat -c '%n %u:%g %a %F %t:%T' /etc/s /etc/null /etc/l"


def check_root(work):
    """The tree as the VM's root: the owners that lxrun stores are the VM's, both ways."""
    tree = work / "tree"
    make_tree(tree)
    here = subprocess.run([LXRUN, "--root", tree, "/bin/sh", "-c", STAT], capture_output=True,
                          text=True, timeout=60, check=True).stdout
    expect("the tree itself", here.splitlines()[0], "/etc/s 1000:7 4640 regular file 0:0")
    ran = vm("--root", tree, "sh", "-c", STAT)
    expect("owners, modes, devices", (ran.returncode, ran.stdout, ran.stderr), (0, here, ""))
    ran = vm("--root", tree, "-u", "u", "sh", "-c", "id -u; id -G; echo $HOME; cat /etc/s; cat /etc/shadow")
    expect("a user of the tree", ran.stdout, "1000\n100 7\n/tmp\nsecret\n")
    ran = vm("--root", tree, "sh", "-c", "echo new >/tmp/n && busybox chown 77:88 /tmp/n && busybox chmod 2751 /tmp/n && "
             "busybox mkdir /tmp/d && busybox chown 9:9 /tmp/d")
    expect("changes", (ran.returncode, ran.stderr), (0, ""))
    after = subprocess.run([LXRUN, "--root", tree, "/bin/sh", "-c", "busybox stat -c '%u:%g %a %F' /tmp/n /tmp/d"],
                           capture_output=True, text=True, timeout=60, check=True).stdout
    expect("as lxrun sees them", after, "77:88 2751 regular file\n9:9 755 directory\n")
    shutdown()


def check_space(run, image):
    """What is deleted leaves the host's file; the size of the image changes both ways."""
    size = "busybox df -m / | busybox awk 'END{print $2}'"
    before = used(image)
    ran = vm(*run, "sh", "-c", "busybox dd if=/dev/urandom of=/tmp/big bs=1M count=64 2>/dev/null; busybox sync")
    full = used(image)
    expect("64 MiB are written", (ran.returncode, full > before + 60), (0, True))
    vm(*run, "sh", "-c", "busybox rm /tmp/big; busybox sync")
    wait_for("what is deleted leaves the file", lambda: used(image) < before * 1.05 + 1)
    shutdown()
    for wanted, least, most in ("600MB", 500, 600), ("100MB", 80, 100):
        ran = lxrun("--resize", image, wanted)
        expect(f"--resize {wanted}", (ran.returncode, ran.stderr), (0, ""))
        expect(f"size after --resize {wanted}", image.stat().st_size, int(wanted[:-2]) << 20)
        if wanted == "100MB":
            got = int(vm(*run, "sh", "-c", size).stdout or 0)
            expect(f"the VM's size of {wanted}: {got}", least <= got <= most, True)
    shutdown()
    shutil.rmtree(image.parent / "small", ignore_errors=True)
    make_tree(image.parent / "small")
    large = image.parent / "large"
    lxrun("--to-image", image.parent / "small", large, "4GB")
    made = used(large)
    expect("--resize of a large one", lxrun("--resize", large, "200MB").returncode, 0)
    expect(f"{made:.1f} MiB do not grow: {used(large):.1f}", used(large) < made + 1, True)
    ran = lxrun("--resize", image, "1MB")
    expect("no room", (ran.returncode, image.stat().st_size), (125, 100 << 20))


def check_image(work):
    tree, image = work / "plain", work / "image"
    make_tree(tree)
    ran = lxrun("--to-image", tree, image, "256MB")
    expect("--to-image", (ran.returncode, ran.stderr), (0, ""))
    (work / "more").mkdir()
    (work / "more/f").write_text("attached\n")
    ran = lxrun("--to-image", work / "more", work / "second", "64MB")
    expect("--to-image of the second", (ran.returncode, ran.stderr), (0, ""))
    run = ["--image", str(image), "--attach", str(work / "second"), "--vm-set", "vmIdleTimeout=300000"]
    ran = vm(*run, "sh", "-c", "busybox cat /mnt/image/f; echo from the VM >/mnt/image/g")
    expect("a second image", (ran.returncode, ran.stdout, ran.stderr), (0, "attached\n", ""))
    ran = vm("--image", str(work / "second"), "true")
    ran2 = vm("--image", image, "--attach", image, "true")
    expect("an image twice", (ran2.returncode, ran2.stderr.count("\n"), "the VM's root" in ran2.stderr), (125, 1, True))
    expect("an image that is in use", (ran.returncode, "in use" in ran.stderr, ran.stderr.count("\n")), (125, True, 1))
    here = lxrun("--root", tree, "/bin/sh", "-c", STAT).stdout
    expect("owners, modes, devices of an image", vm(*run, "sh", "-c", STAT).stdout, here)
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
    # What ends a process, ends the VM in good order.
    for sig in signal.SIGTERM, signal.SIGHUP:
        child = subprocess.Popen([LXRUN, "--vm", *run, "sh", "-c", "echo x >/tmp/x; echo ready; busybox sleep 1000"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        child.stdout.readline()
        keeper = Path("/proc", str(machines()[0]), "stat").read_text().rsplit(")", 1)[1].split()[1]
        os.kill(int(keeper), sig)
        _, err = child.communicate(timeout=60)
        expect(f"the keeper gets {sig}", (child.returncode, err), (125, "lxrun: the VM was shut down\n"))
        wait_for("no machine after that", lambda: not machines())
        ran = vm(*run, "busybox", "true")
        expect("the image was closed", (ran.returncode, ran.stderr), (0, ""))
    check_space(run, image)
    ran = subprocess.run(["/sbin/e2fsck", "-fn", image], capture_output=True, text=True, check=False)
    expect("e2fsck", (ran.returncode, ran.stdout if ran.returncode else ""), (0, ""))
    ran = lxrun("--from-image", work / "second", work / "second-tree")
    expect("--from-image of the second", (ran.returncode, ran.stderr), (0, ""))
    expect("what the VM wrote there", (work / "second-tree/g").read_text(), "from the VM\n")


def check_full(work):
    """The VM waits while the host's disk is full, and nothing is lost."""
    disk = work / "disk"
    disk.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=34m", "none", disk], check=False).returncode:
        print("a full disk is not tested: no right to mount one")
        return
    try:
        make_tree(work / "full-tree")
        (work / "full-tree/large").write_bytes(os.urandom(1000) * 20000)
        lxrun("--to-image", work / "full-tree", work / "full-image", "64MB")
        (work / "full-tree/large").unlink()
        (disk / "ballast").write_bytes(b"x" * (20 << 20))
        ran = lxrun("--from-image", work / "full-image", disk / "tree")
        expect("no room for a tree", (ran.returncode, "cannot write large: No space left on device" in ran.stderr,
                                      list(disk.iterdir())), (125, True, [disk / "ballast"]))
        (disk / "ballast").unlink()
        ran = lxrun("--to-image", work / "full-tree", disk / "image", "64MB")
        expect("--to-image", (ran.returncode, ran.stderr), (0, ""))
        (disk / "ballast").write_bytes(b"x" * (8 << 20))
        child = subprocess.Popen([LXRUN, "--vm", "--image", disk / "image", "sh", "-c",
                                  "busybox dd if=/dev/urandom of=/big bs=1M count=27 2>/dev/null; busybox sync; busybox sha1sum </big"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        expect("it says so", child.stderr.readline(),
               "lxrun: the host's disk is full, and the VM waits: it goes on when there is room\n")
        (disk / "ballast").unlink()
        out, _ = child.communicate(timeout=BOOT)
        expect("it goes on", (child.returncode, len(out)), (0, 44))
        expect("what was written", vm("--image", disk / "image", "sh", "-c", "busybox sha1sum </big").stdout, out)
        shutdown()
        expect("e2fsck", subprocess.run(["/sbin/e2fsck", "-fn", disk / "image"], capture_output=True, check=False).returncode, 0)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def check_virtiofs(work):
    share = work / "share"
    share.mkdir()
    ran = vm("--vm-set", "virtiofs=true", "--root", share, "true")
    expect("virtiofs and --root", ran.returncode, 125)
    if not Path("/usr/lib/qemu/virtiofsd").exists() or os.geteuid():
        print("virtiofs is not tested: no virtiofsd, or not root")
        return
    # One session at a time, so that all of it is one boot.
    run = ["--vm-set", "virtiofs=true", "-b", f"{share}:/mnt"]
    ran = vm(*run, "sh", "-c", "grep -c ' virtiofs ' /proc/mounts; echo x >/mnt/f; chown 5:6 /mnt/f; mkfifo -m 600 /mnt/p")
    expect("virtiofs", (ran.returncode, ran.stdout, ran.stderr), (0, "2\n", ""))
    st = (share / "f").stat()
    expect("the host's file", (st.st_uid, st.st_gid, (share / "f").read_text()), (5, 6, "x\n"))
    expect("the host's FIFO", (share / "p").is_fifo(), True)
    shutdown()


def check_uml(work):
    """User-Mode Linux: the same channel, on a hostfs root and on an image."""
    tree, image = work / "umltree", work / "umlimage"
    make_tree(tree)
    lxrun("--to-image", tree, image, "64MB")
    ran = uml("echo", "hello")
    expect("User-Mode Linux", (ran.returncode, ran.stdout, ran.stderr), (0, "hello\n", ""))
    expect("status", [uml("sh", "-c", s).returncode for s in ("exit 7", "kill -KILL $$")], [7, 137])
    expect("not found", uml("no-such-program").returncode, 127)
    data = "x" * 200000
    expect("streams", uml("cat", input=data).stdout == data, True)
    child = subprocess.Popen([LXRUN, "--vm=uml", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    child.stdout.readline()
    child.terminate()
    expect("SIGTERM passed on", child.wait(BOOT), 9)
    here = lxrun("--root", tree, "/bin/sh", "-c", STAT).stdout
    expect("owners of an image", uml("--image", image, "sh", "-c", STAT).stdout, here)
    expect("hostfs", uml("--root", tree, "busybox", "cat", "/etc/passwd").stdout, (tree / "etc/passwd").read_text())
    shutdown()
    expect("e2fsck", subprocess.run(["/sbin/e2fsck", "-fn", image], capture_output=True, check=False).returncode, 0)
    expect("left behind", [f.name for f in (work / "lxrun").iterdir() if f.name.startswith("uml-")], [])
    for setting in "hostPorts=80", "virtiofs=true":
        ran = uml("--vm-set", setting, "true")
        expect(setting, (ran.returncode, setting.split("=", maxsplit=1)[0] in ran.stderr), (125, True))


def check_uml_killed(work):
    """Killed, User-Mode Linux takes its guest's processes along: they are the host's, too, and for none of them a call of
    its guest's becomes one of the host's. In a pid namespace, since what is left of a guest's init may kill all that it can."""
    if os.geteuid():
        return
    if os.getpid() != 1:
        # The second time as a user who may make no namespace, and has no right to.
        for more, before in ([], []), (["--user", "--map-root-user"], ["sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv "
                                     '--bounding-set=-all --inh-caps=-all "$@"', "sh"]):
            ran = subprocess.run(["unshare", *more, "--pid", "--fork", "--kill-child", "--mount-proc", *before, sys.executable,
                                  __file__, "check_uml_killed"], stdin=subprocess.DEVNULL, timeout=BOOT, check=False)
            expect(f"User-Mode Linux is killed {more}", ran.returncode, 0)
        return
    def read(path):
        try:
            return path.read_text(errors="replace")
        except OSError:  # it has ended meanwhile
            return ""
    def left():
        return sum("linux.uml" in read(p) for p in Path("/proc").glob("[0-9]*/cmdline"))
    def find(name):
        """A live process of that name; of User-Mode Linux the machine itself."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            begin, _, end = read(stat).rpartition(")")
            if begin.partition(" (")[2] == name and not end.startswith(" Z") and (
                    name != "linux.uml" or read(Path(f"/proc/{end.split()[1]}/comm")) == "lxrun-tracer\n"):
                return int(begin.partition(" (")[0])
        return None
    image = work / "killed.img"
    make_tree(work / "killed-tree")
    lxrun("--to-image", work / "killed-tree", image, "64MB")
    run = [LXRUN, "--vm=uml", "--image", image, "sh", "-c"]
    harm = work / "harm"
    for victim in ("linux.uml", "lxrun-vm", "lxrun-tracer") * 2:
        canary = subprocess.Popen(["sleep", "1000"])
        child = subprocess.Popen([*run, f"echo ready; while :; do kill -9 {canary.pid}; echo x >{harm}; done 2>/dev/null"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if child.stdout.readline() != "ready\n":  # check_uml says why
            canary.kill()
            return
        pid = find(victim)
        expect(f"a process {victim}", pid is not None, True)
        if pid:
            os.kill(pid, signal.SIGKILL)
        _, err = child.communicate(timeout=60)
        expect(f"the command when {victim} is killed", (child.returncode, err.count("\n")), (125, 1))
        wait_for("none of its processes is left", lambda: not left(), 10)
        expect(f"what its guest did to the host when {victim} was killed", (canary.poll(), harm.exists()), (None, False))
        canary.kill()
        canary.wait()
        ran = subprocess.run([*run, "echo again"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        expect(f"after that: {ran.stderr}", (ran.returncode, ran.stdout, "was not closed cleanly" in ran.stderr), (0, "again\n", True))
        shutdown()


# Directories beside an instance's own, as old as this test when check_stores() looks; which of them may go.
STORES = {"lxrun-backup": False, "lxrun-nolock": False, "lxrun-other1": False, "lxrun-shared": False, "lxrun-reboot": True,
          "lxrun-killed": True, "lxrun-empty1": True}
# The kernels that made those with a lock. Both kernels must have had the files alone for the lock to tell.
MADE_BY = {"lxrun-other1": "another kernel of the same files, a VM", "lxrun-shared": f"{uuid.uuid4()} shared\n",
           "lxrun-reboot": f"{uuid.uuid4()} own   \n", "lxrun-killed": Path("/proc/sys/kernel/random/boot_id").read_text().strip() + " own   \n"}


def make_stores(work):
    for name in STORES:
        (work / name).mkdir()
        if name != "lxrun-empty1":
            (work / name / "f").write_text("kept")
        if name in MADE_BY:
            (work / name / "lock").write_text(MADE_BY[name])
    return time.monotonic()


def check_stores(work, made):
    """What lxrun removes of killed instances is theirs; a lock tells nothing of another kernel's (cli/store.c)."""
    time.sleep(max(0, made + 61.5 - time.monotonic()))
    # A clock that was set forward makes this boot look later than they are: so does a shorter time since it.
    later = ["unshare", "--time", f"--boottime=-{int(time.clock_gettime(time.CLOCK_BOOTTIME)) - 10}"]
    if os.geteuid() or subprocess.run([*later, "true"], capture_output=True, check=False).returncode:
        later = []
        print("a boot that looks later is not tested: no time namespace for this user")
    expect("lxrun", subprocess.run([*later, LXRUN, "true"], check=False).returncode, 0)
    expect("what is left", {n: not (work / n).exists() for n in STORES}, STORES)


def uml(*args, **options):
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return lxrun("--vm=uml", *args, **options)


def check_idle():
    expect("a VM with a short time", vm("--vm-set", "vmIdleTimeout=200", "true").returncode, 0)
    wait_for("ends when idle", lambda: not machines())
    # A command that comes while its VM ends gets another one.
    for pause in 0, 0.1, 0.4:
        time.sleep(pause)
        ran = vm("--vm-set", "vmIdleTimeout=0", "true")
        expect(f"a command {pause} s after the last one", (ran.returncode, ran.stderr), (0, ""))
    shutdown()


def as_user():
    """The rest of this as an ordinary user, who needs what root has in its cache."""
    # The rewriter may still be putting something into the cache.
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as home:
        kernel = Path(home, "cache/lxrun/vm")
        kernel.mkdir(parents=True)
        for name in "vmlinux", "modules.cpio":
            shutil.copy(cache() / name, kernel)
        for name in "lxrun", "lxcore", "lxinit", "lximage", "lxuml.so":
            shutil.copy(Path(LXRUN).parent / name, home)
        for top, dirs, files in os.walk(home):
            for name in [".", *dirs, *files]:
                os.chown(os.path.join(top, name), USER, USER)
        env = {**os.environ, "LXRUN": f"{home}/lxrun", "XDG_CACHE_HOME": f"{home}/cache", "TMPDIR": home, "HOME": home}
        env.pop("XDG_RUNTIME_DIR", None)
        for name in "check-vm.py", "expecting.py", "vm_commands.py":
            shutil.copy(Path(__file__).with_name(name), home)
        ran = subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                              sys.executable, f"{home}/check-vm.py", "part"],
                             env=env, timeout=500, check=False)
        expect("as an ordinary user", ran.returncode, 0)


def main():
    os.environ["LXRUN_TEST_VM"] = f"{os.getpid()}.{time.time()}"
    # An argument names one check; "part" is what an ordinary user runs.
    if sys.argv[1:] != ["part"]:
        subprocess.run([TOP / "scripts/vm-kernel.py"], check=True)
    host_tree = [check_missing, check_settings, check_acceleration, check_status, check_streams, check_joined, check_signals, check_jobs, check_clock,
                 check_terminal, check_network, shutdown]
    whole = [check_conversion, *host_tree, check_image, check_full, check_idle, check_virtiofs, check_uml,
             check_uml_killed, check_root]
    named = {"part": [check_conversion, check_root], **{c.__name__: [c] for c in whole}}
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        os.chmod(work, 0o755)
        os.environ["XDG_RUNTIME_DIR"] = str(work)
        (work / "none").mkdir()
        made = make_stores(work)
        try:
            for check in named[sys.argv[1]] if sys.argv[1:] else whole:
                if check in (check_conversion, check_settings, check_acceleration, check_network, check_image, check_full, check_virtiofs, check_uml,
                             check_uml_killed, check_root):
                    check(work)
                else:
                    check()
            if not sys.argv[1:]:
                check_stores(work, made)
        finally:
            subprocess.run([LXRUN, "--shutdown"], check=False, timeout=60)
    if os.geteuid() == 0 and not sys.argv[1:]:
        as_user()
    return failed()


if __name__ == "__main__":
    sys.exit(main())
