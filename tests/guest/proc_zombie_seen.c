// SPDX-License-Identifier: MIT
// A process that has ended is there for all until it is waited for, whatever it did before, and by
// whomever it is waited for; and no longer than that.
// covers: exit_group, exit, wait4, waitid, kill, getpgid, getsid, getpriority, sched_getscheduler
// trap: not old: such a host has no pidfd_open
// covers: sched_getparam, prlimit64, ioprio_get, capget, pidfd_open
// timeout: 60
#include "check.h"
#include "exec.h"
#include <dirent.h>
#include <linux/capability.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { FORKED, GROUP, THREAD, SIGNALLED, KILLED, EXECED, SPAWNED, VFORKED, KINDS };
static char *self;

static pid_t begin(int kind)
{
    char *argv[] = {self, "end", NULL};
    pid_t pid;

    if (kind == SPAWNED) {
        CHECK_EQ(posix_spawn(&pid, self, NULL, NULL, argv, NULL), 0);
        return pid;
    }
    pid = kind == VFORKED ? vfork() : OK(fork());
    if (pid)
        return pid;
    if (kind == VFORKED)
        _exit(3);
    if (kind == FORKED) // without a call before
        syscall(SYS_exit_group, 3);
    if (kind == EXECED)
        execv(self, argv);
    CHECK_EQ(setpgid(0, 0), 0);
    CHECK_EQ(umask(022), 022); // "I am here"
    if (kind == GROUP)
        syscall(SYS_exit_group, 3);
    if (kind == THREAD)
        syscall(SYS_exit, 3);
    if (kind == SIGNALLED)
        raise(SIGTERM);
    kill(getpid(), SIGKILL);
    _exit(1);
}

static char state_of(pid_t pid)
{
    char path[64], text[512] = "";
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    fd = open(path, O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return 0;
    close(fd);
    return strrchr(text, ')')[2];
}

static int is_listed(pid_t pid)
{
    DIR *d = opendir("/proc");
    int found = 0;

    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        found |= atoi(e->d_name) == pid;
    closedir(d);
    return found;
}

static void expect_zombie(pid_t pid, int own_group)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, pid};
    struct __user_cap_data_struct caps[2];
    struct sched_param param;
    struct rlimit limit;
    char path[64], text[64];
    struct stat st;

    CHECK_EQ(kill(pid, 0), 0);
    CHECK_EQ(getpgid(pid), own_group ? pid : getpgid(0));
    CHECK_EQ(getsid(pid), getsid(0));
    CHECK_EQ(getpriority(PRIO_PROCESS, (id_t)pid), 0);
    CHECK_EQ(sched_getscheduler(pid), SCHED_OTHER);
    CHECK_EQ(sched_getparam(pid, &param), 0);
    CHECK_EQ(prlimit(pid, RLIMIT_CORE, NULL, &limit), 0);
    CHECK(syscall(SYS_ioprio_get, 1, pid) >= 0);
    CHECK_EQ(syscall(SYS_capget, &head, caps), 0);
    close(OK((int)syscall(SYS_pidfd_open, pid, 0)));
    if (own_group)
        CHECK_EQ(kill(-pid, SIGTERM), 0); // a group of zombies is one
    CHECK_EQ(state_of(pid), 'Z');
    CHECK(is_listed(pid));
    snprintf(path, sizeof(path), "/proc/%d", pid);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_uid, geteuid());
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    CHECK_ERR(readlink(path, text, sizeof(text)), ENOENT);
    snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
    CHECK_ERR(readlink(path, text, sizeof(text)), ENOENT);
    snprintf(path, sizeof(path), "/proc/%d/root", pid);
    CHECK_ERR(readlink(path, text, sizeof(text)), ENOENT);
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    CHECK_STR(get_file(path), "");
}

static void expect_gone(pid_t pid)
{
    CHECK_ERR(kill(pid, 0), ESRCH);
    CHECK_ERR(getpgid(pid), ESRCH);
    CHECK_ERR(getpriority(PRIO_PROCESS, (id_t)pid), ESRCH);
    CHECK_EQ(state_of(pid), 0);
    CHECK(!is_listed(pid));
}

// In a process of its own, so that none of what it makes is the caller's child.
static pid_t child_of_other(int kind, int *go, int *done_by)
{
    int in[2], out[2];
    pid_t pid;
    char c;

    CHECK_EQ(pipe(in) | pipe(out), 0);
    pid_t parent = OK(fork());
    if (!parent) {
        siginfo_t info;
        close(in[1]);
        pid = begin(kind);
        CHECK_EQ(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
        CHECK_EQ(write(out[1], &pid, sizeof(pid)), sizeof(pid));
        CHECK_EQ(read(in[0], &c, 1), 1);
        if (c == 'w') {
            CHECK_EQ(kind & 1 ? wait4(pid, NULL, WUNTRACED, NULL) : waitpid(pid, NULL, 0), pid);
        } else if (c == 'i') {
            CHECK_EQ(waitid(P_ALL, 0, &info, WEXITED), 0);
            CHECK_EQ(info.si_pid, pid);
        }
        if (c != 'd') { // else it dies with the zombie
            CHECK_EQ(write(out[1], &c, 1), 1);
            CHECK_EQ(read(in[0], &c, 1), 0);
        }
        _exit(0);
    }
    CHECK_EQ(read(out[0], &pid, sizeof(pid)), sizeof(pid));
    close(in[0]);
    close(out[1]);
    *go = in[1];
    *done_by = out[0];
    return pid;
}

static void waited_for(int kind, const char *how)
{
    int go, reply;
    char c;
    pid_t pid = child_of_other(kind, &go, &reply);

    expect_zombie(pid, kind == GROUP || kind == THREAD || kind == SIGNALLED || kind == KILLED);
    CHECK_EQ(write(go, how, 1), 1);
    CHECK_EQ(read(reply, &c, 1), *how != 'd');
    if (*how == 'd') { // adopted by the caller, and its zombie still
        CHECK(wait(NULL) > 0);
        CHECK_EQ(kill(pid, 0), 0);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
    }
    expect_gone(pid);
    close(go);
    close(reply);
    while (wait(NULL) > 0)
        ;
}

// With SIGCHLD ignored nobody waits, and there is no zombie.
static void not_waited_for(int kind)
{
    int p[2];
    pid_t pid;
    char c;

    CHECK_EQ(pipe(p), 0);
    pid_t parent = OK(fork());
    if (!parent) {
        signal(SIGCHLD, SIG_IGN);
        pid = begin(kind);
        CHECK_ERR(waitpid(pid, NULL, 0), ECHILD);
        CHECK_EQ(write(p[1], &pid, sizeof(pid)), sizeof(pid));
        pause();
    }
    close(p[1]);
    CHECK_EQ(read(p[0], &pid, sizeof(pid)), sizeof(pid));
    // Linux tells the parent first and then takes it from the tables (exit_notify() in
    // kernel/exit.c: the one under the lock, release_task() after it): one in 3,000 is still seen.
    while (kill(pid, 0) == 0)
        sched_yield();
    expect_gone(pid);
    CHECK_EQ(kill(parent, SIGKILL), 0);
    CHECK_EQ(waitpid(parent, NULL, 0), parent);
    CHECK_EQ(read(p[0], &c, 1), 0);
    close(p[0]);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        syscall(SYS_exit_group, 3);
    copy_self("prog", 0755);
    self = "./prog";
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (int kind = 0; kind < KINDS; kind++) {
        waited_for(kind, "w");
        waited_for(kind, "i");
        waited_for(kind, "d");
        not_waited_for(kind);
    }
    (void)argv;
    return done();
}
