// SPDX-License-Identifier: MIT
// /proc/PID/status: the host's text with identity, signals and seccomp in guest terms. Exact for
// the reader's own process; what lxcore keeps privately (masks, umask, groups) is not known of
// others. And /proc/PID/stat, where the supervisor is process 1.
#include "filter.h"
#include "host.h"
#include "proc.h"
#include "reach.h"

// Identity of the process that is shown.
struct shown {
    const struct cred *own; // set: the reader's own process
    u32 uid[4], gid[4];     // real, effective, saved, filesystem
    u64 inheritable, permitted, effective, bounding, ambient;
};

static void from_cred(struct shown *s, const struct cred *c)
{
    *s = (struct shown){
        .uid = {c->ruid, c->euid, c->suid, c->fsuid},
        .gid = {c->rgid, c->egid, c->sgid, c->fsgid},
        .inheritable = c->cap_inheritable,
        .permitted = c->cap_permitted,
        .effective = c->cap_effective,
        .bounding = c->cap_bounding,
        .ambient = c->cap_ambient,
    };
}

static void from_slot(struct shown *s, const struct proc_slot *p)
{
    *s = (struct shown){
        .uid = {p->ruid, p->euid, p->suid, p->fsuid},
        .gid = {p->rgid, p->egid, p->sgid, p->fsgid},
        .inheritable = p->cap_inheritable,
        .permitted = p->cap_permitted,
        .effective = p->cap_effective,
        .bounding = p->cap_bounding,
        .ambient = p->cap_ambient,
    };
}

static void put_groups(struct proc_out *o, const struct shown *s)
{
    proc_puts(o, "Groups:\t");
    for (u32 i = 0; s->own && i < s->own->ngroups; i++)
        proc_printf(o, "%u ", s->own->groups[i]);
    if (!s->own)
        proc_printf(o, "%u ", s->gid[1]);
    proc_puts(o, "\n");
}

// Signals whose guest action is to be ignored (caught = false) or to run a handler.
static u64 actions(const struct task *t, bool caught)
{
    u64 set = 0;
    for (int sig = 1; sig <= 64; sig++) {
        uptr h = t->sighand->action[sig - 1].handler;
        if (caught ? h != (uptr)SIG_DFL && h != (uptr)SIG_IGN : h == (uptr)SIG_IGN)
            set |= SIGSET_BIT(sig);
    }
    return set;
}

static u64 hex(const char *s)
{
    u64 v = 0;
    for (;; s++) {
        if (*s >= '0' && *s <= '9')
            v = v << 4 | (u64)(*s - '0');
        else if (*s >= 'a' && *s <= 'f')
            v = v << 4 | (u64)(*s - 'a' + 10);
        else
            return v;
    }
}

static bool put_signals(struct task *t, const struct proc_path *pp, const char *key,
                        const char *value, struct proc_out *o)
{
    bool own = proc_is_own(t, pp);
    u64 host = hex(value), set;
    if (!strcmp(key, "SigPnd"))
        set = host | (pp->tid == t->tid ? t->sig_pending : 0);
    else if (!strcmp(key, "SigBlk"))
        set = pp->tid == t->tid ? t->sigmask : host;
    else if (!strcmp(key, "SigIgn"))
        set = own ? actions(t, false) : host;
    else if (!strcmp(key, "SigCgt"))
        set = own ? actions(t, true) : host & ~SIG_ALWAYS;
    else
        return false;
    proc_printf(o, "%s:\t%016lx\n", key, set);
    return true;
}

static bool put_capabilities(const struct shown *s, const char *key, struct proc_out *o)
{
    const struct {
        const char *key;
        u64 set;
    } rows[] = {{"CapInh", s->inheritable},
                {"CapPrm", s->permitted},
                {"CapEff", s->effective},
                {"CapBnd", s->bounding},
                {"CapAmb", s->ambient}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].key, key) != 0)
            continue;
        proc_printf(o, "%s:\t%016lx\n", key, rows[i].set);
        return true;
    }
    return false;
}

// The supervisor in guest terms: process 1, without a parent.
static bool put_init(struct task *t, const struct proc_path *pp, const char *key, const char *value,
                     struct proc_out *o)
{
    if (!strcmp(key, "PPid")) {
        long parent = str_number(value, strlen(value));
        if (!pp->init && parent != (long)t->instance->supervisor)
            return false;
        proc_printf(o, "PPid:\t%d\n", !pp->init);
    } else if (pp->init && !strcmp(key, "Name")) {
        proc_puts(o, "Name:\t" PROC_INIT_NAME "\n");
    } else if (pp->init && (!strcmp(key, "Tgid") || !strcmp(key, "Pid") || str_starts(key, "NS"))) {
        proc_printf(o, "%s:\t1\n", key);
    } else {
        return false;
    }
    return true;
}

// One line "key:\tvalue"; false: the host's own is right.
static bool put_line(struct task *t, const struct proc_path *pp, const struct shown *s,
                     const char *key, const char *value, struct proc_out *o)
{
    if (!strcmp(key, "Umask")) {
        proc_printf(o, "Umask:\t%04o\n", s->own ? t->fs->umask : 022);
    } else if (!strcmp(key, "Uid") || !strcmp(key, "Gid")) {
        const u32 *id = *key == 'U' ? s->uid : s->gid;
        proc_printf(o, "%s:\t%u\t%u\t%u\t%u\n", key, id[0], id[1], id[2], id[3]);
    } else if (!strcmp(key, "Groups")) {
        put_groups(o, s);
    } else if (!strcmp(key, "TracerPid")) {
        long tracer = str_number(value, strlen(value));
        proc_printf(o, "TracerPid:\t%ld\n",
                    tracer > 0 && reach_process(t, (u32)tracer) ? tracer : 0);
    } else if (!strcmp(key, "NoNewPrivs")) {
        proc_printf(o, "NoNewPrivs:\t%u\n", s->own ? s->own->no_new_privs : 0);
    } else if (!strcmp(key, "Seccomp")) {
        proc_printf(o, "Seccomp:\t%u\n", s->own ? t->seccomp_mode : 0u);
    } else if (!strcmp(key, "Seccomp_filters")) {
        proc_printf(o, "Seccomp_filters:\t%u\n", s->own ? filter_count(t) : 0);
    } else {
        return put_init(t, pp, key, value, o) || put_signals(t, pp, key, value, o) ||
               put_capabilities(s, key, o);
    }
    return true;
}

long proc_make_status(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in;
    struct shown s;
    const struct proc_slot *slot = proc_find(t->instance, pp->tgid);
    // A child that has not made its record yet still has the identity that it was forked with.
    if (pp->init)
        s = (struct shown){
            .permitted = CAP_FULL_SET, .effective = CAP_FULL_SET, .bounding = CAP_FULL_SET};
    else if (proc_is_own(t, pp) || !slot)
        from_cred(&s, &t->cred);
    else
        from_slot(&s, slot);
    if (proc_is_own(t, pp))
        s.own = &t->cred;
    in.at = in.end = 0;
    in.fd = (int)proc_host_open(t, pp, "status");
    if (in.fd < 0)
        return in.fd;
    for (char *line; (line = proc_line(&in));) {
        char *colon = strchr(line, ':');
        if (colon) {
            *colon = 0;
            const char *value = colon + 1;
            while (*value == '\t' || *value == ' ')
                value++;
            if (put_line(t, pp, &s, line, value, o))
                continue;
            *colon = ':';
        }
        proc_puts(o, line);
        proc_puts(o, "\n");
    }
    host_close(in.fd);
    return 0;
}

// proc_pid_stat(5): "PID (COMM) STATE PPID PGRP SESSION ..."; COMM may hold anything. -ENOSYS where
// the host's own text is right, which stays current while it is open.
long proc_make_stat(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in = {.fd = (int)proc_host_open(t, pp, "stat")};
    if (in.fd < 0)
        return in.fd;
    u32 supervisor = t->instance->supervisor;
    char *line = proc_line(&in), *end = line ? strrchr(line, ')') : NULL;
    long r = -ENOSYS;
    if (end && end[1] == ' ' && end[2] && end[3] == ' ') {
        const char *parent = end + 4, *rest = strchr(parent, ' ');
        bool child = rest && str_number(parent, (size_t)(rest - parent)) == (long)supervisor;
        end[3] = 0;
        // Its group and session are its own.
        if (pp->init && rest && (rest = strchr(rest + 1, ' ')) && (rest = strchr(rest + 1, ' ')))
            proc_printf(o, "1 (" PROC_INIT_NAME "%s 0 1 1%s\n", end, rest);
        else if (child)
            proc_printf(o, "%s 1%s\n", line, rest);
        r = pp->init || child ? 0 : -ENOSYS;
    }
    host_close(in.fd);
    return r;
}
