// SPDX-License-Identifier: MIT
// Slots, jumps and the entry they stand in (entry.h; the format is in include/rewrite.h).
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entry.h"
#include "layout.h"

#define JUMP 5         // bytes of jmp rel32
#define SHORT_JUMP 2   // of jmp rel8
#define LOWEST 0x10000 // no mapping is below (vm.mmap_min_addr)

// The 32-bit displacement from the end of an instruction to a place.
static void put_displacement(u8 *p, u64 end, u64 place)
{
    s32 d = (s32)(place - end);
    memcpy(p, &d, sizeof d);
}

static bool reaches(u64 end, u64 place)
{
    s64 d = (s64)(place - end);
    return d == (s32)d;
}

// Does what the window names relative to its own address lie near enough to a slot?
static bool reaches_too(const struct rewriting *r, const struct site *s, u64 slot)
{
    s32 to;
    u64 start = s->address - s->window;
    memcpy(&to, image_bytes(&r->image, start + s->relative, sizeof to), sizeof to);
    return reaches(slot, start + (u64)(s64)to);
}

// Gives slots to the sites that move, or that stay and trap. Returns the last one's address.
static u64 place(struct rewriting *r, bool moved, u64 slot)
{
    for (size_t i = 0; i < r->sites.count; i++) {
        struct site *s = &r->sites.site[i];
        if (!site_traps(s) || (s->state == SITE_MOVED) != moved || s->state == SITE_FAR)
            continue;
        if (!reaches(s->address, slot + REWRITE_SLOT) || !reaches(slot, s->address + 2) ||
            (s->relative && !reaches_too(r, s, slot + REWRITE_SLOT))) {
            r->sites.unknown += !s->cpuid;
            s->state = SITE_FAR;
            s->window = 0;
            s->pad = 0;
            continue;
        }
        s->slot = slot += REWRITE_SLOT;
        r->sites.moved += moved;
        r->sites.moved_cpuids += moved && s->cpuid;
    }
    return slot;
}

static const char *place_slots(struct rewriting *r)
{
    u64 n = 2; // the gate, and the end
    for (size_t i = 0; i < r->sites.count; i++)
        n += site_traps(&r->sites.site[i]);
    r->slots_size = ALIGN_UP(n * REWRITE_SLOT, LX_PAGE);
    r->slots = r->image.lo - r->slots_size;
    if (n == 2 && (!r->sites.guards || r->sites.unknown))
        return "no system call can be moved";
    // A library may stand anywhere, also below its own address 0.
    if (r->image.fixed && (r->image.lo < r->slots_size || r->slots < LOWEST))
        return "no room below the program";
    place(r, false, place(r, true, r->slots));
    for (size_t i = 0; i < r->sites.count; i++) // its window must move for the pad of another
        if (r->sites.site[i].host && !r->sites.site[i].slot)
            return site_reasons[SITE_FAR];
    // Traps and guards alone are of use only where they make the file clean.
    if (!r->sites.moved && !r->sites.cpuids && r->sites.unknown)
        return "no system call can be moved";
    return NULL;
}

void rewriting_make(struct rewriting *r, const u8 *file, u64 size)
{
    *r = (struct rewriting){0};
    r->why = image_open(&r->image, file, size);
    if (r->why)
        return;
    r->decoder = decoder_open();
    r->why = "no memory";
    if (!r->decoder || !image_find_functions(&r->image))
        return;
    r->why = sites_find(&r->image, r->decoder, &r->sites);
    if (!r->why)
        r->why = place_slots(r);
    if (r->why)
        r->slots_size = r->sites.moved = 0;
    // A site that could trap and has no slot is as unknown as any.
    r->clean = !r->sites.unknown && (r->slots_size || !(r->sites.count || r->sites.guards));
    if (!r->clean)
        r->sites.guards = 0;
}

void rewriting_nothing(struct rewriting *r)
{
    r->slots_size = r->sites.moved = r->sites.count = r->sites.cpuids = r->sites.guards =
        r->image.lo = 0;
    r->clean = false;
}

void rewriting_free(struct rewriting *r)
{
    decoder_close(r->decoder);
    image_close(&r->image);
    free(r->sites.site);
}

void site_slot(const struct rewriting *r, const struct site *s, u8 slot[REWRITE_SLOT])
{
    const u8 *window = image_bytes(&r->image, s->address - s->window, s->window);
    u8 *p = slot;
    u64 at = s->slot + s->window;
    memset(slot, 0xcc, REWRITE_SLOT);
    memcpy(p, window, s->window);
    if (s->relative) { // moved by the distance to the slot
        s32 to;
        memcpy(&to, p + s->relative, sizeof to);
        to += (s32)(s->address - s->window - s->slot);
        memcpy(p + s->relative, &to, sizeof to);
        slot[REWRITE_SLOT - 2] = s->relative;
    }
    p += s->window;
    memcpy(p, (u8[]){0x48, 0x8d, s->cpuid ? 0x15 : 0x0d}, 3); // lea back(%rip),%rcx or %rdx
    put_displacement(p + 3, at + REWRITE_LEA, s->address + 2);
    p += REWRITE_LEA;
    at += REWRITE_LEA;
    memcpy(p, (u8[]){0xff, 0x25}, 2); // jmp *gate(%rip)
    put_displacement(p + 2, at + REWRITE_JMP, r->slots + (s->cpuid ? sizeof(u64) : 0));
    slot[REWRITE_SLOT - 1] = s->window;
}

void site_jump(const struct site *s, u8 *window)
{
    memset(window, 0xcc, s->window);
    if (s->pad) {
        window[0] = 0xeb; // jmp pad
        window[1] = (u8)(s->pad - (s->address - s->window + SHORT_JUMP));
    } else {
        site_jump_far(s, s->address - s->window, window);
    }
}

void site_jump_far(const struct site *s, u64 at, u8 *to)
{
    to[0] = 0xe9; // jmp slot
    put_displacement(to + 1, at + JUMP, s->slot);
}

// ---- The entry ----

// The pages of a load that come from the file; the last one's rest beyond the file is zero, as in
// memory.
static void copy_pages(const struct image *m, const struct rewrite_segment *g, u8 *to)
{
    memcpy(to, m->file + g->file_offset, MIN(g->size, m->size - g->file_offset));
}

static bool any_change(const struct rewriting *r, const struct load *l)
{
    for (unsigned i = 0; i < r->sites.guards; i++)
        if (r->sites.guard[i].start - l->vaddr < l->size)
            return true;
    for (size_t i = 0; i < r->sites.count; i++) {
        const struct site *s = &r->sites.site[i];
        if (s->slot && s->address - l->vaddr < l->size)
            return true;
    }
    return false;
}

// Where text of that size can begin, from `at` on (entry.h).
static u64 text_place(u64 at, u64 size)
{
    u64 folio = LX_PAGE;
    while (folio < size && folio < ENTRY_FOLIO)
        folio *= 2;
    return ALIGN_UP(at, folio);
}

// Lays the entry out behind its first page. Returns its size.
static u64 lay_out(const struct rewriting *r, struct rewrite_entry *e)
{
    u64 at = REWRITE_SLOTS_AT;
    e->magic = REWRITE_MAGIC;
    e->image_lo = r->image.lo;
    e->sites = (u32)r->sites.count;
    e->moved = (u32)r->sites.moved;
    e->slots_size = r->slots_size;
    at += r->slots_size;
    for (unsigned i = 0; i < r->image.loads; i++) {
        const struct load *l = &r->image.load[i];
        u64 vaddr = ALIGN_DOWN(l->vaddr, LX_PAGE), offset = ALIGN_DOWN(l->offset, LX_PAGE);
        u64 pages = ALIGN_UP(l->vaddr + l->size, LX_PAGE) - vaddr;
        if (r->clean && l->marks) {
            e->clean[e->cleans].file_offset = offset;
            e->clean[e->cleans++].size = pages;
        }
        if (!r->slots_size || !l->marks || !any_change(r, l))
            continue;
        struct rewrite_segment *g = &e->segment[e->segments++];
        g->vaddr = vaddr;
        g->file_offset = offset;
        g->size = pages;
        g->original_at = at;
        g->text_at = text_place(at + g->size, g->size);
        at = g->text_at + g->size;
    }
    for (; e->guards < r->sites.guards; e->guards++) {
        const struct guard *g = &r->sites.guard[e->guards];
        e->guard[e->guards].vaddr = g->start;
        e->guard[e->guards].size = g->end - g->start;
    }
    return e->size = at;
}

u8 *entry_make(const struct rewriting *r, u64 *size)
{
    struct rewrite_entry head = {0};
    *size = lay_out(r, &head);
    u8 *entry = calloc(1, *size);
    if (!entry)
        return NULL;
    for (unsigned i = 0; i < head.segments; i++) {
        const struct rewrite_segment *g = &head.segment[i];
        copy_pages(&r->image, g, entry + g->text_at);
        copy_pages(&r->image, g, entry + g->original_at);
        for (size_t k = 0; k < r->sites.count; k++) {
            const struct site *s = &r->sites.site[k];
            if (!s->slot || s->address - g->vaddr >= g->size)
                continue;
            u8 *text = entry + g->text_at;
            text[s->address - g->vaddr] = REWRITE_TRAP;
            if (s->window)
                site_jump(s, text + (s->address - s->window - g->vaddr));
            site_slot(r, s, entry + REWRITE_SLOTS_AT + (s->slot - r->slots));
        }
        for (size_t k = 0; k < r->sites.count; k++) { // some lie in windows
            const struct site *s = &r->sites.site[k];
            if (s->slot && s->pad && s->pad - g->vaddr < g->size)
                site_jump_far(s, s->pad, entry + g->text_at + (s->pad - g->vaddr));
        }
    }
    if (head.slots_size)
        memcpy(entry + REWRITE_SLOTS_AT, (u64[]){LX_GATE, LX_GATE_CPUID}, 2 * sizeof(u64));
    if (head.segments || head.cleans) {
        u8 start[REWRITE_START] = {0};
        memcpy(start, r->image.file, MIN(r->image.size, sizeof start));
        head.original_size = r->image.size;
        head.original_start = rewrite_checksum(start, sizeof start);
    }
    head.checksum = rewrite_sum(&head, entry + REWRITE_SLOTS_AT);
    memcpy(entry, &head, sizeof head);
    return entry;
}

u8 *file_read(int fd, u64 size)
{
    u8 *file = malloc(size + 1);
    for (u64 n = 0; file && n < size;) {
        ssize_t got = pread(fd, file + n, size - n, (off_t)n);
        if (got > 0) {
            n += (u64)got;
        } else if (got == 0 || errno != EINTR) {
            int error = got ? errno : EAGAIN; // it became shorter
            free(file);
            errno = error;
            return NULL;
        }
    }
    return file;
}
