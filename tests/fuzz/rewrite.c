// SPDX-License-Identifier: MIT
// libFuzzer target of the rewriter. The first byte of the input says what the rest is: a whole
// file, or the code of a small ELF file, with functions where the next bytes say. Checked beside
// crashes: every moved window is the same instructions in its slot, behind them stand the slot's
// own two, and the entry's code differs from the file's only in windows, pads and traps, which
// never overlap.
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../rewrite/entry.h"

#define FUNCTIONS 4
#define CODE_MAX 60000
#define CODE_AT 0x1000

struct file {
    Elf64_Ehdr head;
    Elf64_Phdr load;
    Elf64_Shdr section[2]; // no name table, which is section 0; symbols
    Elf64_Sym symbol[FUNCTIONS];
    u8 gap[CODE_AT];
    u8 code[CODE_MAX];
};

static const u8 *wrap(const u8 *data, size_t size, size_t *total)
{
    static struct file f;
    const u64 code = offsetof(struct file, code);
    size_t n = size > FUNCTIONS ? MIN(size - FUNCTIONS, CODE_MAX) : 0;
    f = (struct file){
        .head = {.e_type = size % 2 ? ET_DYN : ET_EXEC,
                 .e_machine = EM_X86_64,
                 .e_phoff = offsetof(struct file, load),
                 .e_phentsize = sizeof f.load,
                 .e_phnum = 1,
                 .e_shoff = offsetof(struct file, section),
                 .e_shnum = 2,
                 .e_shentsize = sizeof f.section[0]},
        .load = {.p_type = PT_LOAD,
                 .p_flags = PF_R | PF_X,
                 .p_offset = code,
                 .p_filesz = n,
                 .p_memsz = n},
        .section = {{0},
                    {.sh_type = SHT_SYMTAB,
                     .sh_offset = offsetof(struct file, symbol),
                     .sh_size = sizeof f.symbol}},
    };
    memcpy(f.head.e_ident, ELFMAG, SELFMAG);
    f.head.e_ident[EI_CLASS] = ELFCLASS64;
    f.head.e_ident[EI_DATA] = ELFDATA2LSB;
    f.load.p_vaddr = 0x400000 + code % LX_PAGE;
    f.head.e_entry = f.load.p_vaddr;
    for (int i = 0; i < FUNCTIONS && n; i++)
        f.symbol[i] = (Elf64_Sym){.st_info = STT_FUNC,
                                  .st_shndx = 1,
                                  .st_value = f.load.p_vaddr + data[i] % n,
                                  .st_size = data[i] / 2};
    if (n)
        memcpy(f.code, data + FUNCTIONS, n);
    *total = code + n;
    return (const u8 *)&f;
}

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_slot(const struct rewriting *r, const struct site *s)
{
    u8 slot[REWRITE_SLOT];
    struct insn i;
    u64 n = 0;
    const u8 *window = image_bytes(&r->image, s->address - s->window, s->window + 2);
    require(window && s->window >= 2 && s->window <= REWRITE_WINDOW_MAX);
    require(window[s->window] == 0x0f && window[s->window + 1] == (s->cpuid ? 0xa2 : 0x05));
    site_slot(r, s, slot);
    while (n < s->window) {
        char was[200], is[200];
        unsigned length =
            decode_text(r->decoder, window + n, s->window - n, s->address + n, was, sizeof was);
        require(length);
        require(decode_text(r->decoder, slot + n, REWRITE_SLOT - n, s->slot + n, is, sizeof is) ==
                length);
        decode(r->decoder, slot + n, REWRITE_SLOT - n, s->slot + n, &i);
        if (i.move == MOVE_RIP) {
            struct insn there;
            decode(r->decoder, window + n, s->window - n, s->address - s->window + n, &there);
            require(i.relative && n + i.relative == s->relative && i.address == there.address);
        } else {
            require(!strcmp(was, is) && i.move == MOVE_YES);
        }
        require(i.kind == INSN_OTHER && !(i.may_fault && s->pad));
        n += length;
    }
    require(n == s->window && slot[REWRITE_SLOT - 1] == n);
    decode(r->decoder, slot + n, REWRITE_SLOT - n, s->slot + n, &i);
    require(i.length == REWRITE_LEA && i.address == s->address + 2);
    decode(r->decoder, slot + n + REWRITE_LEA, REWRITE_JMP, s->slot + n + REWRITE_LEA, &i);
    require(i.length == REWRITE_JMP && i.kind == INSN_END);
}

// Puts the original bytes back where they may have changed; each byte once.
static void restore(const struct rewrite_segment *g, u8 *text, const u8 *was, u8 *seen, u64 addr,
                    unsigned n)
{
    for (u64 at = addr - g->vaddr; n--; at++) {
        require(at < g->size && !seen[at]);
        seen[at] = 1;
        text[at] = was[at];
    }
}

// Does a pad lie behind the jump of another's window?
static bool in_window(const struct rewriting *r, u64 pad)
{
    for (size_t i = 0; i < r->sites.count; i++) {
        const struct site *s = &r->sites.site[i];
        if (s->host && s->slot && pad == s->address - s->window + 5 && s->window >= 10)
            return true;
    }
    return false;
}

static void check_entry(const struct rewriting *r)
{
    u64 size;
    u8 *entry = entry_make(r, &size);
    const struct rewrite_entry *e = (void *)entry;
    require(entry && e->size == size && e->moved == r->sites.moved);
    require(e->checksum == rewrite_sum(e, entry + LX_PAGE));
    for (unsigned k = 0; k < e->segments; k++) {
        const struct rewrite_segment *g = &e->segment[k];
        u8 *text = entry + g->text_at, *was = entry + g->original_at, *seen = calloc(1, g->size);
        require(seen);
        for (size_t i = 0; i < r->sites.count; i++) {
            const struct site *s = &r->sites.site[i];
            if (!s->slot || s->address - g->vaddr >= g->size)
                continue;
            require(text[s->address - g->vaddr] == REWRITE_TRAP);
            restore(g, text, was, seen, s->address - s->window, s->window + 1);
            if (s->pad && !in_window(r, s->pad))
                restore(g, text, was, seen, s->pad, 5);
        }
        require(!memcmp(text, was, g->size));
        free(seen);
    }
    for (unsigned i = 0; i < e->guards; i++) {
        unsigned k = 0;
        u64 start = e->guard[i].vaddr, n = e->guard[i].size;
        while (k < e->segments && start - e->segment[k].vaddr >= e->segment[k].size)
            k++;
        require(k < e->segments && start != e->segment[k].vaddr && n);
        require(n <= e->segment[k].size - (start - e->segment[k].vaddr));
        require(!i || start >= e->guard[i - 1].vaddr + e->guard[i - 1].size);
    }
    require(rewrite_fits(e));
    free(entry);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct rewriting r;
    const u8 *file = data + 1;
    size_t total = size - 1;
    if (!size)
        return 0;
    if (*data)
        file = wrap(data + 1, size - 1, &total);
    rewriting_make(&r, file, total);
    for (size_t i = 0; !r.why && i < r.sites.count; i++)
        if (r.sites.site[i].state == SITE_MOVED)
            check_slot(&r, &r.sites.site[i]);
    if (!r.why)
        check_entry(&r);
    rewriting_free(&r);
    return 0;
}
