// SPDX-License-Identifier: MIT
// Filters that guest threads have put on their own system calls: programs of classic BPF, checked
// when they are installed and run by the dispatcher before each call (seccomp(2);
// Documentation/userspace-api/seccomp_filter.rst). The host's kernel does not see them: to it
// lxcore's own calls would be the guest's.
//
// As Linux keeps them: a thread has the newest, each names the one before, and none ever changes,
// so that threads and processes share what they have inherited. A fork copies them with the memory;
// over execve they go by a file, whose descriptor is in exec_state.
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "filter.h"
#include "host.h"
#include "uaccess.h"

// kernel/seccomp.c: MAX_INSNS_PER_PATH. Linux counts after its translation to its own BPF.
#define MOST_INSTRUCTIONS 32768
#define EACH_COSTS 4

struct seccomp_filter {
    struct seccomp_filter *before;
    u32 refs; // threads, and the filter behind
    u32 count;
    struct sock_filter code[];
};

static struct lock lock;

struct lock *filter_lock(void)
{
    return &lock;
}

static size_t size_of(u32 count)
{
    return sizeof(struct seccomp_filter) + count * sizeof(struct sock_filter);
}

// ---- Checks ----

// What seccomp allows of classic BPF (kernel/seccomp.c: seccomp_check_filter).
static bool is_allowed(const struct sock_filter *i)
{
    switch (i->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return i->k < sizeof(struct seccomp_data) && i->k % 4 == 0;
    case BPF_ALU | BPF_DIV | BPF_K:
        return i->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return i->k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return i->k < BPF_MEMWORDS;
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_ALU | BPF_ADD | BPF_K:
    case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K:
    case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K:
    case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K:
    case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K:
    case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K:
    case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_X:
    case BPF_ALU | BPF_NEG:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_JMP | BPF_JA:
    case BPF_JMP | BPF_JEQ | BPF_K:
    case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K:
    case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K:
    case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K:
    case BPF_JMP | BPF_JSET | BPF_X:
        return true;
    }
    return false;
}

// Jumps lead forward and not out, what is read of M[] was written on every way there, and the last
// instruction returns (net/core/filter.c: bpf_check_classic, check_load_and_stores). Where a way
// leads that is known by then, so one pass is enough.
static bool is_valid(const struct sock_filter *code, u32 count)
{
    u16 written[BPF_MAXINSNS]; // of M[], on all ways that jump to an instruction
    u16 now = 0;
    memset(written, 0xff, sizeof written);
    for (u32 at = 0; at < count; at++) {
        const struct sock_filter *i = &code[at];
        const u32 left = count - at - 1;
        if (!is_allowed(i))
            return false;
        now &= written[at];
        switch (BPF_CLASS(i->code)) {
        case BPF_ST:
        case BPF_STX:
            now |= (u16)(1u << i->k);
            break;
        case BPF_LD:
        case BPF_LDX:
            if (BPF_MODE(i->code) == BPF_MEM && !(now >> i->k & 1))
                return false;
            break;
        case BPF_JMP: {
            bool always = BPF_OP(i->code) == BPF_JA;
            u32 to = always ? i->k : i->jt, or = always ? i->k : i->jf;
            if (to >= left || or >= left)
                return false;
            written[at + 1 + to] &= now;
            written[at + 1 + or ] &= now;
            now = 0xffff;
        }
        }
    }
    return BPF_CLASS(code[count - 1].code) == BPF_RET;
}

// ---- Running ----

static u32 compute(u16 code, u32 a, u32 k)
{
    switch (BPF_OP(code)) {
    case BPF_ADD:
        return a + k;
    case BPF_SUB:
        return a - k;
    case BPF_MUL:
        return a * k;
    case BPF_DIV:
        return a / k;
    case BPF_AND:
        return a & k;
    case BPF_OR:
        return a | k;
    case BPF_XOR:
        return a ^ k;
    case BPF_LSH:
        return a << (k & 31);
    case BPF_RSH:
        return a >> (k & 31);
    }
    return -a; // BPF_NEG
}

// How far it jumps.
static u32 jump(const struct sock_filter *i, u32 a, u32 k)
{
    bool is = false;
    switch (BPF_OP(i->code)) {
    case BPF_JA:
        return i->k;
    case BPF_JEQ:
        is = a == k;
        break;
    case BPF_JGT:
        is = a > k;
        break;
    case BPF_JGE:
        is = a >= k;
        break;
    case BPF_JSET:
        is = a & k;
        break;
    }
    return is ? i->jt : i->jf;
}

static u32 load(const struct sock_filter *i, const struct seccomp_data *d, const u32 *m)
{
    u32 v = i->k; // BPF_IMM
    if (BPF_MODE(i->code) == BPF_ABS)
        memcpy(&v, (const char *)d + i->k, sizeof v);
    else if (BPF_MODE(i->code) == BPF_LEN)
        v = sizeof *d;
    else if (BPF_MODE(i->code) == BPF_MEM)
        v = m[i->k];
    return v;
}

static u32 run(const struct sock_filter *i, const struct seccomp_data *d)
{
    u32 a = 0, x = 0, m[BPF_MEMWORDS];
    for (;; i++) {
        const u32 k = BPF_SRC(i->code) == BPF_X ? x : i->k; // of ALU and JMP
        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
            a = load(i, d, m);
            break;
        case BPF_LDX:
            x = load(i, d, m);
            break;
        case BPF_ST:
            m[i->k] = a;
            break;
        case BPF_STX:
            m[i->k] = x;
            break;
        case BPF_MISC:
            if (BPF_MISCOP(i->code) == BPF_TAX)
                x = a;
            else
                a = x;
            break;
        case BPF_JMP:
            i += jump(i, a, k);
            break;
        case BPF_ALU:
            if (BPF_OP(i->code) == BPF_DIV && !k)
                return 0; // the program's result: SECCOMP_RET_KILL_THREAD
            a = compute(i->code, a, k);
            break;
        case BPF_RET:
            return BPF_RVAL(i->code) == BPF_A ? a : i->k;
        }
    }
}

u32 filter_run(const struct task *t)
{
    const struct regs *r = &t->regs;
    const struct seccomp_data d = {.nr = (int)r->orig_rax,
                                   .arch = AUDIT_ARCH_X86_64,
                                   .instruction_pointer = r->rip,
                                   .args = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9}};
    // The one with the highest precedence, which are ordered as signed numbers; of equal ones the
    // newest's.
    u32 least = SECCOMP_RET_ALLOW;
    const struct seccomp_filter *f = __atomic_load_n(&t->seccomp, __ATOMIC_ACQUIRE);
    for (; f; f = f->before) {
        u32 said = run(f->code, &d);
        if ((s32)(said & SECCOMP_RET_ACTION_FULL) < (s32)(least & SECCOMP_RET_ACTION_FULL))
            least = said;
    }
    return least;
}

// ---- Who has which ----

static struct seccomp_filter *keep(struct seccomp_filter *f)
{
    if (f)
        __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

static void drop(struct seccomp_filter *f)
{
    while (f && !__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL)) {
        struct seccomp_filter *before = f->before;
        arena_free(f, size_of(f->count));
        f = before;
    }
}

// t may run meanwhile: it finds the filter when it finds the mode. Takes over the caller's
// reference.
static void give(struct task *t, struct seccomp_filter *f)
{
    struct seccomp_filter *old = t->seccomp;
    __atomic_store_n(&t->seccomp, f, __ATOMIC_RELEASE);
    __atomic_store_n(&t->seccomp_mode, f ? SECCOMP_MODE_FILTER : 0, __ATOMIC_RELEASE);
    drop(old); // which a running one does not lose: it is before f
}

struct syncing {
    const struct task *from;
    struct seccomp_filter *filter;
    u32 fails; // thread id
};

static void may_sync(struct task *t, void *arg)
{
    struct syncing *s = arg;
    const struct seccomp_filter *f = s->from->seccomp;
    if (t->seccomp_mode == SECCOMP_MODE_FILTER)
        while (f && f != t->seccomp)
            f = f->before;
    if (t->seccomp_mode == SECCOMP_MODE_STRICT || (t->seccomp_mode && !f))
        s->fails = t->tid;
}

static void sync(struct task *t, void *arg)
{
    struct syncing *s = arg;
    give(t, keep(s->filter));
    if (s->from->cred.no_new_privs)
        t->cred.no_new_privs = 1;
}

static long attach(struct task *t, struct seccomp_filter *f, u32 flags)
{
    struct syncing s = {.from = t, .filter = f};
    u32 total = f->count;
    if (t->seccomp_mode == SECCOMP_MODE_STRICT)
        return -EINVAL;
    for (const struct seccomp_filter *o = t->seccomp; o; o = o->before)
        total += o->count + EACH_COSTS;
    if (total > MOST_INSTRUCTIONS)
        return -ENOMEM;
    if (flags & SECCOMP_FILTER_FLAG_TSYNC)
        task_each_other(t, may_sync, &s);
    if (s.fails)
        return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : (long)s.fails;
    f->before = keep(t->seccomp);
    give(t, f);
    if (flags & SECCOMP_FILTER_FLAG_TSYNC)
        task_each_other(t, sync, &s);
    return 0;
}

long filter_attach(struct task *t, const struct sock_fprog *program, u32 flags)
{
    const size_t bytes = program->len * sizeof program->filter[0];
    struct seccomp_filter *f = arena_alloc(size_of(program->len));
    if (!f)
        return -ENOMEM;
    f->refs = 1;
    f->count = program->len;
    long r = -EFAULT;
    if (!copy_from_guest(f->code, (uptr)program->filter, bytes))
        r = is_valid(f->code, f->count) ? 0 : -EINVAL;
    if (!r) {
        lock_take(&lock);
        r = attach(t, f, flags);
        lock_drop(&lock);
    }
    if (r)
        drop(f);
    return r;
}

u32 filter_count(const struct task *t)
{
    u32 n = 0;
    for (const struct seccomp_filter *f = t->seccomp; f; f = f->before)
        n++;
    return n;
}

// What another thread gives t meanwhile comes before or after, not in between.
void filter_inherit(struct task *t, struct task *c)
{
    lock_take(&lock);
    if (t->seccomp_mode) {
        give(c, keep(t->seccomp));
        c->seccomp_mode = t->seccomp_mode;
        c->cred.no_new_privs = t->cred.no_new_privs;
    }
    lock_drop(&lock);
}

void filter_release(struct task *t)
{
    drop(t->seccomp);
    t->seccomp = NULL;
}

// ---- Over execve ----

// Each filter as its count, and 4 bytes of nothing, with the code behind; the newest first.
struct carried {
    u32 count, unused;
};

static bool put(int fd, const void *data, size_t size)
{
    return host_write(fd, data, size) == (long)size;
}

long filter_to_exec(const struct task *t)
{
    if (!t->seccomp)
        return -1;
    int reader;
    long fd = host_scratch("lxrun-seccomp", 0, t->instance->writes_limited, &reader);
    bool done = fd >= 0;
    for (const struct seccomp_filter *f = t->seccomp; f && done; f = f->before) {
        struct carried c = {f->count, 0};
        done = put((int)fd, &c, sizeof c) && put((int)fd, f->code, f->count * sizeof f->code[0]);
    }
    if (reader >= 0) {
        host_close((int)fd);
        fd = reader;
    } else if (done) {
        HOST3(__NR_lseek, fd, 0, 0 /* SEEK_SET */);
    }
    if (fd >= 0 && !done)
        host_close((int)fd);
    return done ? fd : -ENOMEM;
}

void filter_from_exec(struct task *t, s32 fd)
{
    struct seccomp_filter **link = &t->seccomp;
    struct carried c;
    while (host_read(fd, &c, sizeof c) == sizeof c) {
        struct seccomp_filter *f = arena_alloc(size_of(c.count));
        const size_t bytes = c.count * sizeof f->code[0];
        if (!f || host_read(fd, f->code, bytes) != (long)bytes)
            die("no memory for the program's seccomp filters");
        f->refs = 1;
        f->count = c.count;
        *link = f;
        link = &f->before;
    }
    t->seccomp_mode = SECCOMP_MODE_FILTER;
    host_close(fd);
}
