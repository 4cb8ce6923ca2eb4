// SPDX-License-Identifier: MIT
// ELF headers and symbols, for the rewriter (image.h).
#include "image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static bool inside(u64 offset, u64 n, u64 size)
{
    return offset <= size && n <= size - offset;
}

// Table entry i of a size the file gives; NULL: not all of it is in the file.
static const void *entry_at(const struct image *m, u64 table, u64 i, u64 size, u64 want)
{
    u64 offset;
    if (size < want || __builtin_mul_overflow(i, size, &offset) ||
        __builtin_add_overflow(offset, table, &offset) || !inside(offset, want, m->size))
        return NULL;
    return m->file + offset;
}

static const char *read_load(struct image *m, const Elf64_Phdr *p)
{
    if (!p->p_memsz)
        return NULL;
    if (m->loads == IMAGE_LOADS)
        return "too many segments";
    struct load *l = &m->load[m->loads];
    u64 end;
    if (__builtin_add_overflow(p->p_vaddr, p->p_memsz, &end) || end > 1UL << 47 ||
        p->p_filesz > p->p_memsz || !inside(p->p_offset, p->p_filesz, m->size) ||
        (p->p_vaddr ^ p->p_offset) % LX_PAGE)
        return "a segment that cannot be mapped";
    if (m->loads && ALIGN_DOWN(p->p_vaddr, LX_PAGE) < l[-1].end)
        return "segments share a page or are out of order";
    *l = (struct load){
        .vaddr = p->p_vaddr,
        .offset = p->p_offset,
        .size = p->p_filesz,
        .end = ALIGN_UP(end, LX_PAGE),
        .executable = p->p_flags & PF_X,
        .writable = p->p_flags & PF_W,
    };
    m->loads++;
    return NULL;
}

const char *image_open(struct image *m, const u8 *file, u64 size)
{
    *m = (struct image){.file = file, .size = size};
    Elf64_Ehdr e;
    if (size < sizeof e)
        return "not an ELF file";
    memcpy(&e, file, sizeof e);
    if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
        return "not an ELF file";
    if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_ident[EI_DATA] != ELFDATA2LSB ||
        e.e_machine != EM_X86_64)
        return "not for x86-64";
    if (e.e_type != ET_EXEC && e.e_type != ET_DYN)
        return "neither a program nor a library";
    m->fixed = e.e_type == ET_EXEC;
    m->entry = e.e_entry;
    for (unsigned i = 0; i < e.e_phnum; i++) {
        Elf64_Phdr p;
        const void *at = entry_at(m, e.e_phoff, i, e.e_phentsize, sizeof p);
        if (!at)
            return "program headers outside the file";
        memcpy(&p, at, sizeof p);
        if (p.p_type == PT_GNU_EH_FRAME)
            m->unwind_header = p.p_vaddr;
        const char *why = p.p_type == PT_LOAD ? read_load(m, &p) : NULL;
        if (why)
            return why;
    }
    unsigned code = 0;
    for (unsigned i = 0; i < m->loads; i++)
        code += m->load[i].executable && !m->load[i].writable;
    if (!code || code > REWRITE_SEGMENTS)
        return code ? "too many executable segments" : "no code";
    m->lo = ALIGN_DOWN(m->load[0].vaddr, LX_PAGE);
    return NULL;
}

void image_close(struct image *m)
{
    for (unsigned i = 0; i < m->loads; i++)
        free(m->load[i].marks);
    free(m->function);
}

static bool is_code(const struct load *l)
{
    return l->executable && !l->writable;
}

struct load *image_code(struct image *m, u64 addr, u64 n)
{
    for (struct load *l = m->load; l < m->load + m->loads; l++)
        if (is_code(l) && addr >= l->vaddr && inside(addr - l->vaddr, n, l->size))
            return l;
    return NULL;
}

const u8 *image_bytes(const struct image *m, u64 addr, u64 n)
{
    for (const struct load *l = m->load; l < m->load + m->loads; l++)
        if (addr >= l->vaddr && inside(addr - l->vaddr, n, l->size))
            return load_bytes(m, l) + (addr - l->vaddr);
    return NULL;
}

bool image_marked(struct image *m, u64 from, u64 to, u8 which)
{
    for (u64 a = from + 1; a < to; a++) {
        const struct load *l = image_code(m, a, 1);
        if (l && l->marks[a - l->vaddr] & which)
            return true;
    }
    return false;
}

// ---- Functions ----

void image_add(struct image *m, struct function f)
{
    if (!image_code(m, f.start, 1))
        return;
    if (m->functions == m->room) {
        size_t room = m->room ? 2 * m->room : 256;
        struct function *grown = realloc(m->function, room * sizeof *grown);
        if (!grown)
            return; // one function less to know
        m->function = grown;
        m->room = room;
    }
    m->function[m->functions++] = f;
}

static int compare(const void *a, const void *b)
{
    const struct function *f = a, *g = b;
    return f->start < g->start ? -1 : f->start > g->start;
}

void image_sort(struct image *m)
{
    if (m->functions)
        qsort(m->function, m->functions, sizeof *m->function, compare);
    size_t n = 0;
    for (size_t i = 0; i < m->functions; i++) {
        struct function *f = &m->function[i], *last = n ? &m->function[n - 1] : NULL;
        if (last && last->start == f->start) {
            last->end = MAX(last->end, f->end);
            last->lsda |= f->lsda;
            last->trap |= f->trap;
        } else {
            m->function[n++] = *f;
        }
    }
    m->functions = n;
}

long image_function(const struct image *m, u64 addr)
{
    size_t lo = 0, hi = m->functions;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->function[mid].start <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (long)lo - 1;
}

static void read_symbols(struct image *m, const Elf64_Shdr *s)
{
    if (!inside(s->sh_offset, s->sh_size, m->size))
        return;
    for (u64 i = 0; i < s->sh_size / sizeof(Elf64_Sym); i++) {
        Elf64_Sym sym;
        memcpy(&sym, m->file + s->sh_offset + i * sizeof sym, sizeof sym);
        int type = ELF64_ST_TYPE(sym.st_info);
        if (sym.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC))
            continue;
        u64 end = sym.st_size ? sym.st_value + sym.st_size : 0;
        image_add(m, (struct function){.start = sym.st_value, .end = MAX(end, sym.st_value)});
    }
}

// Functions that nothing in the code refers to, and those of crtbegin.o have no FDE either.
static void read_pointers(struct image *m, const Elf64_Shdr *s)
{
    if (!inside(s->sh_offset, s->sh_size, m->size))
        return;
    for (u64 i = 0; i < s->sh_size / sizeof(u64); i++) {
        struct function f = {0};
        memcpy(&f.start, m->file + s->sh_offset + i * sizeof(u64), sizeof(u64));
        image_add(m, f);
    }
}

// Where the dynamic linker goes by a slot of the GOT until it has bound it: into .plt.
static void read_slots(struct image *m, const Elf64_Shdr *s)
{
    if (!inside(s->sh_offset, s->sh_size, m->size))
        return;
    for (u64 i = 0; i < s->sh_size / sizeof(Elf64_Rela); i++) {
        Elf64_Rela r;
        struct function f = {0};
        memcpy(&r, m->file + s->sh_offset + i * sizeof r, sizeof r);
        if (ELF64_R_TYPE(r.r_info) != R_X86_64_JUMP_SLOT)
            continue;
        const u8 *slot = image_bytes(m, r.r_offset, sizeof f.start);
        if (slot)
            memcpy(&f.start, slot, sizeof f.start);
        image_add(m, f);
    }
}

static bool is_named(const struct image *m, const Elf64_Shdr *names, u32 name, const char *want)
{
    u64 n = strlen(want) + 1, offset;
    return !__builtin_add_overflow(names->sh_offset, (u64)name, &offset) &&
           inside(offset, n, m->size) && !memcmp(m->file + offset, want, n);
}

static bool section_at(const struct image *m, const Elf64_Ehdr *e, unsigned i, Elf64_Shdr *s)
{
    const void *at = e->e_shoff ? entry_at(m, e->e_shoff, i, e->e_shentsize, sizeof *s) : NULL;
    if (at)
        memcpy(s, at, sizeof *s);
    return at;
}

// False: there are none.
static bool read_sections(struct image *m)
{
    Elf64_Ehdr e;
    Elf64_Shdr s, names = {0};
    memcpy(&e, m->file, sizeof e);
    if (!section_at(m, &e, e.e_shstrndx, &names))
        return false;
    for (unsigned i = 0; i < e.e_shnum && section_at(m, &e, i, &s); i++) {
        if (s.sh_type == SHT_SYMTAB || s.sh_type == SHT_DYNSYM)
            read_symbols(m, &s);
        else if (s.sh_type == SHT_INIT_ARRAY || s.sh_type == SHT_FINI_ARRAY)
            read_pointers(m, &s);
        else if (s.sh_type == SHT_RELA)
            read_slots(m, &s);
        // Its type is SHT_PROGBITS or SHT_X86_64_UNWIND, by linker.
        else if (is_named(m, &names, s.sh_name, ".eh_frame") && s.sh_type != SHT_NOBITS &&
                 inside(s.sh_offset, s.sh_size, m->size))
            unwind_read(m, m->file + s.sh_offset, s.sh_size, s.sh_addr);
    }
    return true;
}

bool image_find_functions(struct image *m)
{
    for (struct load *l = m->load; l < m->load + m->loads; l++)
        if (is_code(l) && !(l->marks = calloc(1, l->size + 1)))
            return false;
    image_add(m, (struct function){.start = m->entry});
    if (!read_sections(m))
        unwind_read_by_header(m);
    image_sort(m);
    for (size_t i = 0; i < m->functions; i++) {
        struct load *l = image_code(m, m->function[i].start, 1);
        l->marks[m->function[i].start - l->vaddr] |= MARK_FUNCTION;
    }
    return true;
}
