// SPDX-License-Identifier: MIT
// Where control may go: a superset, found without decoding, so that it holds for code that was
// never decoded too. Whatever could be a branch with a 32-bit displacement counts as one, at every
// byte; whatever looks like a table of code addresses counts as one. A false hit costs one site its
// jump; a missed one would break the program.
#include <string.h>

#include "sites.h"

// Entries of jump tables read per file. Real files have far fewer; a hostile one could have each of
// its instructions point at the same long table.
#define TABLES_MAX (1UL << 26)

static void mark(struct image *m, u64 addr, u8 what)
{
    struct load *l = image_code(m, addr, 1);
    if (l)
        l->marks[addr - l->vaddr] |= what;
}

static u64 read32(const u8 *p)
{
    s32 v;
    memcpy(&v, p, sizeof v);
    return (u64)(s64)v;
}

bool targets_is_table(struct image *m, u64 addr)
{
    const u8 *entry = addr % 4 ? NULL : image_bytes(m, addr, 4);
    return entry && image_code(m, addr + read32(entry), 1);
}

// Position-independent jump tables: 32-bit distances from the table's own address, which a lea
// somewhere loads. The end is where a distance leads out of the code.
static void read_table(struct image *m, u64 table, u64 *budget)
{
    const u8 *entry;
    for (u64 at = table; at % 4 == 0 && *budget && (entry = image_bytes(m, at, 4)); at += 4) {
        u64 target = table + read32(entry);
        --*budget;
        if (!image_code(m, target, 1))
            return;
        mark(m, target, MARK_TARGET);
    }
}

static void scan_code(struct image *m, const struct load *l, u64 *budget)
{
    const u8 *p = load_bytes(m, l);
    for (u64 i = 0; i + 5 <= l->size; i++) {
        u64 addr = l->vaddr + i;
        if (p[i] == 0xe8 || p[i] == 0xe9) { // call, jmp
            mark(m, addr + 5 + read32(p + i + 1), MARK_TARGET);
        } else if (i + 6 <= l->size && p[i] == 0x0f && (p[i + 1] & 0xf0) == 0x80) { // jcc
            mark(m, addr + 6 + read32(p + i + 2), MARK_TARGET);
        } else if (i + 6 <= l->size && p[i] == 0xc7 && p[i + 1] == 0xf8) { // xbegin
            mark(m, addr + 6 + read32(p + i + 2), MARK_TARGET);
        } else if (i + 7 <= l->size && (p[i] & 0xfb) == 0x48 && p[i + 1] == 0x8d &&
                   (p[i + 2] & 0xc7) == 0x05) { // lea disp32(%rip),%r64
            u64 target = addr + 7 + read32(p + i + 3);
            mark(m, target, MARK_TARGET);
            read_table(m, target, budget);
        }
    }
}

// Absolute addresses: jump tables of programs at fixed addresses, pointers that the dynamic linker
// relocates (the addends in .rela.dyn are 8-byte words of a loaded segment too), and in programs at
// fixed addresses the immediate operands of instructions.
static void scan_pointers(struct image *m, const struct load *l)
{
    const u8 *p = load_bytes(m, l);
    u64 step = !m->fixed ? 8 : l->executable ? 1 : 4;
    u64 n = m->fixed ? 4 : 8;
    for (u64 i = ALIGN_UP(l->vaddr, step) - l->vaddr; i + n <= l->size; i += step) {
        u64 v = 0;
        memcpy(&v, p + i, n);
        if (v >= m->lo)
            mark(m, v, MARK_POINTER);
    }
}

bool targets_find(struct image *m)
{
    u64 budget = TABLES_MAX;
    for (const struct load *l = m->load; l < m->load + m->loads; l++) {
        if (l->marks)
            scan_code(m, l, &budget);
        scan_pointers(m, l);
    }
    return budget;
}
