// SPDX-License-Identifier: MIT
// Starting a command in the VM.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define PATH_ROOT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_USER "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
#define GROUPS 64

struct command {
    struct start start;
    char *directory, *user, *program;
    char **args, **env, **set;
};

struct failure {
    uint32_t status;
    char text[508];
};

// ---- In the child ----

static _Noreturn void give_up(int report, uint32_t status, const char *format, ...)
{
    struct failure f = {.status = status};
    va_list ap;
    va_start(ap, format);
    vsnprintf(f.text, sizeof f.text, format, ap);
    va_end(ap);
    if (write(report, &f, sizeof f) < 0)
        _exit(126);
    _exit(125);
}

static bool number(const char *s, unsigned *v)
{
    char *end;
    unsigned long n = strtoul(s, &end, 10);
    *v = (unsigned)n;
    return *s >= '0' && *s <= '9' && !*end && n < 0xffffffffUL;
}

// The lines of /etc/passwd and /etc/group by themselves: glibc's own look-ups want its shared
// libraries.
static bool find_user(const char *name, struct passwd *found)
{
    unsigned id;
    bool by_id = number(name, &id);
    FILE *f = fopen("/etc/passwd", "re");
    struct passwd *p = NULL;
    while (f && (p = fgetpwent(f)))
        if (!strcmp(p->pw_name, name) || (by_id && p->pw_uid == id))
            break;
    if (p)
        *found = *p;
    else if (by_id)
        *found = (struct passwd){
            .pw_name = "", .pw_uid = id, .pw_gid = id, .pw_dir = "/", .pw_shell = "/bin/sh"};
    if (f)
        fclose(f);
    return p || by_id;
}

// The groups that a user is a member of; *gid of the group `wanted`, if there is one.
static int find_groups(const char *user, const char *wanted, gid_t *list, gid_t *gid, bool *found)
{
    unsigned id;
    int n = 1;
    FILE *f = fopen("/etc/group", "re");
    *found = !wanted;
    if (wanted && number(wanted, &id)) {
        *gid = id;
        *found = true;
    }
    for (struct group *g; f && (g = fgetgrent(f));) {
        if (wanted && !strcmp(g->gr_name, wanted)) {
            *gid = g->gr_gid;
            *found = true;
        }
        for (char **m = g->gr_mem; *m; m++)
            if (*user && !strcmp(*m, user) && n < GROUPS)
                list[n++] = g->gr_gid;
    }
    if (f)
        fclose(f);
    list[0] = *gid;
    return n;
}

static void become(const struct command *c, int report)
{
    gid_t list[GROUPS];
    bool found;
    struct passwd p;
    char *group = strchr(c->user, ':');
    if (group)
        *group++ = 0;
    if (!find_user(*c->user ? c->user : "0", &p))
        give_up(report, 125, "no user '%s' in the VM", c->user);
    gid_t gid = p.pw_gid;
    int n = find_groups(p.pw_name, group, list, &gid, &found);
    if (!found)
        give_up(report, 125, "no group '%s' in the VM", group);
    if (c->start.flags & START_ACCOUNT) {
        setenv("PATH", p.pw_uid ? PATH_USER : PATH_ROOT, 1);
        setenv("HOME", p.pw_dir, 1);
        setenv("SHELL", *p.pw_shell ? p.pw_shell : "/bin/sh", 1);
        if (*p.pw_name) {
            setenv("USER", p.pw_name, 1);
            setenv("LOGNAME", p.pw_name, 1);
        }
    }
    if (setgroups((size_t)n, list) || setgid(gid) || setuid(p.pw_uid))
        give_up(report, 125, "cannot become user '%s': %s", c->user, strerror(errno));
}

static _Noreturn void run(const struct command *c, int fd[3], int report)
{
    sigset_t none;
    pid_t self = getpid();
    setpgid(0, 0);
    if (c->start.flags & START_TTY)
        tcsetpgrp(fd[0], self);
    if (write(report, &self, sizeof self) < 0)
        _exit(125);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int i = 0; i < 3; i++) {
        dup2(fd[i], i);
        if (c->start.flags & START_CLOSED << i)
            close(i);
    }
    umask(c->start.mask);
    clearenv();
    for (char **e = c->env; *e; e++)
        putenv(*e);
    become(c, report);
    for (char **e = c->set; *e; e++)
        putenv(*e);
    if (chdir(c->directory) && ((c->start.flags & START_CD) || chdir("/")))
        give_up(report, 125, "cannot enter directory '%s': %s", c->directory, strerror(errno));
    execvp(c->program, c->args);
    if (errno == ENOENT || errno == ENOTDIR)
        give_up(report, 127, "%s: not found", c->program);
    give_up(report, 126, "%s: not executable, or no permission", c->program);
}

// The session's leader, and the command's parent. Without one in its session but another group the
// command would be an orphan, which no ^Z stops (setpgid(2)).
static _Noreturn void lead(const struct command *c, int fd[3], int report)
{
    int status;
    setsid();
    if (c->start.flags & START_TTY)
        ioctl(fd[0], TIOCSCTTY, 0);
    // Has our memory until its exec: in an emulated VM a copy would be a third of a command's
    // start.
    pid_t pid = vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork)
    if (pid == 0)
        run(c, fd, report); // NOLINT(clang-analyzer-unix.Vfork)
    closefrom(0);
    while (pid > 0 && waitpid(pid, &status, WUNTRACED) == pid) {
        if (WIFEXITED(status))
            _exit(WEXITSTATUS(status));
        if (WIFSIGNALED(status))
            _exit(128 + WTERMSIG(status));
        sigqueue(1, STOPPED, (union sigval){.sival_int = WSTOPSIG(status)});
    }
    _exit(125);
}

// ---- In init ----

static char **list(const char **p, const char *end, uint32_t n)
{
    char **l = calloc((size_t)n + 1, sizeof *l);
    for (uint32_t i = 0; l && i < n; i++) {
        if (*p >= end) {
            free(l);
            return NULL;
        }
        l[i] = (char *)*p;
        *p += strlen(*p) + 1;
    }
    return l;
}

static bool parse(struct command *c, const struct frame *f)
{
    const char *p = (const char *)(f + 1) + sizeof c->start, *end = (const char *)(f + 1) + f->size;
    if (f->size <= sizeof c->start || end[-1])
        return false;
    memcpy(&c->start, f + 1, sizeof c->start);
    char **head = list(&p, end, 3);
    c->args = list(&p, end, c->start.args);
    c->env = list(&p, end, c->start.env);
    c->set = list(&p, end, c->start.set);
    if (head) {
        c->directory = head[0];
        c->user = head[1];
        c->program = head[2];
    }
    free(head);
    return head && c->args && c->args[0] && c->env && c->set;
}

static bool open_pipe(int stream, int ours[3], int theirs[3])
{
    int p[2];
    if (pipe2(p, O_CLOEXEC))
        return false;
    ours[stream] = p[stream == 0];
    theirs[stream] = p[stream != 0];
    fcntl(ours[stream], F_SETFL, O_NONBLOCK);
    return true;
}

static bool open_terminal(const struct command *c, int ours[3], int theirs[3])
{
    struct winsize size = {.ws_row = c->start.rows, .ws_col = c->start.columns};
    int unlock = 0;
    ours[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (ours[0] < 0 || ioctl(ours[0], TIOCSPTLCK, &unlock))
        return false;
    theirs[0] = ioctl(ours[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    ioctl(ours[0], TIOCSWINSZ, &size);
    ours[1] = fcntl(ours[0], F_DUPFD_CLOEXEC, 0);
    theirs[1] = fcntl(theirs[0], F_DUPFD_CLOEXEC, 0);
    if (c->start.flags & START_ERRORS)
        return theirs[0] >= 0 && open_pipe(2, ours, theirs);
    theirs[2] = fcntl(theirs[0], F_DUPFD_CLOEXEC, 0);
    return theirs[0] >= 0;
}

static bool open_pipes(int ours[3], int theirs[3])
{
    return open_pipe(0, ours, theirs) && open_pipe(1, ours, theirs) && open_pipe(2, ours, theirs);
}

static void tell(uint32_t session, const struct failure *f)
{
    frame_add(&to_host, session, F_ERROR, 0, f->text, strnlen(f->text, sizeof f->text));
    frame_u32(&to_host, session, F_EXIT, 0, f->status);
}

pid_t command_start(const struct frame *f, int fd[3], bool *tty, pid_t *command)
{
    struct command c = {0};
    struct failure failed = {125, "the VM cannot start a process"};
    int theirs[3] = {-1, -1, -1}, report[2] = {-1, -1};
    pid_t pid = -1;
    if (!parse(&c, f)) {
        failed = (struct failure){125, "a command that cannot be read came to the VM"};
    } else if (((c.start.flags & START_TTY) ? open_terminal(&c, fd, theirs)
                                            : open_pipes(fd, theirs)) &&
               !pipe2(report, O_CLOEXEC)) {
        pid = fork();
        if (pid == 0)
            lead(&c, theirs, report[1]);
    }
    *tty = c.start.flags & START_TTY;
    for (int i = 0; i < 3; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    close(report[1]);
    // The command's exec, or its failure, closes the pipe.
    if (pid > 0 && read(report[0], command, sizeof *command) == sizeof *command &&
        read(report[0], &failed, sizeof failed) != sizeof failed)
        failed.status = 0;
    close(report[0]);
    free(c.args);
    free(c.env);
    free(c.set);
    if (!failed.status)
        return pid;
    tell(f->session, &failed);
    return 0;
}
