// SPDX-License-Identifier: MIT
// Process 1 is there: listed in /proc, with what everybody may read of any process; an orphan's
// parent is a process that is in /proc; an ordinary user can neither signal it nor look into it.
// It can be asked how it runs, as any process, and has a thread; it is 1 in every path that is
// told.
// covers: getppid, kill, capget, getpriority, ioprio_get, pidfd_open, sched_getaffinity
// trap: not old: such a host has no pidfd_open
#include "check.h"
#include <dirent.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

// The first field behind the name, and behind the state: the parent.
static int stat_parent(const char *pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, text, sizeof text - 1));
    close(fd);
    text[n] = 0;
    CHECK(text[n - 1] == '\n' && strrchr(text, ')'));
    return atoi(strrchr(text, ')') + 4);
}

// The group and the session of process 1 are its own.
static void leads(void)
{
    char text[1024];
    int fd = OK(open("/proc/1/stat", O_RDONLY)), group, session;
    ssize_t n = OK(read(fd, text, sizeof text - 1));
    close(fd);
    text[n] = 0;
    CHECK_EQ(sscanf(strrchr(text, ')') + 6, "%d %d", &group, &session), 2);
    CHECK((group == 1 && session == 1) || (!group && !session)); // 0: nobody has called setsid
}

static bool listed_in(const char *dir, const char *name)
{
    DIR *d = opendir(dir);
    bool found = false;
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));)
        found = found || !strcmp(e->d_name, name);
    closedir(d);
    return found;
}

static bool listed(const char *name)
{
    return listed_in("/proc", name);
}

static void put(const char *path, char *text, size_t size)
{
    int fd = OK(open(path, O_RDONLY));
    ssize_t n = OK(read(fd, text, size - 1));
    close(fd);
    text[n] = 0;
}

static void ask(void)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 1};
    struct __user_cap_data_struct caps[2];
    struct sched_param p;
    struct timespec ts;
    cpu_set_t cpus;
    char attr[64];

    CHECK(syscall(SYS_capget, &h, caps) == 0 && caps[0].permitted && !caps[0].inheritable);
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 1) >= -20 && errno == 0);
    CHECK(syscall(SYS_ioprio_get, 1, 1) >= 0);
    CHECK(sched_getscheduler(1) >= 0 && sched_getparam(1, &p) == 0 &&
          sched_getaffinity(1, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) > 0 &&
          sched_rr_get_interval(1, &ts) == 0 && syscall(SYS_sched_getattr, 1, attr, 64, 0) == 0);
}

// What an ordinary user may not do with it.
static void refused(void)
{
    struct sched_param p = {0};
    struct rlimit l;
    char byte;
    struct iovec v = {&byte, 1};
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_QUEUE};
    int pidfd = OK((int)syscall(SYS_pidfd_open, 1, 0)), node = 0, status;
    void *page = &byte;

    CHECK_ERR(setpriority(PRIO_PROCESS, 1, 0), EPERM);
    CHECK_ERR(syscall(SYS_ioprio_set, 1, 1, 2 << 13), EPERM);
    CHECK_ERR(sched_setscheduler(1, SCHED_OTHER, &p), EPERM);
    CHECK_ERR(prlimit(1, RLIMIT_CORE, NULL, &l), EPERM);
    CHECK_ERR(syscall(SYS_tkill, 1, SIGTERM), EPERM);
    CHECK_ERR(syscall(SYS_tgkill, 1, 1, SIGTERM), EPERM);
    CHECK_ERR(syscall(SYS_rt_sigqueueinfo, 1, SIGTERM, &info), EPERM);
    CHECK_ERR(syscall(SYS_rt_tgsigqueueinfo, 1, 1, SIGTERM, &info), EPERM);
    CHECK_ERR(syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0), EPERM);
    CHECK_ERR(syscall(SYS_pidfd_getfd, pidfd, 0, 0), EPERM);
    CHECK_ERR(syscall(SYS_kcmp, 1, getpid(), 0, 0, 0), EPERM);
    CHECK_ERR(process_vm_readv(1, &v, 1, &v, 1, 0), EPERM);
    CHECK_ERR(syscall(SYS_move_pages, 1, 1, &page, &node, &status, 0), EPERM);
}

// Its threads, of which one is it.
static void threads(void)
{
    char text[4096];
    struct stat st;

    CHECK(listed_in("/proc/1/task", "1") && listed_in("/proc/1/task", ".."));
    CHECK(stat("/proc/1/task/1", &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0);
    char comm[64], thread[64];
    put("/proc/1/comm", comm, sizeof comm);
    put("/proc/1/task/1/comm", thread, sizeof thread);
    CHECK(strlen(thread) > 1 && !strcmp(comm, thread));
    put("/proc/1/task/1/stat", text, sizeof text);
    CHECK(!strncmp(text, "1 (", 3));
    put("/proc/1/task/1/status", text, sizeof text);
    CHECK(strstr(text, "\nPid:\t1\n") && strstr(text, "\nTgid:\t1\n"));
    snprintf(text, sizeof text, "/proc/1/task/%d", getpid());
    CHECK_ERR(stat(text, &st), ENOENT);
    CHECK(chdir("/proc/1/task/1") == 0 && access("../1/stat", R_OK) == 0 &&
          access("../../task/1/stat", R_OK) == 0 && chdir("/") == 0);
}

// The path that the link or the working directory tells is the one that was used.
static void told(const char *path)
{
    char link[64], text[128] = "";
    int fd = OK(open(path, O_RDONLY));
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    CHECK(readlink(link, text, sizeof text - 1) > 0 && !strcmp(text, path));
    struct stat st;
    CHECK(fstat(fd, &st) == 0);
    if (S_ISDIR(st.st_mode)) {
        CHECK(fchdir(fd) == 0 && getcwd(text, sizeof text) && !strcmp(text, path));
        memset(text, 0, sizeof text);
        CHECK(readlink("/proc/self/cwd", text, sizeof text - 1) > 0 && !strcmp(text, path));
        CHECK(access("stat", R_OK) == 0 || access("1/stat", R_OK) == 0);
        CHECK(chdir("/") == 0);
    }
    close(fd);
}

static void user(void)
{
    CHECK(setgid(4711) == 0 && setuid(4711) == 0);
    ask();
    refused();
    CHECK_ERR(kill(1, 0), EPERM);
    CHECK_ERR(kill(1, 65), EINVAL);
    CHECK_ERR(open("/proc/1/environ", O_RDONLY), EACCES);
    CHECK_ERR(open("/proc/1/fd/0", O_RDONLY), EACCES);
    CHECK_ERR(open("/proc/1/comm", O_WRONLY), EACCES);
    CHECK(access("/proc/1/stat", R_OK) == 0);
    char link[64];
    CHECK_ERR(readlink("/proc/1/exe", link, sizeof link), EACCES);
}

int main(void)
{
    char text[4096], name[16], path[64];
    struct stat st;
    int p[2], status;

    CHECK(listed("1") && stat("/proc/1", &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0);
    put("/proc/1/stat", text, sizeof text);
    CHECK(!strncmp(text, "1 (", 3));
    CHECK_EQ(stat_parent("1"), 0);
    leads();
    put("/proc/1/status", text, sizeof text);
    CHECK(!strncmp(text, "Name:\t", 6) && strstr(text, "\nPid:\t1\n") &&
          strstr(text, "\nTgid:\t1\n") && strstr(text, "\nPPid:\t0\n") &&
          strstr(text, "\nUid:\t0\t0\t0\t0\n"));
    put("/proc/1/limits", text, sizeof text);
    CHECK(strstr(text, "Max open files"));
    put("/proc/1/comm", text, sizeof text);
    CHECK(strlen(text) > 1);
    put("/proc/1/cmdline", text, sizeof text);
    CHECK(chdir("/proc/1") == 0 && access("stat", R_OK) == 0 && chdir("..") == 0 &&
          access("1/stat", R_OK) == 0);
    CHECK(kill(1, 0) == 0);
    ask();
    threads();
    static const char *const paths[] = {
        "/proc/1",      "/proc/1/task",        "/proc/1/task/1",
        "/proc/1/comm", "/proc/1/task/1/comm", "/proc/1/statm",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        told(paths[i]);

    CHECK(pipe(p) == 0);
    if (!OK(fork())) {
        pid_t parent = getpid();
        if (OK(fork()))
            _exit(0);
        while (getppid() == parent)
            usleep(1000);
        snprintf(name, sizeof name, "%d", getppid());
        CHECK(listed(name));
        CHECK_EQ(stat_parent("self"), getppid());
        put("/proc/self/status", text, sizeof text);
        snprintf(path, sizeof path, "\nPPid:\t%d\n", getppid());
        CHECK(strstr(text, path));
        snprintf(path, sizeof path, "/proc/%s/stat", name);
        put(path, text, sizeof text);
        CHECK_EQ(atoi(text), getppid());
        CHECK(write(p[1], done() ? "n" : "y", 1) == 1);
        _exit(0);
    }
    CHECK(read(p[0], text, 1) == 1 && text[0] == 'y' && wait(&status) > 0 && status == 0);

    if (!OK(fork())) {
        user();
        _exit(done());
    }
    CHECK(wait(&status) > 0 && status == 0);
    return done();
}
