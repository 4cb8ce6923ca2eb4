// SPDX-License-Identifier: MIT
// Who may open, remove and change a POSIX message queue: owner, group, others, capabilities; the
// umask; fchmod and fchown of its descriptor; reopening it by /proc.
// covers: mq_open, mq_unlink, mq_getsetattr, fstat, fchmod, fchown
// needs: root
#include "check.h"
#include <mqueue.h>
#include <sys/fsuid.h>

static char name[32];

static int code(long r)
{
    return r == -1 ? errno : 0;
}

static void show(const char *what, mqd_t q)
{
    struct stat st;

    CHECK_EQ(fstat(q, &st), 0);
    printf("%s: %o %d:%d size %ld links %ld\n", what, st.st_mode, st.st_uid, st.st_gid,
           (long)st.st_size, (long)st.st_nlink);
}

// What a user may do with the queue that `kept` is open on, as errno numbers.
static void try(const char *who, uid_t uid, gid_t gid, mqd_t kept)
{
    fflush(stdout);
    pid_t pid = OK(fork());
    if (pid == 0) {
        char link[40];

        if (uid)
            become(uid, gid);
        printf("%s: open %d", who, code(mq_open(name, O_RDONLY)));
        printf(" %d", code(mq_open(name, O_WRONLY)));
        printf(" %d", code(mq_open(name, O_RDWR)));
        printf(" %d", code(mq_open(name, O_RDWR | O_CREAT, 0666, NULL)));
        printf(" %d", code(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, NULL)));
        printf(" %d", code(mq_open(name, O_WRONLY | O_RDWR)));
        snprintf(link, sizeof(link), "/proc/self/fd/%d", kept);
        printf(" link %d", code(open(link, O_RDONLY)));
        printf(" %d", code(open(link, O_RDWR)));
        printf(" %d\n", code(access(link, R_OK)));
        if (uid) {
            printf("  chmod %d", code(fchmod(kept, 0604)));
            printf(" chown %d", code(fchown(kept, uid, -1)));
            printf(" %d", code(fchown(kept, 1002, -1)));
            printf(" %d", code(fchown(kept, -1, gid)));
            printf(" unlink %d\n",
                   code(syscall(SYS_mq_unlink, name + 1))); // the kernel's own error
        }
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
}

// A queue made by root with this mode and given to uid 1000.
static void with_mode(int mode)
{
    mqd_t q = OK(mq_open(name, O_RDWR | O_CREAT | O_EXCL, mode, NULL));

    printf("mode %o\n", mode);
    show("new", q);
    try("nobody", 1001, 1001, q);
    CHECK_EQ(fchown(q, 1000, 2000), 0);
    show("given", q);
    CHECK_EQ(fchmod(q, mode), 0);
    show("and its mode", q);
    try("root", 0, 0, q);
    try("group", 1001, 2000, q);
    try("other", 1001, 1001, q);
    try("owner", 1000, 1000, q); // removes it
    show("removed", q);
    CHECK_ERR(mq_unlink(name), ENOENT);
    CHECK_ERR(mq_open(name, O_RDWR), ENOENT);
    CHECK_EQ(mq_close(q), 0);
}

// What users make belongs to them, by their file system ids.
static void made_by_user(void)
{
    pid_t pid = OK(fork());

    if (pid == 0) {
        become(1000, 1000);
        umask(026);
        mqd_t q = OK(mq_open(name, O_RDONLY | O_CREAT | O_EXCL, 0666, NULL));
        show("a user's", q);
        CHECK_EQ(fchmod(q, 07640), 0);
        show("with all bits", q);
        CHECK_ERR(fchown(q, 1001, -1), EPERM);
        CHECK_ERR(fchown(q, -1, 1001), EPERM);
        int place = OK(mq_open(name, O_PATH));
        CHECK_ERR(fchmod(place, 0600), EBADF);
        show("as it was", q);
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
    mqd_t q = OK(mq_open(name, O_RDONLY));
    show("and by its name", q);
    try("other", 1001, 1001, q);
    try("group", 1001, 1000, q);
    char link[40];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", q);
    CHECK_EQ(chmod(link, 0604), 0);
    CHECK_EQ(chown(link, -1, 1005), 0);
    show("changed by /proc", q);
    pid = OK(fork());
    if (pid == 0) { // root by its effective user alone
        CHECK_EQ(setresuid(1003, 0, 1003), 0);
        CHECK_EQ(setfsuid(1000), 0);
        CHECK_EQ(setfsgid(1004), 0);
        char other[40];
        snprintf(other, sizeof(other), "%s-fs", name);
        mqd_t mine = OK(mq_open(other, O_RDONLY | O_CREAT | O_EXCL, 0600, NULL));
        show("by fsuid", mine);
        CHECK_EQ(mq_unlink(other), 0);
        fflush(stdout);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(mq_unlink(name), 0);
    show("removed", q);
}

int main(void)
{
    static const int modes[] = {0600, 0664, 0646, 0242, 0420, 0};

    snprintf(name, sizeof(name), "/mq-owner-%d", getpid());
    umask(0);
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        with_mode(modes[i]);
    umask(022);
    with_mode(0666);
    umask(0777);
    with_mode(0666);
    with_mode(04711);
    made_by_user();
    return done();
}
