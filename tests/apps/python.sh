#!/bin/sh
# SPDX-License-Identifier: MIT
# python3: asyncio, multiprocessing, subprocess, threads, signals, sqlite3, mmap, sockets.
. tests/apps/common

guest asyncio 60 '
cat >a.py <<"P"
import asyncio, os, signal, sys

async def serve(reader, writer):
    while data := await reader.readline():
        writer.write(data.upper())
    writer.close()

async def client(path, n):
    reader, writer = await (asyncio.open_unix_connection(path) if path else
                            asyncio.open_connection("127.0.0.1", port))
    for i in range(20):
        writer.write(b"line %d %d\n" % (n, i))
        assert await reader.readline() == b"LINE %d %d\n" % (n, i)
    writer.close()

async def main():
    global port
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = tcp.sockets[0].getsockname()[1]
    unix = await asyncio.start_unix_server(serve, "socket")
    await asyncio.gather(*(client(n % 2 and "socket", n) for n in range(50)))
    children = [await asyncio.create_subprocess_exec("sh", "-c", "read x; echo $x; exit 7",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE) for _ in range(10)]
    for c in children:
        out, _ = await c.communicate(b"hello\n")
        assert out == b"hello\n" and c.returncode == 7
    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await got.wait()
    try:
        await asyncio.wait_for(asyncio.sleep(30), 0.1)
    except asyncio.TimeoutError:
        print("ok")

asyncio.run(main())
P
expect "$(python3 a.py)" ok'

guest multiprocessing 90 '
cat >m.py <<"P"
import multiprocessing as mp, os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory

def square(n): return n * n
def add(counter, lock):
    for _ in range(200):
        with lock:
            counter.value += 1
def write(name):
    m = shared_memory.SharedMemory(name)
    m.buf[0] = 42
    m.close()

if __name__ == "__main__":
    for method in "fork", "spawn", "forkserver":
        c = mp.get_context(method)
        with c.Pool(4) as pool:
            assert sum(pool.map(square, range(1000))) == 332833500
        counter, lock = c.Value("i", 0, lock=False), c.Lock()
        children = [c.Process(target=add, args=(counter, lock)) for _ in range(4)]
        [p.start() for p in children]; [p.join() for p in children]
        assert counter.value == 800, counter.value
        m = shared_memory.SharedMemory(create=True, size=4096)
        p = c.Process(target=write, args=(m.name,)); p.start(); p.join()
        assert m.buf[0] == 42
        m.close(); m.unlink()
    with ProcessPoolExecutor(2) as pool:
        assert list(pool.map(square, range(5))) == [0, 1, 4, 9, 16]
    print("ok")
P
expect "$(python3 m.py)" ok'

guest others 60 '
cat >o.py <<"P"
import fcntl, mmap, os, pty, select, signal, socket, sqlite3, subprocess, tempfile, threading, time

# threads that start children
out = []
def child(n):
    out.append(int(subprocess.run(["sh", "-c", "echo %d; kill -TERM $$" % n], capture_output=True).stdout))
threads = [threading.Thread(target=child, args=(n,)) for n in range(20)]
[t.start() for t in threads]; [t.join() for t in threads]
assert sorted(out) == list(range(20))
p = subprocess.run(["sh", "-c", "kill -TERM $$"])
assert p.returncode == -signal.SIGTERM
try:
    subprocess.run(["sleep", "30"], timeout=0.2)
    assert False
except subprocess.TimeoutExpired:
    pass
try:
    subprocess.run(["/no/such"])
    assert False
except FileNotFoundError:
    pass

# signals
ticks = []
signal.signal(signal.SIGALRM, lambda *_: ticks.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while len(ticks) <= 20:         # on a machine that stands still, many are one
    begin = time.monotonic()
    time.sleep(0.05)            # goes on after each signal (PEP 475)
    assert time.monotonic() - begin >= 0.05
signal.setitimer(signal.ITIMER_REAL, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
assert signal.SIGUSR1 in signal.sigpending()
assert signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1

# sqlite3
db = sqlite3.connect("db")
db.execute("pragma journal_mode=wal")
db.execute("create table t(n integer primary key, s text)")
with db:
    db.executemany("insert into t values(?, ?)", ((n, "x" * n) for n in range(500)))
assert db.execute("select sum(length(s)) from t").fetchone() == (124750,)
db.close()

# a mapped file, a lock, a memory file
with open("file", "wb+") as f:
    f.truncate(1 << 20)
    m = mmap.mmap(f.fileno(), 0)
    m[12345] = 7
    m.flush()
    assert os.pread(f.fileno(), 1, 12345) == b"\7"
    fcntl.lockf(f, fcntl.LOCK_EX)
    if os.fork() == 0:
        try:
            fcntl.lockf(open("file", "rb+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os._exit(3)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 3
fd = os.memfd_create("m")
os.write(fd, b"abc")
assert open("/proc/self/fd/%d" % fd).read() == "abc"

# a pty
pid, fd = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", "tty; test -t 0 && stty size"])
said = b""
try:
    while chunk := os.read(fd, 1000):
        said += chunk
except OSError:
    pass
assert said.startswith(b"/dev/pts/") and b"0 0" in said, said
assert os.waitpid(pid, 0)[1] == 0

# descriptors over a socket
a, b = socket.socketpair()
with tempfile.TemporaryFile() as f:
    f.write(b"passed"); f.flush()
    socket.send_fds(a, [b"x"], [f.fileno()])
    _, fds, _, _ = socket.recv_fds(b, 1, 1)
    assert os.pread(fds[0], 10, 0) == b"passed"
print("ok")
P
expect "$(python3 o.py)" ok
python3 -m venv --without-pip v
expect "$(v/bin/python -c "import sys; print(sys.prefix)")" $work/v
python3 -m compileall -q -j 2 /usr/lib/python3/dist-packages -f'
