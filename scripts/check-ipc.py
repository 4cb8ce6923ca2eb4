#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# level: check
# timeout: 120
"""System V IPC objects and message queues outlive an instance, as Linux' outlive all processes: the next
one on the same root, and another beside it, find them by the same number, with the same owner and mode;
another root, and the host, do not. What is killed in one instance is in nobody's way in another. When
the last object is gone, lxrun leaves nothing on the host."""
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LXRUN = os.environ.get("LXRUN", str(TOP / "build/lxrun"))
USER = 64321 # an id that owns nothing on the host
PROGRAM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY 0x6c780001
#define NAME "/check-ipc"

static void become(uid_t uid)
{
    if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
        exit(3);
}

static mqd_t make_queue(const char *name, int mode)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    return mq_open(name, O_RDWR | O_CREAT | O_EXCL, mode, &attr);
}

static int make(void)
{
    umask(0);
    become(1000);
    mqd_t q = make_queue(NAME, 0600);
    if (q < 0 || mq_send(q, "kept", 4, 0) || fchmod(q, 0640))
        return 1;
    return shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0640) < 0 ||
           semget(KEY, 1, IPC_CREAT | IPC_EXCL | 0604) < 0 ||
           msgget(KEY, IPC_CREAT | IPC_EXCL | 0600) < 0;
}

static int see(uid_t uid)
{
    struct shmid_ds m = {0};
    struct semid_ds s = {0};
    struct msqid_ds g = {0};
    struct stat st = {0};
    char text[8] = "";
    if (uid)
        become(uid);
    mqd_t q = mq_open(NAME, O_RDONLY);
    printf("queue %d", q < 0 ? errno : 0);
    if (q >= 0 && !fstat(q, &st))
        printf(" %d:%d %o", st.st_uid, st.st_gid, st.st_mode & 07777);
    int fd = q < 0 ? -1 : open("/proc/sysvipc/sem", O_RDONLY);
    char list[4096];
    long n = fd < 0 ? 0 : read(fd, list, sizeof list - 1);
    list[n < 0 ? 0 : n] = 0;
    int shm = shmget(KEY, 0, 0), sem = semget(KEY, 0, 0), msg = msgget(KEY, 0);
    if (fd >= 0) {
        snprintf(text, sizeof text, "%d", sem);
        printf(" listed %d", strstr(list, text) != NULL);
    }
    printf("; %d %d %d", shm < 0 ? -errno : shm, sem < 0 ? -errno : sem, msg < 0 ? -errno : msg);
    if (!shmctl(shm, IPC_STAT, &m))
        printf(" shm %d %o", m.shm_perm.uid, m.shm_perm.mode);
    if (!semctl(sem, 0, IPC_STAT, &s))
        printf(" sem %d %o", s.sem_perm.uid, s.sem_perm.mode);
    if (!msgctl(msg, IPC_STAT, &g))
        printf(" msg %d %o", g.msg_perm.cuid, g.msg_perm.mode);
    puts("");
    return 0;
}

static int drop(void)
{
    char text[8];
    become(1000);
    mqd_t q = mq_open(NAME, O_RDONLY);
    if (mq_receive(q, text, sizeof text, NULL) != 4 || memcmp(text, "kept", 4))
        return 1;
    return mq_unlink(NAME) || shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL) ||
           semctl(semget(KEY, 0, 0), 0, IPC_RMID) || msgctl(msgget(KEY, 0), IPC_RMID, NULL);
}

// Makes and removes one queue again and again; what else is met has its maker's owner and mode.
static int storm(uid_t uid, int seconds)
{
    struct stat st;
    umask(0);
    become(uid);
    alarm(seconds);
    for (;;) {
        mqd_t q = make_queue(NAME "-storm", 0606);
        int made = q >= 0;
        if (!made && errno != EEXIST)
            return 1;
        if (!made)
            q = mq_open(NAME "-storm", O_RDWR);
        if (q < 0 && errno != ENOENT)
            return 2;
        // Whose they are is known of the last thousand that were removed.
        if (q >= 0 && !fstat(q, &st) && st.st_mode != (S_IFREG | 0606) && (fstat(q, &st) || st.st_nlink))
            return 3;
        if (q >= 0 && st.st_nlink && (made ? st.st_uid != uid : st.st_uid != 1000 && st.st_uid != 1001))
            return 4;
        mq_close(q);
        // Glibc says EACCES for EPERM. Of user 1001 there is one process: nobody else removes its queue.
        if (mq_unlink(NAME "-storm") &&
            ((made && uid == 1001) || (errno != ENOENT && errno != EACCES)))
            return 5;
    }
}

// Under tests/volfs/killer.c: makes a queue, changes it, and removes it.
static int steps(void)
{
    char byte;
    umask(0);
    become(1000);
    printf("%d\n", getpid());
    fflush(stdout);
    if (read(0, &byte, 1) != 1)
        return 1;
    mqd_t q = make_queue(NAME, 0604);
    if (q < 0 || write(1, ".", 1) != 1 || fchmod(q, 0640) || write(1, ".", 1) != 1)
        return 1;
    mqd_t again = mq_open(NAME, O_RDONLY);
    return again < 0 || write(1, ".", 1) != 1 || mq_unlink(NAME) || write(1, ".", 1) != 1;
}

// The same with a semaphore set, shared memory and a message queue of System V.
static int steps_sysv(void)
{
    char byte;
    become(1000);
    printf("%d\n", getpid());
    fflush(stdout);
    if (read(0, &byte, 1) != 1)
        return 1;
    if (semget(KEY, 1, IPC_CREAT | 0604) < 0 || write(1, ".", 1) != 1 ||
        shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0640) < 0 || write(1, ".", 1) != 1 ||
        msgget(KEY, IPC_CREAT | 0600) < 0 || write(1, ".", 1) != 1)
        return 1;
    return semctl(semget(KEY, 0, 0), 0, IPC_RMID) || write(1, ".", 1) != 1 ||
           shmctl(shmget(KEY, 0, 0), IPC_RMID, NULL) || write(1, ".", 1) != 1 ||
           msgctl(msgget(KEY, 0), IPC_RMID, NULL) || write(1, ".", 1) != 1;
}

static int drop_sysv(void)
{
    int shm = shmget(KEY, 0, 0), sem = semget(KEY, 0, 0), msg = msgget(KEY, 0);
    become(1000);
    return (shm >= 0 && shmctl(shm, IPC_RMID, NULL)) || (sem >= 0 && semctl(sem, 0, IPC_RMID)) ||
           (msg >= 0 && msgctl(msg, IPC_RMID, NULL));
}

int main(int argc, char **argv)
{
    (void)argc;
    switch (argv[1][0]) {
    case 'm': return make();
    case 's': return see(atoi(argv[2]));
    case 'd': return drop();
    case 'w': return storm(atoi(argv[2]), atoi(argv[3]));
    case 'l': return steps_sysv();
    case 'y': return drop_sysv();
    case 'x': return mq_unlink(NAME) && errno != ENOENT;
    case 'q': return !(mq_open(NAME, O_RDONLY) < 0 && errno == ENOENT);
    case 'k': return steps();
    case 'u': return mq_unlink(NAME "-storm") && errno != ENOENT;
    }
    return 9;
}
"""
failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r}, not {wanted!r}")


def segments():
    with open("/proc/sysvipc/shm", encoding="ascii") as f:
        return {line.split()[1] for line in f if line.split()[2] == "600"}


def check_killed(tmp, front, lxrun, who, command, clear, states, view):
    """Killed before each of its host calls: what was done is seen, or what was done and the next."""
    calls = at = 1
    while at <= calls:
        out = subprocess.run([*front, tmp.parent / "killer", str(at), LXRUN, "--root", tmp / "root", "/program", command],
                             cwd="/", check=False, stdout=subprocess.PIPE, text=True).stdout
        begun, done = map(int, out.split())
        got = view(lxrun("see", "0")[1])
        if got not in states[done:done + 2]:
            failures.append(f"{who}{command} killed before call {at}, after step {done}: {got}")
        expect(f"{who}{command} killed before call {at}, what is left", lxrun(clear), (0, ""))
        calls = at + 1 if begun == at else 0
        at += 1
    print(f"{who}{command}: {at} kills")


def view_queue(text):
    return text.split(";")[0].split(" listed")[0]


def view_sysv(text):
    return " ".join(text.split(";")[1].split()[3:])


def check(tmp, program, front):
    def lxrun(*args, root="root"):
        p = subprocess.run([*front, LXRUN, "--root", tmp / root, "/program", *args], cwd="/", check=False,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return p.returncode, p.stdout

    who = "user: " if front else ""
    before = segments()
    check_killed(tmp, front, lxrun, who, "k", "x",
                 ["queue 2", "queue 0 1000:1000 604", "queue 0 1000:1000 640", "queue 0 1000:1000 640", "queue 2"],
                 view_queue)
    sem, shm, msg = "sem 1000 604", "shm 1000 640", "msg 1000 600"
    check_killed(tmp, front, lxrun, who, "l", "y",
                 ["", sem, f"{shm} {sem}", f"{shm} {sem} {msg}", f"{shm} {msg}", msg, ""],
                 view_sysv)
    expect(who + "make", lxrun("make"), (0, ""))
    made = segments() - before # and of other tests, for a moment
    first = lxrun("see", "0")[1]
    expect(who + "a user's", first.split(";")[0], "queue 0 1000:1000 640 listed 1")
    expect(who + "and the others", first.split(" shm ")[1], "1000 640 sem 1000 604 msg 1000 600\n")
    expect(who + "by its owner", lxrun("see", "1000")[1], first)
    expect(who + "by another", lxrun("see", "1001")[1].split()[:2], ["queue", "13;"])
    expect(who + "another root", lxrun("see", "0", root="other"), (0, "queue 2; -2 -2 -2\n"))
    expect(who + "the host", subprocess.run([*front, program, "q"], check=False).returncode, 0)
    # Two instances at a time, in each of which one is killed now and then.
    storms = [subprocess.Popen([*front, LXRUN, "--root", tmp / "root", "/program", "w", uid, "4"], cwd="/")
              for uid in ("1000", "1001")]
    end = time.monotonic() + 3
    while time.monotonic() < end:
        p = subprocess.Popen([*front, LXRUN, "--root", tmp / "root", "/program", "w", "1000", "9"], cwd="/")
        time.sleep(0.1)
        p.send_signal(signal.SIGKILL) # and with it, its program
        p.wait()
    for p in storms:
        expect(who + "storm", p.wait(), 128 + signal.SIGALRM)
    expect(who + "the last of it", lxrun("u"), (0, ""))
    expect(who + "after it", lxrun("see", "0")[1], first)
    expect(who + "drop", lxrun("drop"), (0, ""))
    expect(who + "dropped", lxrun("see", "0"), (0, "queue 2; -2 -2 -2\n"))
    time.sleep(0.2) # the supervisor of the last one ends
    expect(who + "left on the host", segments() & made, set())


def main():
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        tmp.chmod(0o755)
        (tmp / "p.c").write_text(PROGRAM)
        program = tmp / "p"
        subprocess.run(["gcc", "-O1", "-static", "-o", program, tmp / "p.c"], check=True)
        subprocess.run(["gcc", "-O1", "-o", tmp / "killer", TOP / "tests/volfs/killer.c"], check=True)
        for front in [], ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]:
            if front and os.geteuid():
                break
            work = tmp / ("user" if front else "root")
            for root in "root", "other":
                top = work / root
                (top / "proc").mkdir(parents=True)
                (top / "program").write_bytes(program.read_bytes())
                (top / "program").chmod(0o755)
                for path in (top, top / "proc", top / "program") if front else ():
                    os.lchown(path, USER, USER)
            check(work, program, front)
    for f in failures:
        print(f, file=sys.stderr)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
