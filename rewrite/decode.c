// SPDX-License-Identifier: MIT
// capstone behind struct insn (decode.h).
#include "decode.h"

#include <capstone/capstone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
    csh intel; // for analysis: the destination is operand 0
    csh att;   // for text
    cs_insn *insn;
    cs_insn *text;
};

struct decoder *decoder_open(void)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (d && !cs_open(CS_ARCH_X86, CS_MODE_64, &d->intel) &&
        !cs_open(CS_ARCH_X86, CS_MODE_64, &d->att) &&
        !cs_option(d->intel, CS_OPT_DETAIL, CS_OPT_ON) &&
        !cs_option(d->att, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT) && (d->insn = cs_malloc(d->intel)) &&
        (d->text = cs_malloc(d->att)))
        return d;
    decoder_close(d);
    return NULL;
}

void decoder_close(struct decoder *d)
{
    if (!d)
        return;
    if (d->insn)
        cs_free(d->insn, 1);
    if (d->text)
        cs_free(d->text, 1);
    if (d->intel)
        cs_close(&d->intel);
    if (d->att)
        cs_close(&d->att);
    free(d);
}

static bool is_stack_pointer(unsigned reg)
{
    return reg == X86_REG_RSP || reg == X86_REG_ESP || reg == X86_REG_SP || reg == X86_REG_SPL;
}

static bool is_general(csh h, unsigned reg)
{
    // By name: capstone numbers the registers in no order that one could compare.
    static const char *const names[] = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "eax", "ebx", "ecx", "edx",
        "esi", "edi", "ebp", "esp", "ax",  "bx",  "cx",  "dx",  "si",  "di",  "bp",  "sp",
        "al",  "bl",  "cl",  "dl",  "sil", "dil", "bpl", "spl", "ah",  "bh",  "ch",  "dh"};
    const char *name = cs_reg_name(h, reg);
    if (!name)
        return false;
    if (name[0] == 'r' && name[1] >= '0' && name[1] <= '9') // r8 to r15, r8d, r8w, r8b
        return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

// Instructions on general registers that neither fault nor depend on their address.
static bool is_harmless(unsigned id)
{
    switch (id) {
    case X86_INS_MOV:
    case X86_INS_MOVABS:
    case X86_INS_MOVZX:
    case X86_INS_MOVSX:
    case X86_INS_MOVSXD:
    case X86_INS_LEA:
    case X86_INS_XCHG:
    case X86_INS_ADD:
    case X86_INS_SUB:
    case X86_INS_ADC:
    case X86_INS_SBB:
    case X86_INS_AND:
    case X86_INS_OR:
    case X86_INS_XOR:
    case X86_INS_NOT:
    case X86_INS_NEG:
    case X86_INS_INC:
    case X86_INS_DEC:
    case X86_INS_CMP:
    case X86_INS_TEST:
    case X86_INS_IMUL:
    case X86_INS_SHL:
    case X86_INS_SHR:
    case X86_INS_SAR:
    case X86_INS_ROL:
    case X86_INS_ROR:
    case X86_INS_BT:
    case X86_INS_BTS:
    case X86_INS_BTR:
    case X86_INS_BSWAP:
    case X86_INS_CDQE:
    case X86_INS_CWDE:
    case X86_INS_CDQ:
    case X86_INS_CQO:
    case X86_INS_SETE:
    case X86_INS_SETNE:
    case X86_INS_SETA:
    case X86_INS_SETAE:
    case X86_INS_SETB:
    case X86_INS_SETBE:
    case X86_INS_SETG:
    case X86_INS_SETGE:
    case X86_INS_SETL:
    case X86_INS_SETLE:
    case X86_INS_SETS:
    case X86_INS_SETNS:
    case X86_INS_CMOVE:
    case X86_INS_CMOVNE:
    case X86_INS_CMOVA:
    case X86_INS_CMOVAE:
    case X86_INS_CMOVB:
    case X86_INS_CMOVBE:
    case X86_INS_CMOVG:
    case X86_INS_CMOVGE:
    case X86_INS_CMOVL:
    case X86_INS_CMOVLE:
    case X86_INS_CMOVS:
    case X86_INS_CMOVNS:
        return true;
    default:
        return false;
    }
}

static bool is_vector(csh h, unsigned reg)
{
    const char *name = cs_reg_name(h, reg);
    return name && !strncmp(name, "xmm", 3);
}

// Instructions that do nothing but copy, to or from xmm registers. Those of the same names on mm
// registers are told by their operands.
static bool is_vector_move(unsigned id)
{
    switch (id) {
    case X86_INS_MOVUPS:
    case X86_INS_MOVAPS:
    case X86_INS_MOVDQU:
    case X86_INS_MOVDQA:
    case X86_INS_MOVQ:
    case X86_INS_MOVD:
        return true;
    default:
        return false;
    }
}

static bool is_plain_move(unsigned id)
{
    return id == X86_INS_MOV || id == X86_INS_MOVZX || id == X86_INS_MOVSX ||
           id == X86_INS_MOVSXD || is_vector_move(id);
}

// Memory that only general registers say the place of.
static bool is_plain_address(csh h, const x86_op_mem *mem)
{
    return mem->segment == X86_REG_INVALID &&
           (mem->base != X86_REG_INVALID || mem->index != X86_REG_INVALID) &&
           (mem->base == X86_REG_INVALID || is_general(h, mem->base)) &&
           (mem->index == X86_REG_INVALID || is_general(h, mem->index));
}

// Loads from the stack may fault too, but hardly ever do.
static bool is_stack_load(const cs_insn *i, int k, const x86_op_mem *mem)
{
    return k == 1 && mem->base == X86_REG_RSP && mem->index == X86_REG_INVALID &&
           !is_vector_move(i->id);
}

static enum insn_move move_of(csh h, const cs_insn *i, bool *may_fault)
{
    *may_fault = false;
    const cs_x86 *x = &i->detail->x86;
    if (i->id == X86_INS_ENDBR64 || i->id == X86_INS_ENDBR32)
        return MOVE_ENDBR;
    if (i->id == X86_INS_NOP) // its memory operand is not touched
        return MOVE_YES;
    if (i->id == X86_INS_PUSH || i->id == X86_INS_POP || i->id == X86_INS_LEAVE ||
        i->id == X86_INS_PUSHFQ || i->id == X86_INS_POPFQ)
        return MOVE_STACK;
    for (int k = 0; k < x->op_count; k++) {
        const cs_x86_op *op = &x->operands[k];
        if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP)
            return MOVE_RIP;
        if (op->type != X86_OP_MEM || i->id == X86_INS_LEA)
            continue;
        if (!is_plain_move(i->id) || !is_plain_address(h, &op->mem))
            return MOVE_MEMORY;
        *may_fault = !is_stack_load(i, k, &op->mem);
    }
    // A lock, rep, segment or address-size prefix has no place on these.
    bool vector = is_vector_move(i->id);
    if (!(is_harmless(i->id) || vector) || x->prefix[0] || x->prefix[1] || x->prefix[3])
        return MOVE_OTHER;
    for (int k = 0; k < x->op_count; k++) {
        const cs_x86_op *op = &x->operands[k];
        if (op->type == X86_OP_REG && !is_general(h, op->reg) && !(vector && is_vector(h, op->reg)))
            return MOVE_OTHER;
        bool written = (k == 0 || i->id == X86_INS_XCHG) && i->id != X86_INS_CMP &&
                       i->id != X86_INS_TEST && i->id != X86_INS_BT;
        if (op->type == X86_OP_REG && written && is_stack_pointer(op->reg))
            return MOVE_STACK;
    }
    return MOVE_YES;
}

static void set_branch(const cs_x86 *x, struct insn *to, enum insn_kind direct)
{
    to->move = MOVE_BRANCH;
    const cs_x86_op *op = &x->operands[0];
    if (x->op_count == 1 && op->type == X86_OP_IMM) {
        to->kind = direct;
        to->has_target = true;
        to->target = (u64)op->imm;
    } else if (direct == INSN_CALL) {
        to->kind = INSN_CALL_INDIRECT;
    } else if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP) {
        to->kind = INSN_END; // of a PLT, or a call in tail position
    } else {
        to->kind = INSN_JUMP_INDIRECT;
        to->table = op->type == X86_OP_MEM && op->mem.index != X86_REG_INVALID;
    }
}

static void classify(const cs_insn *i, struct insn *to)
{
    const cs_x86 *x = &i->detail->x86;
    switch (i->id) {
    case X86_INS_SYSCALL:
        to->kind = INSN_SYSCALL;
        to->move = MOVE_BRANCH;
        return;
    case X86_INS_INT:
    case X86_INS_SYSENTER:
        to->kind = INSN_SYSCALL_32;
        to->move = MOVE_BRANCH;
        return;
    case X86_INS_CALL:
    case X86_INS_LCALL:
        set_branch(x, to, INSN_CALL);
        return;
    case X86_INS_JMP:
    case X86_INS_LJMP:
        set_branch(x, to, INSN_JUMP);
        return;
    case X86_INS_RET:
    case X86_INS_RETF:
    case X86_INS_RETFQ:
    case X86_INS_IRET:
    case X86_INS_IRETD:
    case X86_INS_IRETQ:
    case X86_INS_HLT:
    case X86_INS_UD2:
    case X86_INS_SYSRET:
    case X86_INS_INT3: // behind calls that do not return
        to->kind = INSN_END;
        to->move = MOVE_BRANCH;
        return;
    case X86_INS_LOOP:
    case X86_INS_LOOPE:
    case X86_INS_LOOPNE:
    case X86_INS_XBEGIN: // to its abort handler
        set_branch(x, to, INSN_CONDITIONAL);
        return;
    default:
        break;
    }
    for (u8 k = 0; k < i->detail->groups_count; k++)
        if (i->detail->groups[k] == X86_GRP_JUMP)
            set_branch(x, to, INSN_CONDITIONAL);
}

static void note_values(csh h, const cs_insn *i, struct insn *to)
{
    const cs_x86_op *op = i->detail->x86.operands;
    if (i->detail->x86.op_count != 2)
        return;
    if (i->id == X86_INS_LEA && op[1].mem.base == X86_REG_RIP) {
        const cs_x86 *x = &i->detail->x86;
        bool plain = is_general(h, op[0].reg) && !is_stack_pointer(op[0].reg) && !x->prefix[0] &&
                     !x->prefix[1] && !x->prefix[2] && !x->prefix[3] && op[0].size == 8;
        to->address = i->address + i->size + (u64)op[1].mem.disp;
        to->relative = plain && x->encoding.disp_size == 4 ? x->encoding.disp_offset : 0;
    }
    to->loads_rax = (i->id == X86_INS_MOV || i->id == X86_INS_MOVABS) && op[0].type == X86_OP_REG &&
                    (op[0].reg == X86_REG_RAX || op[0].reg == X86_REG_EAX) &&
                    op[1].type == X86_OP_IMM;
    if (to->loads_rax)
        to->rax = (u64)op[1].imm;
}

void decode(struct decoder *d, const u8 *bytes, u64 n, u64 addr, struct insn *to)
{
    *to = (struct insn){0};
    size_t size = MIN(n, INSN_MAX);
    if (!cs_disasm_iter(d->intel, &bytes, &size, &addr, d->insn))
        return;
    to->length = (u8)d->insn->size;
    to->kind = INSN_OTHER;
    to->filler = d->insn->id == X86_INS_NOP || d->insn->id == X86_INS_INT3;
    to->move = move_of(d->intel, d->insn, &to->may_fault);
    classify(d->insn, to);
    note_values(d->intel, d->insn, to);
}

unsigned decode_text(struct decoder *d, const u8 *bytes, u64 n, u64 addr, char *text, size_t size)
{
    size_t left = MIN(n, INSN_MAX);
    if (!cs_disasm_iter(d->att, &bytes, &left, &addr, d->text))
        return 0;
    snprintf(text, size, "%s%s%s", d->text->mnemonic, *d->text->op_str ? " " : "", d->text->op_str);
    return d->text->size;
}
