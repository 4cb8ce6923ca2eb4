// SPDX-License-Identifier: MIT
// Functions from .eh_frame (Linux Standard Base, "Exception Frames"): each FDE gives the first
// address and the length of one stretch of code, also in stripped files and hand-written assembly.
#include <string.h>

#include "image.h"

// Pointer encodings, DW_EH_PE_*.
#define PE_FORMAT 0x0f
#define PE_PCREL 0x10
#define PE_RELATION 0xf0

#define AUGMENTATION_MAX 8

struct reader {
    const u8 *p, *end;
    bool bad;
};

static u64 take(struct reader *r, unsigned n)
{
    u64 v = 0;
    if ((u64)(r->end - r->p) < n) {
        r->bad = true;
        return 0;
    }
    memcpy(&v, r->p, n);
    r->p += n;
    return v;
}

static u64 take_uleb(struct reader *r)
{
    u64 v = 0;
    for (unsigned shift = 0; shift < 64 && !r->bad; shift += 7) {
        u64 byte = take(r, 1);
        v |= (byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    r->bad = true;
    return 0;
}

// A value in the format of an encoded pointer.
static u64 take_value(struct reader *r, u8 encoding)
{
    switch (encoding & PE_FORMAT) {
    case 0x00: // absptr
    case 0x04: // udata8
    case 0x0c: // sdata8
        return take(r, 8);
    case 0x03: // udata4
        return take(r, 4);
    case 0x0b: // sdata4
        return (u64)(s64)(s32)take(r, 4);
    default:
        r->bad = true;
        return 0;
    }
}

struct cie {
    u8 encoding; // of the addresses in its FDEs
    bool lsda, trap;
};

static bool read_cie(struct reader r, struct cie *c)
{
    *c = (struct cie){0};
    u8 version = (u8)take(&r, 1);
    const u8 *augmentation = r.p;
    // Bounded, or a hostile file could have one long text read again for each FDE.
    while (!r.bad && take(&r, 1))
        if (r.p - augmentation > AUGMENTATION_MAX)
            return false;
    if (r.bad || (version != 1 && version != 3))
        return false;
    take_uleb(&r); // code alignment
    take_uleb(&r); // data alignment: signed, but of the same length
    version == 1 ? take(&r, 1) : take_uleb(&r);
    if (*augmentation != 'z')
        return !*augmentation; // "eh" of old compilers: not read
    take_uleb(&r);
    for (const u8 *a = augmentation + 1; *a && !r.bad; a++) {
        switch (*a) {
        case 'R':
            c->encoding = (u8)take(&r, 1);
            break;
        case 'P': {
            u8 encoding = (u8)take(&r, 1);
            take_value(&r, encoding);
            break;
        }
        case 'L':
            take(&r, 1);
            c->lsda = true;
            break;
        case 'S':
            c->trap = true;
            break;
        default:
            return false;
        }
    }
    return !r.bad && ((c->encoding & PE_RELATION) == 0 || (c->encoding & PE_RELATION) == PE_PCREL);
}

void unwind_read(struct image *m, const u8 *table, u64 n, u64 addr)
{
    struct reader r = {table, table + n, false};
    for (;;) {
        u64 length = take(&r, 4);
        if (r.bad || !length || length == 0xffffffff || length > (u64)(r.end - r.p))
            return;
        struct reader record = {r.p, r.p + length, false};
        r.p += length;
        const u8 *id_at = record.p;
        u64 id = take(&record, 4);
        if (record.bad || !id || id > (u64)(id_at - table))
            continue; // a CIE, or a wrong one
        // The CIE lies that far before the field.
        struct reader cr = {id_at - id, table + n, false};
        u64 cie_length = take(&cr, 4);
        if (cr.bad || cie_length > (u64)(cr.end - cr.p))
            continue;
        cr.end = cr.p + cie_length;
        struct cie c;
        if (take(&cr, 4) != 0 || cr.bad || !read_cie(cr, &c))
            continue;
        u64 place = addr + (u64)(record.p - table);
        u64 start = take_value(&record, c.encoding);
        u64 size = take_value(&record, c.encoding & PE_FORMAT);
        if ((c.encoding & PE_RELATION) == PE_PCREL)
            start += place;
        if (record.bad || !size || start + size < start)
            continue;
        image_add(m, (struct function){
                         .start = start, .end = start + size, .lsda = c.lsda, .trap = c.trap});
    }
}

void unwind_read_by_header(struct image *m)
{
    const u8 *p = image_bytes(m, m->unwind_header, 12);
    if (!m->unwind_header || !p || p[0] != 1) // the version
        return;
    struct reader r = {p + 4, p + 12, false};
    u64 addr = take_value(&r, p[1]);
    if ((p[1] & PE_RELATION) == PE_PCREL)
        addr += m->unwind_header + 4;
    else if (p[1] & PE_RELATION)
        return;
    // Its size is not said; it ends by a zero.
    for (const struct load *l = m->load; !r.bad && l < m->load + m->loads; l++)
        if (addr >= l->vaddr && addr - l->vaddr < l->size)
            unwind_read(m, load_bytes(m, l) + (addr - l->vaddr), l->size - (addr - l->vaddr), addr);
}
