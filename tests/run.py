#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The test runner.

    tests/run.py [options] [NAME...]      NAME selects tests: alarm, guest/alarm, 'check/*'

guest/X   tests/guest/X.c is compiled, run natively, then under lxrun in a small fresh root; output
          and exit status must agree and the native status must be 0. With --user (as root) the
          lxrun half runs once more as an ordinary host user: guest/X@user. With --trap A,B,...
          it runs under each of these engines: guest/X:seccomp; "default" gives lxrun no --trap.
          "rewrite+STATE" (not as @user) is engine rewrite with a cache of the test's own: cold;
          corrupt; readonly, and half empty; full, so that each addition empties it; racing with
          others that fill and empty it. "nested" is lxrun inside lxrun. "container" is default
          under a filter of system calls as container tools have them (tests/container.c), "old"
          as on Linux 4.18 (tests/oldhost.c). "overlay" is default in an overlay that the guest
          mounts over the test's directory (tests/overlay.c).
          guest/efault is build/gen/efault.c, which scripts/gen-efault.py makes.
check/X   scripts/check-X.sh or .py
apps/X    tests/apps/X.sh, with LXRUN and APPS in the environment: the Debian tree with the
          applications, which scripts/apps-root.sh makes first (apps/install); also @user.
          A script passes with status 0 and is skipped with 77, its last line being the reason.

Directives, in comments of the first 15 lines of a test:
    covers: a, b        system calls that the test exercises
    needs: root         the native half needs root (under lxrun every test is guest root)
    link: KIND          one of LINK below; default static
    timeout: SECONDS    per run; default 20 (scripts: 600)
    args: ...           the program's arguments
    expect: N           exit status other than 0 (128+n for a signal)
    native: skip WHY    no native half; only the exit status under lxrun counts
    lxrun: not yet WHY  passes natively and must fail under lxrun, which is reported as skipped; a
                        test that passes there all the same fails until the directive is taken out;
                        "not yet @user" says so of ordinary host users only
    trap: not ENGINE,... WHY  is skipped under these engines
    trap: slow ENGINE WHY   the same, but for level all
    level: LEVEL        the first of check, test, all that runs it; default check (apps: test)
"""
import argparse
import contextlib
import difflib
import fnmatch
import functools
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "scripts"))
from cache_index import index_name

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
USER = 64321  # an id that owns nothing on the host
AS_USER = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
LEVELS = ["check", "test", "all"]
# Engines that are "default" under a filter, and the program that sets it.
FILTERS = {"container": "container", "old": "oldhost"}
# Engines that are "default" with a program of the guest's before the test.
INSIDE = {"overlay": "overlay"}
# How much longer a test may take under an engine: its limit is there to find what hangs.
PATIENCE = {"ptrace": 6, "nested": 6, "rewrite+racing": 3}
STATES = ["rewrite+" + state for state in ("cold", "corrupt", "readonly", "full", "racing")]
LINK = {
    "static": ["gcc", "-static", "-no-pie"],
    "static-pie": ["gcc", "-static-pie"],
    "dynamic": ["gcc"],
    "dynamic-nopie": ["gcc", "-no-pie"],
    "musl": ["musl-gcc", "-static"],
}
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
       "LANG": "C", "TERM": "dumb", "LXRUN_CPUID": "trap"}  # on whatever processor (rewrite/cpuid.c)
DIRECTIVE = re.compile(r"^\s*(?://|/?\*+|#)\s*(covers|needs|link|timeout|args|expect|native|level|lxrun|trap):"
                       r"\s*(.*?)\s*(?:\*/)?$")


# lxrun's cache: of the scripts, which keep it, and of the guest tests.

def cache_of(as_user):
    return str(BUILD / ("user/cache" if as_user else "cache"))


def stage_cache(as_user):
    return os.path.join(STAGE, "cache-user" if as_user else "cache")


class Failed(Exception):
    """A test failed; the message says how."""


class Skipped(Exception):
    """A test could not run here; the message says why."""


class Ran:
    """The outcome of one process: status is the shell's (128+n for a signal)."""

    def __init__(self, code, out, err, killed_by_us, left):
        self.code, self.out, self.err, self.timeout, self.left = code, out, err, killed_by_us, left
        self.status = 128 - code if code < 0 else code


def processes_with(token):
    """Pids of the live processes that carry our marker in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if token in Path("/proc", pid, "environ").read_bytes():
                found.append(int(pid))
        except OSError:
            pass
    return found


# A program must not be copied while another thread forks: the child would hold it open for writing
# for a moment, and running it would be ETXTBSY.
FORKS = threading.Lock()


def copy_program(source, to):
    with FORKS:
        shutil.copy2(source, to)


def run(argv, cwd, env, timeout):
    """Runs argv to its end or its time limit, and ends whatever it left behind."""
    token = f"LXRUN_TEST={os.getpid()}.{threading.get_ident()}.{time.monotonic_ns()}"
    key, value = token.split("=")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        # Files, not pipes: a process left behind must not keep us waiting for end of file.
        with FORKS:  # it returns when the child has closed what it is not to have
            p = subprocess.Popen(argv, cwd=cwd, env={**env, key: value},
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=err, process_group=0)
        timed_out = False
        try:
            p.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
        for _ in range(400):  # the last children, and the rewriter, may still be on their way out
            left = processes_with(token.encode())
            if not left or timed_out:
                break
            time.sleep(0.05)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        out.seek(0)
        err.seek(0)
        return Ran(p.returncode, out.read(), err.read().decode(errors="replace"), timed_out,
                   len(left))


class Test:
    def __init__(self, kind, path, opts):
        name = path.stem[len("check-"):] if kind == "check" else path.stem
        self.kind, self.path, self.name, self.opts = kind, path, f"{kind}/{name}", opts
        self.roots = {}  # made ahead, by engine and as_user
        self.directive = {}
        for line in path.read_text(errors="replace").splitlines()[:15]:
            m = DIRECTIVE.match(line)
            if m:
                self.directive[m[1]] = m[2]
        self.level = self.directive.get("level", "test" if kind == "apps" else "check")
        self.timeout = float(self.directive.get("timeout", 20 if kind == "guest" else 600))

    def selected(self):
        if self.opts.names:
            return any(fnmatch.fnmatch(self.name, n) or fnmatch.fnmatch(self.name, "*/" + n)
                       for n in self.opts.names)
        return LEVELS.index(self.level) <= LEVELS.index(self.opts.level)

    def variants(self):
        """(suffix, callable) for each thing of this test that passes or fails by itself."""
        if self.kind == "check":
            yield "", lambda: self.script(False, "default")
            return
        body = self.guest if self.kind == "guest" else self.script
        for engine in self.opts.trap if self.kind == "guest" else ["default"]:
            suffix = "" if engine == "default" else f":{engine}"
            yield suffix, lambda e=engine: body(False, e)
            if self.opts.user and "+" not in engine:
                yield suffix + "@user", lambda e=engine: body(True, e)

    # Scripts

    def script(self, as_user, _engine):
        env = {**os.environ, "LXRUN": str(BUILD / "lxrun"), "APPS": str(apps_tree(as_user)),
               "XDG_CACHE_HOME": cache_of(as_user)}
        with scratch(as_user) as tmp:
            env["TMPDIR"] = tmp
            ran = run((AS_USER if as_user else []) + [str(self.path)], TOP, env, self.timeout)
        text = ran.out.decode(errors="replace") + ran.err
        if ran.timeout:
            raise Failed(f"no end within {self.timeout:g} s\n{text}")
        if ran.status == 77:
            raise Skipped((text.strip().splitlines() or ["no reason given"])[-1])
        if ran.status != 0:
            raise Failed(f"exit status {ran.status}\n{text}")

    # Guest programs

    @functools.cached_property
    def binary(self):
        return compiled(self.path, LINK[self.directive.get("link", "static")])

    @functools.cached_property
    def expected(self):
        """The native outcome, None where there is no native half, or how that half failed."""
        try:
            return self.native()
        except Failed as e:
            return e

    def native(self):
        if self.directive.get("native", "").startswith("skip"):
            return None
        if self.directive.get("needs") == "root" and os.geteuid() != 0:
            return None
        with scratch(False) as tmp:
            copy_program(self.binary, tmp)
            ran = run(self.command(), tmp, ENV, self.timeout)
        self.judge("natively", ran)
        return ran

    def command(self):
        return ["./" + self.binary.name, *shlex.split(self.directive.get("args", ""))]

    def judge(self, where, ran):
        expect = int(self.directive.get("expect", 0))
        if ran.timeout:
            raise Failed(f"{where}: no end within {self.timeout:g} s\n{tail(ran)}")
        if ran.status != expect:
            raise Failed(f"{where}: exit status {ran.status}, not {expect}\n{tail(ran)}")

    def refuses(self, engine):
        """Why the test is not to run under the engine, or None."""
        m = re.match(r"(not|slow) (\w+(?:,\w+)*)\W+(.*)", self.directive.get("trap", ""))
        if not m or engine.split("+")[0] not in m[2].split(",") or (m[1] == "slow" and self.opts.level == "all"):
            return None
        return m[3]

    def guest(self, as_user, engine):
        if self.refuses(engine) and not self.opts.native:
            raise Skipped(self.refuses(engine))
        not_yet = self.directive.get("lxrun", "")
        only_user = not_yet.startswith("not yet @user")
        if (not not_yet.startswith("not yet") or self.opts.native or only_user and
                not as_user and os.geteuid() == 0):
            self.guest_run(as_user, engine)
            return
        try:
            self.guest_run(as_user, engine)
        except Failed as e:
            if str(e).startswith("natively"):
                raise
            raise Skipped(not_yet) from None
        raise Failed("passes under lxrun: take its 'not yet' out")

    def guest_run(self, as_user, engine):
        if isinstance(self.expected, Failed):
            raise self.expected
        if self.opts.native:
            return
        by, _, state = engine.partition("+")
        trap = [] if engine in ("default", "nested", *FILTERS, *INSIDE) else [f"--trap={by}"]
        lxrun = [os.path.join(STAGE, "lxrun")] * (2 if engine == "nested" else 1)
        limit = self.timeout * PATIENCE.get(engine, 1)
        with (self.roots.pop((engine, as_user), None) or self.new_root(as_user) as root,
              own_cache(state, Path(root)) if state else shared_cache(as_user) as (env, front)):
            front = [*front, *([os.path.join(STAGE, FILTERS[engine])] if engine in FILTERS else [])]
            inside = [f"/{INSIDE[engine]}"] if engine in INSIDE else []
            for program in inside:
                copy_program(os.path.join(STAGE, INSIDE[engine]), root + program)
            ran = run([*front, *lxrun, *trap, "-r", root, "--cd", "/t",
                       *inside, *self.command()], "/", {**ENV, **env}, limit)
        if ran.code < 0 and not ran.timeout:
            raise Failed(f"lxrun itself died of signal {-ran.code}\n{tail(ran)}")
        if ran.timeout:
            raise Failed(f"under lxrun: no end within {limit:g} s\n{tail(ran)}")
        if self.expected and ran.out != self.expected.out:
            diff = difflib.unified_diff(
                self.expected.out.decode(errors="replace").splitlines(),
                ran.out.decode(errors="replace").splitlines(), "native", "lxrun", lineterm="")
            raise Failed(f"output differs (exit status {ran.status})\n" + "\n".join(diff) +
                         "\n" + ran.err)
        self.judge("under lxrun", ran)
        if ran.left and self.expected and not self.expected.left:
            raise Failed(f"{ran.left} processes left behind")

    def new_root(self, as_user):
        tmp = scratch(as_user)
        self.make_root(Path(tmp.name))
        if as_user:
            for top, dirs, files in os.walk(tmp.name):
                for name in dirs + files:
                    os.lchown(os.path.join(top, name), USER, USER)
        return tmp

    def prepare(self):
        """Makes the roots ahead, for the rewriter. Errors are told when the test runs."""
        try:
            for engine in self.opts.trap:
                for as_user in [False, True][:1 + (self.opts.user and engine == "rewrite")]:
                    if engine.startswith("rewrite"):
                        self.roots[engine, as_user] = self.new_root(as_user)
        except Failed:
            pass

    def make_root(self, root):
        for d in "bin etc home root dev proc sys t".split():
            (root / d).mkdir()
        for d in "tmp", "var/tmp":
            (root / d).mkdir(parents=True)
            (root / d).chmod(0o1777)
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n"
                                         "user:x:1000:1000:user:/home:/bin/sh\n"
                                         "nobody:x:65534:65534:nobody:/:/bin/false\n")
        (root / "etc/group").write_text("root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n")
        copy_program(self.binary, root / "t")
        if self.directive.get("link", "").startswith("dynamic"):
            ldd = subprocess.run(["ldd", self.binary], capture_output=True, text=True, check=True)
            for lib in re.findall(r"(/\S+) \(0x", ldd.stdout):
                to = root / lib.lstrip("/")
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(lib, to)


def compiled(source, gcc):
    binary = BUILD / "tests" / source.stem
    inputs = [source, *(TOP / "tests/guest").glob("*.h"), Path(__file__)]
    if not binary.exists() or binary.stat().st_mtime < max(f.stat().st_mtime for f in inputs):
        new = binary.with_name(binary.name + ".new")
        p = subprocess.run([*gcc, "-std=gnu11", "-O1", "-g", "-Wall", "-pthread", "-o", new,
                            source, "-lm"], capture_output=True, text=True, check=False)
        if p.returncode:
            raise Failed("does not compile\n" + p.stderr)
        new.rename(binary)
    return binary


def tail(ran):
    return "\n".join((ran.out.decode(errors="replace") + ran.err).splitlines()[-30:])


def scratch(as_user):
    """A fresh directory of the given user below STAGE, removed at the end of the with block."""
    d = tempfile.TemporaryDirectory(dir=STAGE, ignore_cleanup_errors=True)
    os.chmod(d.name, 0o755)
    if as_user:
        os.chown(d.name, USER, USER)
    return d


# The cache of rewritten code, for one run of a guest test: the environment that names it, and what
# stands in front of the command.

@contextlib.contextmanager
def shared_cache(as_user):
    yield {"XDG_CACHE_HOME": stage_cache(as_user)}, AS_USER if as_user else []


@contextlib.contextmanager
def own_cache(state, root):
    chance = random.Random(state + root.name)
    with scratch(False) as home:
        env, front = {"XDG_CACHE_HOME": home}, []
        cache, warm_cache = Path(home, "lxrun"), Path(stage_cache(False), "lxrun")
        cache.mkdir(mode=0o700)
        files = elf_files(root)
        for name in map(index_name, files) if state != "cold" else []:
            if (warm_cache / name).exists():
                shutil.copy2(warm_cache / name, cache / os.readlink(warm_cache / name))
                os.symlink(os.readlink(warm_cache / name), cache / name)
        if state == "corrupt":
            damage(cache, chance)
        elif state == "readonly":
            for file in sorted(cache.iterdir())[chance.randrange(2)::2]:
                file.unlink()
            front = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && '
                     'exec "$@"', home]
        elif state == "full":
            env["LXRUN_CACHE_MIB"] = "0"
            for file in sorted(cache.iterdir())[chance.randrange(3)::2]:
                file.unlink()
        with race(cache, files, chance) if state == "racing" else contextlib.nullcontext():
            yield env, front


def damage(cache, chance):
    """Makes each entry useless, or leads its name astray, each in one of the ways there are."""
    names = [f for f in sorted(cache.iterdir()) if f.is_symlink()]
    entries = [f for f in sorted(cache.iterdir()) if not f.is_symlink()]
    other = next((f for f in Path(stage_cache(False), "lxrun").glob("c-*")
                  if f.stat().st_size > 4096 and not (cache / f.name).exists()), entries[-1])
    for file in entries:
        file.chmod(0o600)
        content = bytearray(file.read_bytes())
        at = chance.choice([chance.randrange(256), chance.randrange(4096, max(4097, len(content)))])
        way = chance.choice(["cut", "another's", "bit", "bit", "bytes"])
        if way == "cut":
            del content[at:]
        elif way == "another's":
            content[:] = other.read_bytes()
        elif at < len(content):
            content[at:at + 8] = [b ^ (1 << at % 8 if i == 0 or way == "bytes" else 0)
                                  for i, b in enumerate(content[at:at + 8])]
        file.write_bytes(content)
    if other.parent != cache:
        shutil.copy2(other, cache)
    for name in names:
        to = chance.choice([None] * 6 + ["c-gone", other.name])
        if to:
            name.unlink()
            name.symlink_to(to)


@contextlib.contextmanager
def race(cache, files, chance):
    """Others fill and empty the cache."""
    stop = threading.Event()

    def others():
        while not stop.wait(chance.random() / 20):
            for file in list(cache.iterdir()):
                if chance.randrange(2):
                    file.unlink(missing_ok=True)
            with FORKS:
                p = start_rewriting(files, False, str(cache.parent))
            p.wait()

    thread = threading.Thread(target=others)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def start_rewriting(files, as_user, home):
    return subprocess.Popen((AS_USER if as_user else []) + [os.path.join(STAGE, "lxrun"), "--rewrite", *files],
                            env={**ENV, "XDG_CACHE_HOME": home}, cwd="/", stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def elf_files(root):
    found = []
    for file in root.rglob("*"):
        with contextlib.suppress(OSError):
            if file.is_file() and not file.is_symlink() and file.open("rb").read(4) == b"\x7fELF":
                found.append(file)
    return found


def apps_tree(as_user):
    return BUILD / "user/apps" if as_user else BUILD / "apps"


def install_apps(as_user):
    """The tree of applications, made by apt-get under lxrun; a no-op when it is fresh."""
    tree = apps_tree(as_user)
    if as_user:
        tree.parent.mkdir(exist_ok=True)
        os.chown(tree.parent, USER, USER)
    p = subprocess.run((AS_USER if as_user else []) + [str(TOP / "scripts/apps-root.sh"), str(tree)],
                       cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if p.returncode:
        raise Failed(f"exit status {p.returncode}\n{p.stdout}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--level", choices=LEVELS, default="test")
    parser.add_argument("--user", action="store_true",
                        help="as root: also run the lxrun half as an ordinary host user")
    parser.add_argument("--native", action="store_true", help="guest tests: the native half only")
    parser.add_argument("--trap", metavar="ENGINE,...", default="default",
                        type=lambda text: text.split(","),
                        help="guest tests: passed to lxrun (default: default); their programs are "
                        "rewritten ahead for 'rewrite'")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="tests at a time (default 2)")
    parser.add_argument("-v", action="store_true", help="also name the tests that pass, and their time")
    # What a shell or nohup left ignored or blocked is not what the tests are about.
    for sig in signal.valid_signals():
        if signal.getsignal(sig) == signal.SIG_IGN:
            signal.signal(sig, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    opts = parser.parse_args()
    if opts.user and os.geteuid() != 0:
        opts.user = False  # everything runs as an ordinary user already

    global STAGE
    with tempfile.TemporaryDirectory(prefix="lxrun-tests.", dir="/var/tmp") as STAGE:
        os.chmod(STAGE, 0o755)
        os.mkdir(stage_cache(False))
        if opts.user:
            os.mkdir(stage_cache(True))
            os.chown(stage_cache(True), USER, USER)
        return run_all(opts)


def warm(tests, opts):
    """Rewrites the programs of the tests, and their libraries, before they run."""
    with ThreadPoolExecutor(opts.j) as pool:
        list(pool.map(Test.prepare, tests))
    time.sleep(4)  # the cache takes no file that changed a moment ago
    for as_user in [False, True][:1 + opts.user]:
        files = [f for t in tests for (_, user), root in t.roots.items() if user == as_user
                 for f in elf_files(Path(root.name))]
        if files and start_rewriting(files, as_user, stage_cache(as_user)).wait():
            raise Failed("cannot warm the cache")


def generate():
    """build/gen/efault.c, from the table as this lxrun has it."""
    if not (BUILD / "lxrun").exists():
        return
    p = subprocess.run([TOP / "scripts/gen-efault.py", BUILD / "lxrun"], stdout=subprocess.PIPE,
                       check=False)
    source = BUILD / "gen/efault.c"
    source.parent.mkdir(exist_ok=True)
    if p.returncode:
        print("run.py: gen-efault.py failed: no fresh guest/efault", file=sys.stderr)
    elif not source.exists() or source.read_bytes() != p.stdout:
        source.write_bytes(p.stdout)


def run_all(opts):
    generate()
    tests = [Test(kind, path, opts) for kind, pattern in (
        ("apps", "tests/apps/*.sh"), ("check", "scripts/check-*.*"), ("guest", "tests/guest/*.c"),
        ("guest", "build/gen/*.c"))
        for path in sorted(TOP.glob(pattern))]
    tests = [t for t in tests if t.selected()]
    for name in opts.names:
        if not any(fnmatch.fnmatch(t.name, p) for t in tests for p in (name, "*/" + name)):
            print(f"run.py: no test is named {name}", file=sys.stderr)
            return 2
    (BUILD / "tests").mkdir(parents=True, exist_ok=True)
    if not opts.native and any(t.kind != "check" for t in tests):
        # Copies where the ordinary user can reach them, wherever the checkout lies.
        for name in "lxrun", "lxcore", "lxcore-nested":
            if not (BUILD / name).exists():
                print(f"run.py: no build/{name}: run make first", file=sys.stderr)
                return 2
            shutil.copy2(BUILD / name, STAGE)
        for name in [*FILTERS.values(), *INSIDE.values()]:
            shutil.copy2(compiled(TOP / f"tests/{name}.c", LINK["static"]), STAGE)
    for engine in opts.trap:
        if "+" in engine and (os.geteuid() or engine not in STATES):
            print(f"run.py: --trap {engine}: root only, one of {', '.join(STATES)}", file=sys.stderr)
            return 2
    if any(engine.startswith("rewrite") for engine in opts.trap):
        warm([t for t in tests if t.kind == "guest"], opts)
    lock, counts = threading.Lock(), {"passed": 0, "failed": 0, "skipped": 0}

    def report(name, result, text=""):
        with lock:
            counts[result] += 1
            if result != "passed" or opts.v:
                label = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[result]
                print(f"{label} {name}" + (f": {text.rstrip()}" if text else ""), flush=True)

    def attempt(name, body):
        begin = time.monotonic()
        try:
            body()
            report(name, "passed", f"{time.monotonic() - begin:.1f} s")
        except Skipped as e:
            report(name, "skipped", str(e))
        except Failed as e:
            report(name, "failed", str(e))
        except Exception as e:  # pylint: disable=broad-except
            report(name, "failed", f"{type(e).__name__}: {e}")

    def work(test):
        for suffix, body in test.variants():
            attempt(test.name + suffix, body)

    def applications(apps):
        """One at a time, in the order of names: they share trees, package locks and ports."""
        attempt("apps/install", lambda: install_apps(False))
        if opts.user:
            attempt("apps/install@user", lambda: install_apps(True))
        for test in apps:
            work(test)

    apps = [t for t in tests if t.kind == "apps"]
    with ThreadPoolExecutor(opts.j) as pool:
        if apps:
            pool.submit(applications, apps)
        for t in tests:
            if t.kind != "apps":
                pool.submit(work, t)

    if counts["skipped"]:
        print(f"{counts['skipped']} skipped")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
