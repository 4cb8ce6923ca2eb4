// SPDX-License-Identifier: MIT
// unshare and clone with CLONE_NEWUTS: a host name of one's own, which children inherit, a program
// that is executed keeps, /proc tells, and nobody else sees; together with a mount namespace; a
// thread's is its own alone.
// covers: unshare, clone, sethostname, uname, setdomainname
// needs: root
#include "mountns.h"
#include <pthread.h>
#include <sys/utsname.h>

static char stack_[65536] __attribute__((aligned(16)));

static const char *name(void)
{
    static __thread struct utsname u;
    CHECK_EQ(uname(&u), 0);
    return u.nodename;
}

static void ns_of(const char *which, char *out)
{
    ssize_t n = readlink(which, out, 63);
    CHECK(n > 0);
    out[n] = 0;
}

static int cloned(void *arg)
{
    (void)arg;
    CHECK_STR(name(), "outer");
    CHECK_EQ(sethostname("cloned", 6), 0);
    CHECK_EQ(setdomainname("dom", 3), 0);
    CHECK_STR(get_file("/proc/sys/kernel/hostname"), "cloned\n");
    execl("/proc/self/exe", "again", "cloned", NULL);
    return 1;
}

static void *thread(void *arg)
{
    CHECK_EQ(unshare(CLONE_NEWUTS), 0);
    CHECK_EQ(sethostname("thread", 6), 0);
    CHECK_STR(name(), "thread");
    pid_t pid = fork();
    if (pid == 0)
        _exit(strcmp(name(), "thread") != 0);
    wait_ok(pid);
    return arg;
}

int main(int argc, char **argv)
{
    char outer[64], inner[64];
    pthread_t th;

    if (argc == 2) {
        CHECK_STR(name(), argv[1]);
        return 0;
    }
    own_mounts();
    CHECK_EQ(unshare(CLONE_NEWUTS), 0); // so that a native run changes nothing outside
    CHECK_EQ(sethostname("outer", 5), 0);
    ns_of("/proc/self/ns/uts", outer);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(unshare(CLONE_NEWUTS | CLONE_NEWNS), 0);
        ns_of("/proc/self/ns/uts", inner);
        CHECK(strcmp(inner, outer) != 0);
        CHECK_EQ(sethostname("inner", 5), 0);
        CHECK_STR(name(), "inner");
        pid = fork();
        if (pid == 0) {
            CHECK_STR(name(), "inner");
            CHECK_EQ(sethostname("both", 4), 0);
            _exit(0);
        }
        wait_ok(pid);
        CHECK_STR(name(), "both");
        CHECK_EQ(setresuid(1000, 1000, 1000), 0);
        CHECK_ERR(sethostname("x", 1), EPERM);
        CHECK_ERR(unshare(CLONE_NEWUTS), EPERM);
        CHECK_STR(name(), "both");
        _exit(0);
    }
    wait_ok(pid);
    CHECK_STR(name(), "outer");
    static const int ways[] = {0, CLONE_VM | CLONE_VFORK, CLONE_FS};
    for (int i = 0; i < 3; i++) {
        pid = clone(cloned, stack_ + sizeof stack_, ways[i] | CLONE_NEWUTS | SIGCHLD, NULL);
        CHECK(pid > 0);
        wait_ok(pid);
        CHECK_STR(name(), "outer");
    }
    CHECK_EQ(pthread_create(&th, NULL, thread, NULL), 0);
    CHECK_EQ(pthread_join(th, NULL), 0);
    CHECK_STR(name(), "outer");
    // Many, one behind the other.
    for (int i = 0; i < 80; i++) {
        pid = fork();
        if (pid == 0) {
            CHECK_EQ(unshare(CLONE_NEWUTS), 0);
            CHECK_EQ(sethostname("one", 3), 0);
            kill(getpid(), SIGKILL);
        }
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
    }
    CHECK_STR(name(), "outer");
    return done();
}
