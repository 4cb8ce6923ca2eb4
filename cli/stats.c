// SPDX-License-Identifier: MIT
// See stats.h.
#include "stats.h"

#include <stdlib.h>

#include "engine.h"
#include "table.h"

#define SHOWN 20

_Static_assert(SYSCALL_ROWS < STATS_CALLS, "a counter for each row");

struct count {
    unsigned nr;
    u64 n;
};

static int by_count(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : (x->nr > y->nr) - (x->nr < y->nr);
}

static void line(FILE *out, u64 n, u64 all, const char *what)
{
    fprintf(out, "lxrun: %12lu %6.2f %%  %s\n", n, all ? 100.0 * (double)n / (double)all : 0, what);
}

void stats_print(const struct instance *in, FILE *out)
{
    static struct count counts[STATS_CALLS];
    char what[100];
    u64 all = 0, trapped = 0, armed = 0, by_how[HOW_COUNT] = {0};
    for (unsigned nr = 0; nr < STATS_CALLS; nr++) {
        const struct call_info *c = table_call(nr);
        counts[nr].nr = nr;
        for (int i = 0; i < STATS_SHARDS; i++)
            counts[nr].n += in->stats[i].calls[nr];
        all += counts[nr].n;
        by_how[c ? c->how : HOW_NONE] += counts[nr].n;
    }
    for (int i = 0; i < STATS_SHARDS; i++) {
        trapped += in->stats[i].trapped;
        armed += in->stats[i].armed;
    }
    if (in->engine == ENGINE_PTRACE) // stops are not signals
        trapped = all;
    trapped = trapped < all ? trapped : all; // others go on while this is read
    line(out, all, all, "system calls");
    if (in->engine == ENGINE_REWRITE)
        line(out, all - trapped, all, "came from rewritten sites");
    snprintf(what, sizeof what, "were trapped by %s",
             in->engine == ENGINE_REWRITE ? "a signal" : engine_name(in->engine));
    line(out, trapped, all, what);
    if (in->engine == ENGINE_REWRITE)
        fprintf(out, "lxrun: %12lu           threads ran with sud underneath\n", armed);
    for (int how = 1; how < HOW_COUNT; how++) {
        snprintf(what, sizeof what, "%s: %s", table_how_name(how), table_how_meaning(how));
        line(out, by_how[how], all, what);
    }
    if (by_how[HOW_NONE])
        line(out, by_how[HOW_NONE], all, "numbers that Linux has no call for");
    qsort(counts, STATS_CALLS, sizeof counts[0], by_count);
    for (int i = 0; i < SHOWN && counts[i].n; i++) {
        const struct call_info *c = table_call(counts[i].nr);
        line(out, counts[i].n, all, c ? c->name : "no such number");
    }
}
