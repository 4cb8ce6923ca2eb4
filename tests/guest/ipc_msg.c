// SPDX-License-Identifier: MIT
// System V messages: by type, any, except, lowest first; sizes and MSG_NOERROR, IPC_NOWAIT, the
// byte limit, counters, a waiting receiver, removal.
// covers: msgget, msgsnd, msgrcv, msgctl
#include "sig.h"
#include <sys/ipc.h>
#include <sys/msg.h>

static int id;
static struct msg {
    long type;
    char text[64];
} m;

static void put(long type, const char *text)
{
    m.type = type;
    strcpy(m.text, text);
    CHECK(msgsnd(id, &m, strlen(text), 0) == 0);
}

static void expect(long type, int flags, long wants, const char *text)
{
    memset(&m, 0, sizeof(m));
    CHECK_EQ(msgrcv(id, &m, sizeof(m.text), type, flags | IPC_NOWAIT), strlen(text));
    CHECK_EQ(m.type, wants);
    CHECK_STR(m.text, text);
}

int main(void)
{
    struct msqid_ds ds;
    pid_t pid;

    id = OK(msgget(IPC_PRIVATE, 0600));
    put(5, "five");
    put(2, "two");
    put(9, "nine");
    put(2, "two again");
    CHECK(msgctl(id, IPC_STAT, &ds) == 0);
    CHECK(ds.msg_qnum == 4 && ds.msg_lspid == getpid() && ds.msg_lrpid == 0 && ds.msg_qbytes > 0);
    expect(2, 0, 2, "two");
    expect(-7, 0, 2, "two again"); // the lowest type up to 7
    expect(5, MSG_EXCEPT, 9, "nine");
    put(1, "");
    expect(0, 0, 5, "five");
    expect(0, 0, 1, "");
    CHECK_ERR(msgrcv(id, &m, 64, 0, IPC_NOWAIT), ENOMSG);

    put(1, "longer text");
    CHECK_ERR(msgrcv(id, &m, 4, 0, IPC_NOWAIT), E2BIG);
    CHECK(msgrcv(id, &m, 4, 0, IPC_NOWAIT | MSG_NOERROR) == 4 && memcmp(m.text, "long", 4) == 0);
    CHECK_ERR(msgrcv(id, &m, 64, 0, IPC_NOWAIT), ENOMSG);
    m.type = 0;
    CHECK_ERR(msgsnd(id, &m, 1, 0), EINVAL);
    m.type = 1;
    CHECK_ERR(msgsnd(id, &m, -1, 0), EINVAL);
    CHECK_ERR(msgsnd(-1, &m, 1, 0), EINVAL);
    CHECK_ERR(syscall(SYS_msgsnd, id, 8, 1, 0), EFAULT);

    CHECK(msgctl(id, IPC_STAT, &ds) == 0);
    ds.msg_qbytes = 100;
    CHECK(msgctl(id, IPC_SET, &ds) == 0);
    CHECK(msgsnd(id, &m, 60, IPC_NOWAIT) == 0);
    CHECK_ERR(msgsnd(id, &m, 60, IPC_NOWAIT), EAGAIN);
    CHECK(msgrcv(id, &m, 64, 0, 0) == 60);

    pid = OK(fork());
    if (pid == 0) {
        CHECK(msgrcv(id, &m, 64, 77, 0) == 5 && memcmp(m.text, "hello", 5) == 0);
        CHECK_ERR(msgrcv(id, &m, 64, 78, 0), EIDRM);
        _exit(0);
    }
    put(76, "no");
    put(77, "hello");
    // The second wait shows nowhere; both EIDRM and EINVAL would be right if it began too late.
    do {
        CHECK(msgctl(id, IPC_STAT, &ds) == 0);
        sleep_us(1000);
    } while (ds.msg_lrpid != pid);
    expect(76, 0, 76, "no");
    char state[64], path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    do { // asleep in msgrcv: there is nothing else it could sleep in
        sleep_us(1000);
        snprintf(state, sizeof(state), "%s", strrchr(get_file(path), ')'));
    } while (state[2] != 'S');
    CHECK(msgctl(id, IPC_RMID, NULL) == 0);
    wait_ok(pid);
    CHECK_ERR(msgctl(id, IPC_STAT, &ds), EINVAL);
    CHECK_ERR(msgget(0x47542222, 0), ENOENT);
    return done();
}
