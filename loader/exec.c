// SPDX-License-Identifier: MIT
// execve before the point of no return: open, check, follow #! lines, and hand over. A guest's
// execve is a host execve of lxcore; what the new image needs travels in the instance's memory
// (struct exec_state), never in arguments or environment.
#include <linux/resource.h>

#include "filter.h"
#include "fs.h"
#include "host.h"
#include "loader.h"
#include "tracee.h"
#include "uaccess.h"
#include "xattr.h"

#define SCRIPT_LINE 256 // BINPRM_BUF_SIZE
#define SCRIPTS_MAX 5

static void close_files(struct exec_plan *p)
{
    if (p->image_fd >= 0)
        host_close(p->image_fd);
    if (p->interp_fd >= 0)
        host_close(p->interp_fd);
    p->image_fd = p->interp_fd = -1;
}

void exec_done(struct exec_plan *p)
{
    close_files(p);
    if (p->room)
        arena_free(p->room, sizeof *p->room);
    p->room = NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// Both search from p to `last`, which is looked at too.
static char *skip_blanks(char *p, char *last)
{
    while (p <= last && is_blank(*p))
        p++;
    return p <= last ? p : NULL;
}

static char *end_of_word(char *p, char *last)
{
    while (p <= last && *p && !is_blank(*p))
        p++;
    return p <= last ? p : NULL;
}

// Splits a #! line, SCRIPT_LINE bytes of the file with zeros behind its end: an interpreter and at
// most one argument, which keeps its inner blanks. As fs/binfmt_script.c does it, with what scripts
// see of that: only where a newline ends the line are blanks before its end taken off, so that an
// argument can be empty; and the buffer's last byte is none of a longer line's.
static long parse_script(char *line, char **interp, char **arg)
{
    char *last = line + SCRIPT_LINE - 1, *end = line + 2;
    while (end <= last && *end && *end != '\n')
        end++;
    if (end > last || *end != '\n') {
        char *name = skip_blanks(line + 2, last);
        // A name that nothing ends is cut off, or nothing but blanks is there.
        if (!name || !end_of_word(name, last))
            return -ENOEXEC;
        end = last;
    }
    while (is_blank(end[-1]))
        end--;
    *end = 0;
    *interp = skip_blanks(line + 2, end);
    if (!*interp || *interp == end)
        return -ENOEXEC;
    if (!**interp)
        return -EACCES; // the working directory, for the kernel
    char *sep = end_of_word(*interp, end);
    *arg = *sep ? skip_blanks(sep, end) : NULL;
    *sep = 0;
    return 0;
}

// Puts text before the plan's arguments.
static long push_arg(struct exec_plan *plan, const char *text)
{
    size_t n = strlen(text) + 1;
    if (!plan->room)
        plan->room = arena_alloc(sizeof *plan->room);
    struct exec_args *room = plan->room;
    if (!room)
        return -ENOMEM;
    if (plan->argc == ARRAY_LEN(plan->args) || room->used + n > sizeof room->text)
        return -E2BIG;
    memcpy(room->text + room->used, text, n);
    memmove(plan->args + 1, plan->args, plan->argc * sizeof plan->args[0]);
    plan->args[0] = room->text + room->used;
    plan->argc++;
    room->used += n;
    return 0;
}

// s has been the image's, and is the interpreter's from now on.
static long open_interp_at(struct task *t, struct exec_plan *plan, const char *path, size_t size,
                           struct elf_start *s)
{
    struct statx st;
    Elf64_Phdr none;
    bool nosuid;
    if (path[size - 1])
        return -ENOEXEC;
    if (!path[0])
        return -EACCES; // the working directory, for the kernel
    long fd = fs_open_exec(t, AT_FDCWD, path, 0, &st, NULL, &nosuid);
    if (fd < 0)
        return fd;
    plan->interp_fd = (s32)fd;
    if (elf_find_interp((int)fd, s, elf_read_start((int)fd, s), &none) >= 0)
        return 0;
    long n = host_pread((int)fd, &s->ehdr, sizeof s->ehdr, 0);
    return n == (long)sizeof s->ehdr ? -ELIBBAD : n < 0 ? n : -EIO;
}

static __attribute__((noinline)) long open_far_interp(struct task *t, struct exec_plan *plan,
                                                      const Elf64_Phdr *p, struct elf_start *s)
{
    char path[LX_PATH_MAX];
    long n = host_pread(plan->image_fd, path, p->p_filesz, (long)p->p_offset);
    if (n != (long)p->p_filesz)
        return n < 0 ? n : -EIO;
    return open_interp_at(t, plan, path, (size_t)n, s);
}

// The first n bytes of the file have been read to *s, and mostly hold the interpreter's path, which
// p says where it is.
static long open_interp(struct task *t, struct exec_plan *plan, const Elf64_Phdr *p,
                        struct elf_start *s, size_t n)
{
    if (elf_is_whole(s, n) && p->p_offset < n && p->p_filesz <= n - p->p_offset)
        return open_interp_at(t, plan, (char *)s + p->p_offset, p->p_filesz, s);
    return open_far_interp(t, plan, p, s);
}

// Has anybody the file open for writing? A read lease is only given when nobody has (fcntl(2)).
// Where the host does not permit one (another user's file) it cannot be told.
static bool is_written(struct task *t, int fd)
{
    return file_lease(t, fd, F_RDLCK) == -EAGAIN;
}

long exec_prepare(struct task *t, int dirfd, const char *path, int flags, struct exec_plan *plan)
{
    char line[SCRIPT_LINE];
    struct elf_start start;
    Elf64_Phdr interp;
    struct statx st;
    bool by_fd = dirfd != AT_FDCWD && path[0] != '/';
    plan->by_fd_alone = by_fd && !path[0];
    plan->opened = false;
    plan->image_fd = plan->interp_fd = -1;
    plan->argc = plan->scripts = 0;
    plan->room = NULL;
    // What the caller named, as AT_EXECFN and scripts show it (Linux: fs/exec.c, alloc_bprm()).
    char prefix[EXEC_PREFIX] = "";
    if (by_fd)
        fmt(prefix, sizeof prefix, path[0] ? "/dev/fd/%d/" : "/dev/fd/%d", dirfd);
    size_t at = strlen(prefix), size = strlen(path) + 1;
    path = memmove(plan->execfn + at, path, size);
    memcpy(plan->execfn, prefix, at);
    plan->exe = plan->execfn + at + size;
    long n;
    for (;;) {
        long fd = fs_open_exec(t, dirfd, path, flags, &st, plan->exe, &plan->nosuid);
        if (fd < 0)
            return fd;
        plan->image_fd = (s32)fd;
        if (is_written(t, (int)fd))
            return -ETXTBSY;
        plan->opened = true;
        n = elf_read_start((int)fd, &start);
        if (n < 0)
            return n;
        memcpy(line, &start, SCRIPT_LINE);
        if (n < 2 || line[0] != '#' || line[1] != '!')
            break;
        if (++plan->scripts > SCRIPTS_MAX)
            return -ELOOP;
        char *interp, *arg;
        if (n < SCRIPT_LINE)
            memset(line + n, 0, (size_t)(SCRIPT_LINE - n));
        long r = parse_script(line, &interp, &arg);
        if (r != -ENOEXEC && by_fd && plan->scripts == 1 &&
            (host_fcntl(dirfd, F_GETFD, 0) & FD_CLOEXEC))
            return -ENOENT; // the interpreter could not open it
        // argv[0] gives way to: interpreter, its argument, the script's name.
        if (r >= 0 && !plan->argc)
            r = push_arg(plan, plan->execfn);
        if (r >= 0 && arg)
            r = push_arg(plan, arg);
        if (r >= 0)
            r = push_arg(plan, interp);
        if (r < 0)
            return r;
        close_files(plan);
        dirfd = AT_FDCWD;
        path = plan->args[0];
        flags = 0;
    }
    plan->mode = st.stx_mode;
    plan->uid = st.stx_uid;
    plan->gid = st.stx_gid;
    plan->has_caps = META_MORE(&st) & CAPS_HOLD;
    plan->unreadable = may_access(&t->cred, &st, MAY_READ) < 0;
    plan->dev = device_of(&st);
    plan->ino = st.stx_ino;
    long r = elf_find_interp(plan->image_fd, &start, n, &interp);
    return r <= 0 ? r : open_interp(t, plan, &interp, &start, (size_t)n);
}

#define ARG_MAX_STRINGS 0x7fffffffUL // MAX_ARG_STRINGS, and MAX_ARG_STRLEN
#define ARG_MAX_STRLEN (32 * LX_PAGE)
#define ARG_MIN_ROOM (32 * LX_PAGE) // ARG_MAX of <linux/limits.h>
#define ARG_MAX_ROOM (6UL << 20)    // three quarters of the usual stack

// How many strings a vector has.
static long count_strings(uptr vector)
{
    uptr s;
    long n = 0;
    for (; vector; n++) {
        if (copy_from_guest(&s, vector + (u64)n * sizeof s, sizeof s))
            return -EFAULT;
        if (!s)
            break;
        if ((u64)n >= ARG_MAX_STRINGS)
            return -E2BIG;
    }
    return n;
}

// Can its strings be read, from the last to the first, and do they fit into *room?
static long check_strings(uptr vector, long count, u64 *room)
{
    char chunk[256];
    uptr s;
    for (long i = count - 1; i >= 0; i--) {
        if (copy_from_guest(&s, vector + (u64)i * sizeof s, sizeof s))
            return -EFAULT;
        u64 size = 1;
        long n;
        do {
            n = copy_str_from_guest(chunk, s, sizeof chunk);
            s += sizeof chunk;
            size += n < 0 ? sizeof chunk : (u64)n;
        } while (n == -ENAMETOOLONG && size <= ARG_MAX_STRLEN);
        if (n < 0 && n != -ENAMETOOLONG)
            return n;
        if (size > ARG_MAX_STRLEN || size > *room)
            return -E2BIG;
        *room -= size;
    }
    return 0;
}

// Linux: fs/exec.c, do_execveat_common() and bprm_stack_limits().
long exec_check_vectors(const struct exec_plan *plan, uptr argv, uptr envp)
{
    struct rlimit64 stack;
    long args = count_strings(argv);
    if (args < 0)
        return args;
    long env = count_strings(envp);
    if (env < 0)
        return env;
    u64 room = ARG_MIN_ROOM, pointers = (u64)(MAX(args, 1) + env) * sizeof(uptr);
    if (!HOST4(__NR_prlimit64, 0, RLIMIT_STACK, NULL, &stack))
        room = MAX(room, MIN(stack.rlim_cur / 4, ARG_MAX_ROOM));
    if (room <= pointers)
        return -E2BIG;
    room -= pointers;
    size_t name = strlen(plan->execfn) + 1;
    if (room < name)
        return -E2BIG;
    room -= name;
    long r = check_strings(envp, env, &room);
    return r < 0 ? r : check_strings(argv, args, &room);
}

// argv for the new image: the guest's own array, or, for scripts, a copy with the front replaced.
static long new_argv(const struct exec_plan *plan, uptr argv, uptr *out, size_t *size)
{
    uptr arg;
    size_t n = 0;
    *out = argv;
    *size = 0;
    if (!plan->scripts)
        return 0;
    for (; argv; n++) {
        if (copy_from_guest(&arg, argv + n * sizeof arg, sizeof arg))
            return -EFAULT;
        if (!arg)
            break;
        if (n > 0x200000)
            return -E2BIG;
    }
    *size = (n + plan->argc + 2) * sizeof arg;
    uptr *list = arena_alloc(*size);
    if (!list)
        return -ENOMEM;
    for (u32 i = 0; i < plan->argc; i++)
        list[i] = (uptr)plan->args[i];
    if (n > 1 && copy_from_guest(list + plan->argc, argv + sizeof arg, (n - 1) * sizeof arg)) {
        arena_free(list, *size);
        return -EFAULT;
    }
    *out = (uptr)list;
    return 0;
}

static long new_identity(struct task *t, const struct exec_plan *plan, struct exec_state *s)
{
    struct file_caps caps = {0};
    u32 mode = plan->mode;
    if (plan->nosuid)
        mode &= ~(u32)(S_ISUID | S_ISGID);
    else if (plan->has_caps)
        file_caps_read(plan->image_fd, &caps);
    s->cred = t->cred;
    bool secure = false, gained = false;
    long r = cred_exec(&s->cred, mode, plan->uid, plan->gid, &caps, &secure, &gained);
    s->secure = secure;
    s->dumpable = !gained && !plan->unreadable; // Linux: would_dump()
    return r;
}

static const char gone[] = " (deleted)";

// The name of the file itself, without what is said of one that is not there any more.
static u32 put_file_name(struct exec_state *s, const char *exe)
{
    char name[16];
    const char *slash = strrchr(exe, '/');
    const char *base = slash ? slash + 1 : exe;
    size_t n = strlen(base), cut = sizeof gone - 1;
    if (n > cut && !strcmp(base + n - cut, gone))
        n -= cut;
    str_copy(name, base, MIN(n + 1, sizeof name));
    return exec_put_text(s, name);
}

static void fill_state(struct task *t, const struct exec_plan *plan, struct exec_state *s)
{
    s->first = 0;
    s->image_fd = plan->image_fd;
    s->interp_fd = plan->interp_fd;
    s->reserved_count = t->files->reserved_count;
    s->files_low = t->files->low;
    s->umask = t->fs->umask;
    s->personality = t->personality;
    s->cwd_mount = t->fs->cwd_mount;
    s->root_mount = t->fs->root_mount;
    s->pivots = t->fs->pivots;
    s->ns = (struct namespaces){t->fs->mnt_ns, t->uts_ns};
    s->root_dev = t->fs->root_dev;
    s->root_ino = t->fs->root_ino;
    s->sig_blocked = t->sigmask;
    s->eager_masks = t->proc->eager_masks & ~(u32)EAGER_SHARED;
    s->sig_pending = t->sig_pending;
    if (t->sig_pending)
        memcpy(s->pending_info, t->pending_info, sizeof s->pending_info);
    s->sig_ignored = 0;
    for (int sig = 1; sig <= 64; sig++)
        if (t->sighand->action[sig - 1].handler == (uptr)SIG_IGN)
            s->sig_ignored |= SIGSET_BIT(sig);
    tracee_to_exec(t, &s->trace);
    memcpy(s->mount_id, t->files->mount_id, sizeof s->mount_id);
    s->dev = plan->dev;
    s->ino = plan->ino;
    proc_text_runs(t->instance, s->dev, s->ino);
    s->since = t->proc->since;
    s->birth = t->proc->birth;
    s->births = t->births;
    s->cwd_number = t->fs->cwd_number;
    dirs_to_exec(t, s->dir);
    memcpy(s->dirs_asked, t->dirs_asked, sizeof s->dirs_asked);
    s->searches = t->searches;
    s->text_used = 0;
    s->root = exec_put_text(s, t->fs->root);
    s->exe = exec_put_text(s, plan->exe);
    s->execfn = exec_put_text(s, plan->execfn);
    s->comm = plan->by_fd_alone ? put_file_name(s, plan->exe) : s->execfn;
    s->cwd = exec_put_text(s, "");
}

// A memory file, a removed one, or one of a mount that is gone, is found by /proc/self/exe alone:
// it is kept open. Returns what was kept for the program that runs, for release_program(), or -1.
static long hold_program(struct task *t, const struct exec_plan *plan, struct exec_state *s)
{
    int held = reserved_fd(t, RESERVED_PROGRAM);
    size_t n = strlen(plan->exe), cut = sizeof gone - 1;
    bool lost = plan->exe[0] != '/' || (n > cut && !strcmp(plan->exe + n - cut, gone));
    long old = t->proc->holds_program ? host_fcntl(held, F_DUPFD_CLOEXEC, 0) : -1;
    s->holds_program = lost && HOST3(__NR_dup3, plan->image_fd, held, 0) >= 0;
    if (!s->holds_program && t->proc->holds_program)
        reserved_fill(t, RESERVED_PROGRAM);
    return old;
}

// The execve has failed: the program goes on.
static void release_program(struct task *t, const struct exec_state *s, long old)
{
    if (old >= 0) {
        HOST3(__NR_dup3, old, reserved_fd(t, RESERVED_PROGRAM), 0);
        host_close((int)old);
        return;
    }
    t->proc->holds_program = 0; // or there was no number for it
    if (s->holds_program)
        reserved_fill(t, RESERVED_PROGRAM);
}

#define WAITS 20000 // about 3 s

// A free place for the state, the first one: who owns it is said there. Those of processes that
// were killed on the way are taken over when there is no other; one of a process that had our id is
// ours, or the new image would find it.
static u32 *claim_state(struct task *t)
{
    u32 me = t->proc->tgid;
    for (u32 tries = 0; tries < EXECS * WAITS; tries++) {
        u32 *at = &t->instance->exec_owners[tries % EXECS];
        u32 owner = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        if (owner == me || ((!owner || tries >= EXECS) && reserved_claim(at, me)))
            return at;
        if (tries >= EXECS && tries % EXECS == 0)
            patience_step(tries / EXECS);
    }
    return NULL;
}

long exec_commit(struct task *t, struct exec_plan *plan, uptr argv, uptr envp)
{
    uptr list = 0;
    size_t list_size = 0;
    const u64 always = SIG_ALWAYS;
    long r = new_argv(plan, argv, &list, &list_size);
    if (r < 0)
        return r;
    // The way to the program had no room below a low block: the new image does not begin there.
    if (t->low_over && !t->temps)
        files_go_up(t);
    lock_take(&t->proc->exec_lock);
    u32 *owner = claim_state(t);
    struct exec_state *s =
        owner ? exec_state_at(t->instance, (u32)(owner - t->instance->exec_owners)) : NULL;
    r = s ? new_identity(t, plan, s) : -EAGAIN;
    if (r >= 0) {
        s->filters_fd = (s32)filter_to_exec(t);
        r = s->filters_fd < -1 ? s->filters_fd : 0;
    }
    if (s && r < 0)
        reserved_release(owner);
    if (r >= 0) {
        fill_state(t, plan, s);
        long program = hold_program(t, plan, s);
        // The new image has no handlers at first: what a guest ignores or blocks must not kill it
        // then.
        host_sigprocmask(SIG_BLOCK, &always, NULL);
        r = HOST_INTR5(__NR_execveat, reserved_fd(t, RESERVED_LXCORE), "", list, envp,
                       AT_EMPTY_PATH);
        host_sigprocmask(SIG_UNBLOCK, &always, NULL);
        release_program(t, s, program);
        if (s->filters_fd >= 0)
            host_close(s->filters_fd);
        reserved_release(owner);
    }
    lock_drop(&t->proc->exec_lock);
    if (list_size)
        arena_free((void *)list, list_size);
    return r;
}
