// SPDX-License-Identifier: MIT
// /proc/PID/maps and smaps: without lxcore's own range and the slots of rewritten code, with guest
// paths, and with the file itself where rewritten text of it is mapped (include/rewrite.h).
#include "host.h"
#include "proc.h"
#include "rewrite.h"

#define HEADER_FIELDS 5 // range, permissions, offset, device, inode stand before the path

static u64 hex_until(const char **s)
{
    u64 v = 0;
    for (;; ++*s) {
        char c = **s;
        if (c >= '0' && c <= '9')
            v = v << 4 | (u64)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (u64)(c - 'a' + 10);
        else
            return v;
    }
}

// The numbers that an entry begins with: "from-to perm offset ...".
struct entry {
    u64 from, to, offset;
    char perm[5];
    bool guard;       // its protection is not what the program asked for
    const char *tail; // device, inode and path
};

// Is the line the beginning of an entry? The lines of smaps between them begin with a capital
// letter.
static bool parse_entry(const char *line, struct entry *e)
{
    const char *p = line;
    e->from = hex_until(&p);
    if (p == line || *p++ != '-')
        return false;
    e->to = hex_until(&p);
    if (strlen(p) < 8)
        return false;
    str_copy(e->perm, p + 1, sizeof e->perm);
    p += 6;
    e->offset = hex_until(&p);
    e->guard = false;
    e->tail = p;
    return true;
}

// The kernel's text of a path has no newline, but a drive's name may be shown with one.
static void put_path(struct proc_out *o, const char *path)
{
    for (const char *end; (end = strchr(path, '\n')); path = end + 1) {
        proc_put(o, path, (size_t)(end - path));
        proc_puts(o, "\\012");
    }
    proc_puts(o, path);
}

// Where the path of an entry begins, NULL for one without.
static char *path_of_entry(char *line)
{
    char *p = proc_skip_words(line, HEADER_FIELDS);
    return *p == '/' ? p : NULL;
}

// Kernel objects that look like files but lie in no mount.
static bool is_file(const char *path)
{
    static const char *const objects[] = {"/memfd:", "/SYSV", "/dev/zero (deleted)", "/[aio]",
                                          "/anon_hugepage"};
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        if (str_starts(path, objects[i]))
            return false;
    return true;
}

// ---- Rewritten text ----

struct cache {
    char dir[LX_PATH_MAX]; // its host path and a slash, "" for none
    size_t len;
    // The last mapping of a file that was shown: where it ends, the offset there, its tail (or that
    // of the entry beside) and whether it was text in the cache. 0: none that tells of the next.
    u64 end, offset;
    char tail[LX_PATH_MAX];
    bool text;
    // The entry that such text was of, and what that begins with. Text whose protection was changed
    // page by page is many mappings of one entry.
    char name[96];
    bool known;
    struct rewrite_entry entry;
};

static void find_cache(struct task *t, struct cache *c)
{
    c->dir[0] = c->name[0] = 0;
    c->end = 0;
    if (!t->instance->has_cache)
        return;
    long n = host_link_of_fd(t, reserved_fd(t, RESERVED_CACHE), c->dir, sizeof c->dir - 1);
    c->len = n > 0 ? (size_t)n : 0;
    str_copy(c->dir + c->len, n > 0 ? "/" : "", 2);
    c->len += n > 0;
}

static bool is_cached(const struct cache *c, const char *path)
{
    return c->dir[0] && path && str_starts(path, c->dir);
}

// Reads what an entry begins with; false: it is gone.
static bool read_entry(struct task *t, const char *name, struct rewrite_entry *e)
{
    long fd = temp_open(t, reserved_fd(t, RESERVED_CACHE), name, O_RDONLY, WALK_RESOLVE);
    if (fd < 0)
        return false;
    long n = host_pread((int)fd, e, sizeof *e, 0);
    temp_close(t, (int)fd);
    return n == (long)sizeof *e && e->magic == REWRITE_MAGIC;
}

// Is that in pages that lxcore keeps from being executable (include/rewrite.h)?
static bool is_guard(const struct rewrite_entry *e, u64 vaddr)
{
    for (u64 i = 0; i < MIN(e->guards, (u64)REWRITE_GUARDS); i++)
        if (vaddr - e->guard[i].vaddr < e->guard[i].size)
            return true;
    return false;
}

// Says of a mapping of the entry's pages where in the file they come from, and the protection that
// the program asked for.
static bool find_original(const struct rewrite_entry *e, struct entry *to)
{
    for (u32 i = 0; i < MIN(e->segments, (u32)REWRITE_SEGMENTS); i++) {
        const struct rewrite_segment *s = &e->segment[i];
        u64 text = to->offset - s->text_at, original = to->offset - s->original_at;
        if (text >= s->size && original >= s->size)
            continue;
        to->guard = text < s->size && to->perm[2] == '-' && is_guard(e, s->vaddr + text);
        if (to->guard)
            to->perm[2] = 'x';
        to->offset = s->file_offset + (text < s->size ? text : original);
        return true;
    }
    return false;
}

// The mapping before or behind `text` is of the same file: what the kernel says of that one. Files
// are mostly laid out as memory is, so its offset tells that of `text` where nothing else does.
static bool find_beside(struct task *t, const struct proc_path *pp, struct entry *text,
                        bool knows_offset, struct cache *c)
{
    struct proc_lines in = {.fd = (int)proc_host_open(t, pp, "maps")};
    struct entry e;
    c->tail[0] = 0;
    c->end = 0;
    if (in.fd < 0)
        return false;
    for (char *line; (line = proc_line(&in));) {
        const char *path = path_of_entry(line);
        if (!parse_entry(line, &e) || !path || is_cached(c, path))
            continue;
        if (e.to <= text->from || !c->tail[0] || e.from == text->to) {
            str_copy(c->tail, e.tail, sizeof c->tail);
            if (!knows_offset)
                text->offset = e.offset + (text->from - e.from);
        }
        if (e.to == text->from || e.from >= text->to)
            break;
    }
    host_close(in.fd);
    return c->tail[0];
}

// Makes of an entry of text in the cache, at `path`, what it would be without that. False: nothing
// is to be shown.
static bool uncache(struct task *t, const struct proc_path *pp, struct cache *c, struct entry *e,
                    const char *path)
{
    if (e->offset == REWRITE_SLOTS_AT)
        return false;
    const char *name = path + c->len;
    bool same = !strcmp(name, c->name);
    if (!same) {
        str_copy(c->name, name, sizeof c->name);
        c->known = read_entry(t, name, &c->entry);
    }
    bool follows = c->end && (c->text ? same : c->end == e->from);
    bool knows_offset = c->known && find_original(&c->entry, e);
    if (follows && !knows_offset)
        e->offset = c->offset + (e->from - c->end);
    if (!follows && !find_beside(t, pp, e, knows_offset, c))
        return true;
    e->tail = c->tail;
    c->end = e->to;
    c->offset = e->offset + (e->to - e->from);
    c->text = true;
    return true;
}

// ---- The file ----

struct maps {
    struct task *t;
    struct proc_out *o;
    struct cache cache;
    struct entry held; // of text in the cache, not written yet: `to` is 0 where there is none
    // Entries of one file follow one another: its path is translated once.
    char host[LX_PATH_MAX], guest[LX_PATH_MAX], line[LX_PATH_MAX + 128];
};

static void put_line(struct maps *m, char *line, bool header)
{
    char *path = header ? path_of_entry(line) : NULL;
    if (path && is_file(path)) {
        if (strcmp(path, m->host) != 0) {
            str_copy(m->host, path, sizeof m->host);
            if (path_to_guest(m->t, path, overlay_of_host_path(m->t, path), m->guest,
                              sizeof m->guest) < 0)
                str_copy(m->guest, m->host, sizeof m->guest);
        }
        proc_put(m->o, line, (size_t)(path - line));
        put_path(m->o, m->guest);
    } else {
        proc_puts(m->o, line);
    }
    proc_puts(m->o, "\n");
}

static void put_held(struct maps *m)
{
    const struct entry *e = &m->held;
    if (!e->to)
        return;
    fmt(m->line, sizeof m->line, "%08lx-%08lx %s %08lx%s", e->from, e->to, e->perm, e->offset,
        e->tail);
    m->held.to = 0;
    put_line(m, m->line, true);
}

// Does it go on where the held one ends, as one mapping without lxcore's guards?
static bool joins(struct maps *m, const struct entry *e, const char *path)
{
    struct entry next = *e;
    struct cache *c = &m->cache;
    if (m->held.to != e->from || !c->known || strcmp(path + c->len, c->name) != 0 ||
        !find_original(&c->entry, &next) || next.guard == m->held.guard ||
        strcmp(next.perm, m->held.perm) != 0 ||
        next.offset - m->held.offset != next.from - m->held.from)
        return false;
    m->held.to = c->end = next.to;
    m->held.guard = next.guard;
    c->offset = next.offset + (next.to - next.from);
    return true;
}

// An entry of text in the cache, which the line begins. False: nothing of it is shown.
static bool put_text(struct maps *m, const struct proc_path *pp, struct entry *e, char *line)
{
    const char *path = path_of_entry(line);
    bool alone = pp->rest[0] == 's'; // in smaps the lines that say more of it follow
    if (!alone && joins(m, e, path))
        return true;
    put_held(m);
    if (!uncache(m->t, pp, &m->cache, e, path))
        return false;
    if (e->tail != m->cache.tail) {
        put_line(m, line, true);
        return true;
    }
    m->held = *e;
    if (alone)
        put_held(m);
    return true;
}

long proc_make_maps(struct task *t, const struct proc_path *pp, struct proc_out *o)
{
    struct proc_lines in;
    struct maps m = {.t = t, .o = o};
    struct entry e;
    bool hide = false;
    find_cache(t, &m.cache);
    in.at = in.end = 0;
    in.fd = (int)proc_host_open(t, pp, pp->rest);
    if (in.fd < 0)
        return in.fd;
    for (char *line; (line = proc_line(&in));) {
        bool header = parse_entry(line, &e);
        char *path = header ? path_of_entry(line) : NULL;
        if (header)
            hide = e.from >= LX_BASE && e.from < LX_END;
        if (hide)
            continue;
        if (is_cached(&m.cache, path)) {
            hide = !put_text(&m, pp, &e, line);
            continue;
        }
        put_held(&m);
        if (path && m.cache.dir[0]) { // the text may follow, which is looked up so
            m.cache.end = e.to;
            m.cache.offset = e.offset + (e.to - e.from);
            m.cache.text = false;
            str_copy(m.cache.tail, e.tail, sizeof m.cache.tail);
        }
        put_line(&m, line, header);
    }
    put_held(&m);
    host_close(in.fd);
    return 0;
}
