// SPDX-License-Identifier: MIT
// Start of lxcore in a process: what the host's execve leaves (a stack with the guest's own
// arguments and environment, and lxcore's auxiliary vector) becomes what a Linux program finds.
#include <linux/auxvec.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/prctl.h>

#include "filter.h"
#include "fs.h"
#include "host.h"
#include "loader.h"
#include "memory.h"
#include "rewritten.h"
#include "signal.h"
#include "tracee.h"
#include "trap.h"
#include "vdso.h"

#define HWCAP2_FSGSBASE (1UL << 1)
#define PIE_BASE 0x555555554000UL
#define PIE_RANDOM_PAGES 0x10000000UL
#define BRK_RANDOM 0x02000000UL
#define STACK_USED 0x6000 // of the runtime stack, by a start and most calls after it
// Newer than some installed headers.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif

struct start {
    u64 *sp; // where argc stands
    u64 argc;
    char **argv, **envp;
    u64 *auxv; // pairs, ended by AT_NULL
};

extern const char lxcore_start_end[]; // of the variables that every start writes to

// From start.S, on the guest's stack: the first thread's block. Its task is all zeroes yet.
struct task *start_early(void)
{
    // One call for many pages is cheaper than a fault for each (since Linux 5.14).
    uptr from = (uptr)first_block + TASK_BLOCK - LX_PAGE - STACK_USED;
    uptr end = ALIGN_UP((uptr)lxcore_start_end, LX_PAGE);
    HOST3(__NR_madvise, from, end - from, MADV_POPULATE_WRITE);
    return task_init(first_block);
}

static void find_vectors(struct start *s, u64 *sp)
{
    s->sp = sp;
    s->argc = sp[0];
    s->argv = (char **)(sp + 1);
    s->envp = s->argv + s->argc + 1;
    char **p = s->envp;
    while (*p)
        p++;
    s->auxv = (u64 *)(p + 1);
}

static u64 *aux_find(const struct start *s, u64 type)
{
    for (u64 *a = s->auxv; a[0] != AT_NULL; a += 2)
        if (a[0] == type)
            return a + 1;
    return NULL;
}

static u64 aux_get(const struct start *s, u64 type)
{
    u64 *v = aux_find(s, type);
    return v ? *v : 0;
}

static void aux_set(const struct start *s, u64 type, u64 value)
{
    u64 *v = aux_find(s, type);
    if (v)
        *v = value;
}

// Where an image and its heap are put, in pages.
struct random {
    u64 base, brk;
};

static struct random random_places(const struct task *t)
{
    struct random r = {0};
    if (!(t->personality & ADDR_NO_RANDOMIZE))
        HOST3(__NR_getrandom, &r, sizeof r, 0);
    r.base = r.base % PIE_RANDOM_PAGES * LX_PAGE;
    r.brk = r.brk % (BRK_RANDOM / LX_PAGE) * LX_PAGE;
    return r;
}

// "/dev/fd/N" is what the kernel calls a program run by descriptor: N is the first reserved number.
static s32 reserved_block(const struct start *s)
{
    const char *fn = (const char *)aux_get(s, AT_EXECFN);
    long n = fn && str_starts(fn, "/dev/fd/") ? str_number(fn + 8, strlen(fn + 8)) : -1;
    if (n < 0)
        die("lxcore is the runtime of lxrun; start programs with lxrun");
    return (s32)n;
}

static struct instance *map_instance(s32 reserved)
{
    long r = host_mmap(LX_SHARED, sizeof(struct instance), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE,
                       reserved + RESERVED_INSTANCE, 0);
    if (r < 0)
        die("cannot map the instance's memory (errno %ld)", -r);
    struct instance *in = (struct instance *)r;
    if (in->magic != INSTANCE_MAGIC)
        die("lxrun and lxcore are not of the same version");
    return in;
}

// What the image before has left for this process: its index.
static u32 find_state(const struct instance *in, u32 tgid)
{
    u32 i = exec_find(in, tgid);
    if (i == EXECS)
        die("no start-up state");
    return i;
}

_Static_assert(sizeof((struct task *)0)->pending_info ==
                   sizeof((struct exec_state *)0)->pending_info,
               "one is copied to the other");
// The host has already reset handlers and kept SIG_IGN; the records follow.
static void take_signals(struct task *t, const struct exec_state *s)
{
    t->sigmask = s->sig_blocked;
    if (s->first)
        host_sigprocmask(SIG_BLOCK, NULL, &t->sigmask);
    t->real_mask = signal_real_mask(t->sigmask);
    t->sig_pending = s->sig_pending;
    if (s->sig_pending)
        memcpy(t->pending_info, s->pending_info, sizeof t->pending_info);
    for (int sig = 1; sig <= 64; sig++) {
        bool ignored = s->sig_ignored >> (sig - 1) & 1;
        if (s->first) {
            struct ksigaction a = {0};
            HOST4(__NR_rt_sigaction, sig, NULL, &a, 8);
            ignored = a.handler == (uptr)SIG_IGN;
        }
        if (ignored)
            t->sighand->action[sig - 1].handler = (uptr)SIG_IGN;
    }
}

// What the task and its objects have from the image before.
static void take_state(struct task *t, const struct start *s, const struct exec_state *state,
                       u32 tgid, s32 reserved)
{
    struct process_objects *o = &first_objects;
    struct proc *p = &((struct task_room *)t)->proc;
    t->is_first = 1;
    t->proc = p;
    t->files = &o->files;
    t->fs = &o->fs;
    t->sighand = &o->sighand;
    o->files.refs = o->fs.refs = o->sighand.refs = 1;
    t->tid = p->tgid = tgid;
    p->fsgsbase = (aux_get(s, AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
    p->dumpable = state->dumpable;
    p->eager_masks = state->eager_masks;
    p->holds_program = state->holds_program;
    p->dev = state->dev;
    p->ino = state->ino;
    p->since = state->since;
    p->birth = state->birth;
    t->births = state->births;
    static char long_exe[LX_PATH_MAX] __attribute__((section(".bss.long_exe")));
    p->exe = strlen(state->text + state->exe) < sizeof o->short_exe ? o->short_exe : long_exe;
    str_copy(p->exe, state->text + state->exe, LX_PATH_MAX);
    xstate_init(t, false);
    o->files.reserved = reserved;
    o->files.reserved_count = state->reserved_count;
    o->files.low = state->files_low;
    memcpy(o->files.mount_id, state->mount_id, sizeof o->files.mount_id);
    o->fs.umask = state->umask;
    memcpy(o->files.dir, state->dir, sizeof o->files.dir);
    memcpy(t->dirs_asked, state->dirs_asked, sizeof t->dirs_asked);
    t->searches = state->searches;
    o->fs.cwd_mount = state->cwd_mount;
    o->fs.cwd_number = state->cwd_number;
    o->fs.root_mount = state->root_mount;
    o->fs.pivots = state->pivots;
    o->fs.mnt_ns = state->ns.mnt;
    t->uts_ns = state->ns.uts;
    o->fs.root_dev = state->root_dev;
    o->fs.root_ino = state->root_ino;
    static char root[ROOT_ROOM] __attribute__((section(".bss.root")));
    o->fs.root_room = root;
    fs_set_root(&o->fs, state->text + state->root);
    t->cred = state->cred;
    t->personality = state->first ? (u32)HOST1(__NR_personality, 0xffffffff) : state->personality;
}

// The name that ps shows: the last component of what was given to execve, or, where that was a
// descriptor alone, the file's own name (Linux: fs/exec.c, comm_from_dentry(), since 6.14).
static void set_comm(const char *path)
{
    char comm[16];
    const char *slash = strrchr(path, '/');
    str_copy(comm, slash ? slash + 1 : path, sizeof comm);
    host_prctl(PR_SET_NAME, (long)comm, 0, 0, 0);
}

// Moves the vectors down to make room for AT_EXECFN's string between them and the strings.
static void place_execfn(struct start *s, const char *execfn)
{
    u64 *end = s->auxv;
    while (end[0] != AT_NULL)
        end += 2;
    end += 2;
    size_t room = ALIGN_UP(strlen(execfn) + 1, 16UL);
    size_t size = (size_t)((char *)end - (char *)s->sp);
    u64 *sp = (u64 *)((char *)s->sp - room);
    memmove(sp, s->sp, size);
    char *text = (char *)sp + size;
    str_copy(text, execfn, room);
    find_vectors(s, sp);
    aux_set(s, AT_EXECFN, (u64)text);
}

// Tells the kernel where the guest's parts are: brk works natively then, and so do [heap] and
// /proc/PID/{cmdline,environ,auxv,stat}. Allowed without privilege (prctl(2), PR_SET_MM_MAP).
static void set_mm(const struct instance *in, const struct start *s, const struct elf *e, u64 bias,
                   u64 brk)
{
    struct prctl_mm_map m = {.exe_fd = ~0u};
    char **p = s->argv;
    const char *last;
    m.start_code = m.end_code = m.start_data = m.end_data = e->lo + bias;
    for (int i = 0; i < e->ehdr.e_phnum; i++) {
        const Elf64_Phdr *h = &e->phdr[i];
        if (h->p_type != PT_LOAD)
            continue;
        u64 end = h->p_vaddr + bias + h->p_filesz;
        if (h->p_flags & PF_X)
            m.end_code = MAX(m.end_code, end);
        m.start_data = MAX(m.start_data, h->p_vaddr + bias);
        m.end_data = MAX(m.end_data, end);
    }
    m.start_brk = m.brk = brk;
    m.start_stack = (u64)s->sp;
    m.arg_start = m.arg_end = s->argc ? (u64)p[0] : aux_get(s, AT_EXECFN);
    if (s->argc) {
        last = p[s->argc - 1];
        m.arg_end = (u64)last + strlen(last) + 1;
    }
    m.env_start = m.env_end = m.arg_end;
    for (p = s->envp; *p; p++)
        m.env_end = (u64)*p + strlen(*p) + 1;
    m.auxv = (void *)s->auxv;
    u64 *a = s->auxv;
    while (a[0] != AT_NULL)
        a += 2;
    m.auxv_size = (u32)((char *)(a + 2) - (char *)s->auxv);
    long r = host_prctl(PR_SET_MM, PR_SET_MM_MAP, (long)&m, sizeof m, 0);
    if (r < 0 && in->verbose)
        log_line("PR_SET_MM_MAP failed (errno %ld): brk will not work", -r);
}

// Do later segments lie over pages of segment i, as in no file that a linker makes?
static bool is_covered(const struct elf *e, int i)
{
    u64 from = ALIGN_DOWN(e->phdr[i].p_vaddr, LX_PAGE);
    u64 to = e->phdr[i].p_vaddr + e->phdr[i].p_filesz;
    while (++i < e->ehdr.e_phnum) {
        const Elf64_Phdr *p = &e->phdr[i];
        if (p->p_type == PT_LOAD && ALIGN_DOWN(p->p_vaddr, LX_PAGE) < ALIGN_UP(to, LX_PAGE) &&
            p->p_vaddr + p->p_memsz > from)
            return true;
    }
    return false;
}

// Rewritten text, where the cache has it.
static void overlay(struct task *t, int fd, const struct elf *e, u64 bias)
{
    for (int i = 0; i < e->ehdr.e_phnum; i++) {
        const Elf64_Phdr *p = &e->phdr[i];
        u64 start = ALIGN_DOWN(p->p_vaddr, LX_PAGE);
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        if (is_covered(e, i) ||
            !rewritten_overlay(t, fd, start + bias, p->p_vaddr + p->p_filesz - start, elf_prot(p),
                               false, p->p_offset - (p->p_vaddr - start)))
            task_need_engine(t);
    }
}

// An image that cannot be mapped dies as Linux has it: there is no way back.
static __attribute__((noinline)) u64 load_file(struct task *t, int fd, struct elf *e, u64 base)
{
    u64 bias = 0;
    long r = elf_map(fd, e, base, &bias);
    if (r < 0)
        signal_die(t, SIGSEGV);
    overlay(t, fd, e, bias);
    host_close(fd);
    return bias;
}

// Maps the program's interpreter: to *bias, and where it begins. Its headers are on the stack only
// meanwhile.
static __attribute__((noinline)) u64 load_interp(struct task *t, int fd, u64 *bias)
{
    struct elf e;
    if (elf_read(fd, &e) < 0)
        signal_die(t, SIGSEGV);
    *bias = load_file(t, fd, &e, 0);
    return e.ehdr.e_entry + *bias;
}

// A frame of its own: that of load_interp() lies in the same pages.
static __attribute__((noinline)) void load_image(struct task *t, struct start *s,
                                                 const struct exec_state *state, u64 interp_entry,
                                                 u64 interp_bias)
{
    struct elf exe;
    bool has_interp = state->interp_fd >= 0;
    if (elf_read(state->image_fd, &exe) < 0)
        signal_die(t, SIGSEGV);
    // A position-independent file without an interpreter may be one itself (ld.so run by hand): it
    // goes where libraries go, and the heap where programs go (fs/binfmt_elf.c).
    bool pie = exe.ehdr.e_type == ET_DYN, loader = pie && !has_interp;
    const struct random random = random_places(t);
    u64 bias = load_file(t, state->image_fd, &exe, pie && !loader ? PIE_BASE + random.base : 0);
    // A program at a fixed address that was linked with all it needs loads code by itself only to
    // read it, as valgrind does; ld.so, which is run by hand too, is none of these.
    if (!pie && !has_interp)
        memory_keep_text();
    u64 brk = ALIGN_UP(loader ? PIE_BASE + random.base : exe.hi + bias + random.brk, LX_PAGE);

    // The program headers in memory: PT_PHDR, else the segment that holds them.
    u64 phdr = 0;
    for (int i = 0; i < exe.ehdr.e_phnum; i++) {
        const Elf64_Phdr *p = &exe.phdr[i];
        if (p->p_type == PT_PHDR)
            phdr = p->p_vaddr + bias;
        else if (!phdr && p->p_type == PT_LOAD && exe.ehdr.e_phoff >= p->p_offset &&
                 exe.ehdr.e_phoff < p->p_offset + p->p_filesz)
            phdr = exe.ehdr.e_phoff - p->p_offset + p->p_vaddr + bias;
    }
    aux_set(s, AT_PHDR, phdr);
    aux_set(s, AT_PHNUM, exe.ehdr.e_phnum);
    aux_set(s, AT_ENTRY, exe.ehdr.e_entry + bias);
    aux_set(s, AT_BASE, interp_bias);
    aux_set(s, AT_UID, t->cred.ruid);
    aux_set(s, AT_EUID, t->cred.euid);
    aux_set(s, AT_GID, t->cred.rgid);
    aux_set(s, AT_EGID, t->cred.egid);
    aux_set(s, AT_SECURE, state->secure);
    aux_set(s, AT_HWCAP2, aux_get(s, AT_HWCAP2) & ~HWCAP2_FSGSBASE);
    set_mm(t->instance, s, &exe, bias, brk);
    bool exec_stack = exe.stack >= 0 && (exe.stack & PF_X);
    if (exec_stack || (t->personality & READ_IMPLIES_EXEC))
        task_need_engine(t);
    if (exec_stack)
        host_mprotect(ALIGN_DOWN((uptr)s->sp, LX_PAGE), LX_PAGE,
                      PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN);
    memset(&t->regs, 0, sizeof t->regs);
    t->regs.rip = has_interp ? interp_entry : exe.ehdr.e_entry + bias;
    t->regs.rsp = (u64)s->sp;
    t->regs.eflags = 0x202;
}

static const char *env_get(const struct start *s, const char *name)
{
    size_t n = strlen(name);
    for (char **p = s->envp; *p; p++)
        if (!strncmp(*p, name, n) && (*p)[n] == '=')
            return *p + n + 1;
    return NULL;
}

static _Noreturn void cannot_run(const char *name, long error)
{
    static const struct {
        long error;
        const char *text;
    } texts[] = {
        {ENOENT, "not found"},
        {ENOTDIR, "not found (a part of the path is not a directory)"},
        {EACCES, "not executable, or no permission"},
        {ENOEXEC, "not an x86-64 Linux program"},
        {ELIBBAD, "its program interpreter is not a valid x86-64 ELF file"},
        {ELOOP, "too many symbolic links or interpreters"},
        {EISDIR, "is a directory"},
    };
    const char *text = NULL;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].error == -error)
            text = texts[i].text;
    if (text)
        log_line("%s: %s", name, text);
    else
        log_line("%s: cannot be run (errno %ld)", name, -error);
    host_exit_group(error == -ENOENT || error == -ENOTDIR ? 127 : 126);
}

// The instance's first program is named by lxrun, looked up here: in PATH if there is no slash.
static void run_first(struct task *t, struct start *s, const struct exec_state *state, u32 *owner)
{
    struct exec_plan plan;
    char path[LX_PATH_MAX];
    char name[LX_PATH_MAX], cwd[LX_PATH_MAX];
    long r = -ENOENT;
    str_copy(name, state->text + state->execfn, sizeof name);
    str_copy(cwd, state->text + state->cwd, sizeof cwd);
    reserved_release(owner);
    if (cwd[0]) {
        struct open_how how = {.flags = O_PATH | O_DIRECTORY};
        long fd = fs_open(t, AT_FDCWD, cwd, &how);
        if (fd < 0)
            die("%s: no such directory in the guest (errno %ld)", cwd, -fd);
        HOST1(__NR_fchdir, fd);
        t->fs->cwd_mount = fd_mount(t, (int)fd);
        dirs_new_cwd(t);
        fd_set_mount(t, (int)fd, -1);
        host_close((int)fd);
    }
    if (strchr(name, '/')) {
        r = exec_prepare(t, AT_FDCWD, name, 0, &plan);
    } else {
        const char *dirs = env_get(s, "PATH");
        long soft = 0;
        for (dirs = dirs ? dirs : "/bin:/usr/bin"; r < 0; dirs++) {
            size_t n = 0;
            while (dirs[n] && dirs[n] != ':')
                n++;
            if (n + strlen(name) + 2 <= sizeof path) {
                memcpy(path, dirs, n);
                fmt(path + n, sizeof path - n, "%s%s", n ? "/" : "", name);
                r = exec_prepare(t, AT_FDCWD, path, 0, &plan);
                if (r < 0)
                    exec_done(&plan);
                if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                    soft = r; // found, but: goes on as execvp(3) does
            }
            dirs += n;
            if (!*dirs)
                break;
        }
        if (r < 0 && soft)
            r = soft;
    }
    if (r < 0)
        cannot_run(name, r);
    r = exec_commit(t, &plan, (uptr)s->argv, (uptr)s->envp);
    cannot_run(name, r);
}

// From start.S, on the runtime stack; sp: the guest's, as the kernel made it. Leaves in t->regs
// where the guest begins. For the instance's first program it executes lxcore once more, as a
// guest's execve does (run_first()), and does not come back.
void start_guest(struct task *t, u64 *sp)
{
    struct start s;
    find_vectors(&s, sp);
    s32 reserved = reserved_block(&s);
    t->instance = map_instance(reserved);
    t->engine = t->instance->engine;
    t->stats = t->instance->counting ? t->instance->stats : NULL;
    host_fresh_returns = t->instance->fresh_returns;
    host_lacks = t->instance->host_lacks;
    // What exec_commit(), or lxrun, has left for this process.
    u32 tgid = (u32)host_getpid(), index = find_state(t->instance, tgid);
    struct exec_state *state = exec_state_at(t->instance, index);
    u32 *owner = &t->instance->exec_owners[index];
    // A tracer would send a system call of the vDSO's own to the door.
    vdso_init(t->instance->engine == ENGINE_PTRACE ? 0 : aux_get(&s, AT_SYSINFO_EHDR));
    take_state(t, &s, state, tgid, reserved);
    task_set_gs(t);
    take_signals(t, state);
    tracee_from_exec(t, &state->trace);
    if (state->first) {
        if (t->engine != ENGINE_PTRACE) // which stops at each call
            t->instance->fresh_returns = host_try_returns();
        trap_install(t);
        run_first(t, &s, state, owner);
    }
    // What others see of the process, and the engine: before any of its code.
    if (state->filters_fd >= 0)
        filter_from_exec(t, state->filters_fd);
    proc_register(t);
    set_comm(state->text + state->comm);
    place_execfn(&s, state->text + state->execfn);
    signal_init(t);
    task_arm(t);
    signal_unblock(t); // SIG_ALWAYS, which exec_commit() blocks
    // The program and its interpreter.
    u64 interp_bias = 0, entry = 0;
    if (state->interp_fd >= 0)
        entry = load_interp(t, state->interp_fd, &interp_bias);
    load_image(t, &s, state, entry, interp_bias);
    reserved_release(owner); // from here on others see the new image (reach_settled())
    signal_check_pending(t);
}
