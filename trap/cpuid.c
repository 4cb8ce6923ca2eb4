// SPDX-License-Identifier: MIT
// CPUID in rewritten text (include/rewrite.h). It is answered by what the processor said before to
// any process of the instance, for in a virtual machine the instruction takes longer than a call.
//
// What it says is the same at all times, and on all processors of the machine but for their own
// numbers, which are remembered for each. Where the processors are of different kinds (Intel's
// hybrid ones), and for leaves that nobody has documented or that are the hypervisor's, it is asked
// each time. An entry has a sum: half of another's is not known.
#include "trap.h"

#define EXTENDED 0x80000000U
#define LEAVES 0x28         // of each of the two ranges that have a meaning (Intel SDM, AMD APM 3)
#define CPU_SELECTOR 0x7b   // arch/x86/include/asm/segment.h: __CPUNODE_SEG,
#define CPU_MASK 0xfff      // whose limit is the processor's number, and its node's above
#define HYBRID (1U << 15)   // of leaf 7's EDX
#define ANY_CPU 0xffffffffU // which the answer does not depend on

static void ask(u32 leaf, u32 subleaf, struct cpuid_known *to)
{
    __asm__ volatile("cpuid"
                     : "=a"(to->a), "=b"(to->b), "=c"(to->c), "=d"(to->d)
                     : "a"(leaf), "c"(subleaf));
}

// The number of the processor that the thread is on; ANY_CPU: the kernel does not tell.
static u32 this_cpu(void)
{
    u32 limit = 0;
    bool told;
    __asm__ volatile("lsl %2, %0" : "+r"(limit), "=@ccz"(told) : "r"(CPU_SELECTOR));
    return told ? limit & CPU_MASK : ANY_CPU;
}

static bool has_subleaves(u32 leaf)
{
    return leaf < EXTENDED ? leaf == 4 || leaf == 7 || leaf > 10 : leaf >= EXTENDED + 0x1d;
}

// Initial and x2APIC numbers, and topology, of a processor.
static bool is_of_cpu(u32 leaf)
{
    return leaf == 1 || leaf == 0xb || leaf == 0x1f || leaf == EXTENDED + 0x1e ||
           leaf == EXTENDED + 0x26;
}

static u32 mix(u32 h, u32 v)
{
    return ((h ^ v) * 0x9e3779b1U) ^ h >> 15;
}

static u32 sum_of(const struct cpuid_known *k)
{
    u32 h = mix(mix(mix(0x6c78, k->leaf), k->subleaf), k->cpu);
    return mix(mix(mix(mix(h, k->a), k->b), k->c), k->d);
}

static bool is_hybrid(struct instance *in)
{
    u32 was = __atomic_load_n(&in->cpuid_kinds, __ATOMIC_RELAXED);
    if (!was) {
        struct cpuid_known k;
        ask(0, 0, &k);
        if (k.a >= 7)
            ask(7, 0, &k);
        was = k.a >= 7 && (k.d & HYBRID) ? CPUID_HYBRID : CPUID_ALIKE;
        __atomic_store_n(&in->cpuid_kinds, was, __ATOMIC_RELAXED);
    }
    return was == CPUID_HYBRID;
}

static void answer(struct instance *in, u32 leaf, u32 subleaf, struct cpuid_known *to)
{
    const bool of_cpu = is_of_cpu(leaf);
    if (leaf - (leaf & EXTENDED) >= LEAVES || is_hybrid(in)) {
        ask(leaf, subleaf, to);
        return;
    }
    const u32 cpu = of_cpu ? this_cpu() : ANY_CPU, sub = has_subleaves(leaf) ? subleaf : 0;
    struct cpuid_known *k =
        &in->cpuids[mix(mix(mix(1, leaf), sub), cpu) / (0xffffffffU / CPUIDS_KNOWN + 1)];
    *to = *(volatile struct cpuid_known *)k;
    if (to->leaf == leaf && to->subleaf == sub && to->cpu == cpu && to->sum == sum_of(to))
        return;
    ask(leaf, subleaf, to);
    if (of_cpu && (cpu == ANY_CPU || cpu != this_cpu()))
        return; // it may have been another's answer
    to->leaf = leaf;
    to->subleaf = sub;
    to->cpu = cpu;
    to->sum = sum_of(to);
    *(volatile struct cpuid_known *)k = *to;
}

void cpuid_serve(struct instance *in, struct sigcontext_64 *c)
{
    struct cpuid_known k;
    answer(in, (u32)c->ax, (u32)c->cx, &k);
    c->ax = k.a;
    c->bx = k.b;
    c->cx = k.c;
    c->dx = k.d;
    c->ip += 2;
}

void cpuid_at_door(struct task *t)
{
    struct regs *r = &t->regs;
    struct cpuid_known k;
    if (((r->eflags | t->step) & EFLAGS_TF) || t->instance->cpuid_faults) {
        r->eflags |= t->step;
        t->step = 0;
        r->rip -= 2; // the trap that stands there serves what is rare
        return;
    }
    answer(t->instance, (u32)r->rax, (u32)r->rcx, &k);
    r->rax = k.a;
    r->rbx = k.b;
    r->rcx = k.c;
    r->rdx = k.d;
}
