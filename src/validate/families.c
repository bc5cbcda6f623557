/* Trials are sorted by what their trees depend on above the place where they end. */
#include "validate/families.h"

#include <stdlib.h>

#include "base/memory.h"

enum { KEYS = 13 };

typedef struct hg_relative {
    const hg_trial *trial;
    int number;
    bool may_share;
} hg_relative;

static void
list_keys(const hg_trial *t, double key[KEYS])
{
    const hg_train_options *o = &t->options;
    const double all[KEYS] = {t->fold,          t->share,
                              o->splitter,      o->splitter == HG_SPLITTER_BEST ? o->bins : 0,
                              o->min_leaf,      o->max_features,
                              o->redraw,        o->min_gain,
                              o->constant_step, o->bag,
                              o->scale_targets, o->scope,
                              o->first_tree};

    for (int i = 0; i < KEYS; i++) {
        key[i] = all[i];
    }
}

static int
compare_relations(const hg_relative *a, const hg_relative *b)
{
    const uint64_t seeds[2] = {a->trial->options.seed, b->trial->options.seed};
    const uintptr_t drops[2] = {(uintptr_t)a->trial->drop, (uintptr_t)b->trial->drop},
                    from[2] = {(uintptr_t)a->trial->x, (uintptr_t)b->trial->x},
                    lost[2] = {(uintptr_t)a->trial->lost, (uintptr_t)b->trial->lost};
    double x[KEYS], y[KEYS];

    if (!a->may_share) {
        return (a->number > b->number) - (a->number < b->number);
    }
    list_keys(a->trial, x);
    list_keys(b->trial, y);
    for (int i = 0; i < KEYS; i++) {
        if (x[i] < y[i] || x[i] > y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    if (seeds[0] != seeds[1]) {
        return seeds[0] < seeds[1] ? -1 : 1;
    }
    if (drops[0] != drops[1]) {
        return drops[0] < drops[1] ? -1 : 1;
    }
    if (from[0] != from[1]) {
        return from[0] < from[1] ? -1 : 1;
    }
    return (lost[0] > lost[1]) - (lost[0] < lost[1]);
}

static int
compare_relatives(const void *a, const void *b)
{
    const hg_relative *x = a, *y = b;
    const int order = compare_relations(x, y);

    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static int
compare_families(const void *a, const void *b)
{
    const hg_family *x = a, *y = b;

    return (x->member[0] > y->member[0]) - (x->member[0] < y->member[0]);
}

/* the options that hold those of another trial too */
static void
widen(const hg_train_options *o, hg_train_options *all)
{
    all->trees = o->trees > all->trees ? o->trees : all->trees;
    all->min_split = o->min_split < all->min_split ? o->min_split : all->min_split;
    if (o->max_depth == 0 || (all->max_depth > 0 && o->max_depth > all->max_depth)) {
        all->max_depth = o->max_depth;
    }
}

hg_status
hg_families_list(int n, const hg_trial trial[], const uint8_t done[], bool may_share,
                 hg_families *f)
{
    hg_relative *all = NULL;
    int n_all = 0;
    hg_status status;

    *f = (hg_families){0};
    HG_TRY_OR(end, status, hg_mem_array(&all, (size_t)n, sizeof *all));
    HG_TRY_OR(end, status, hg_mem_array(&f->family, (size_t)n, sizeof *f->family));
    HG_TRY_OR(end, status, hg_mem_array(&f->member, (size_t)n, sizeof *f->member));
    for (int i = 0; i < n; i++) {
        if (done == NULL || !done[i]) {
            all[n_all++] = (hg_relative){&trial[i], i, may_share};
        }
    }
    if (n_all > 0) {
        qsort(all, (size_t)n_all, sizeof *all, compare_relatives);
    }
    for (int i = 0; i < n_all; i++) {
        f->member[i] = all[i].number;
        if (i == 0 || compare_relations(&all[i - 1], &all[i]) != 0) {
            f->family[f->n++] = (hg_family){0, f->member + i, all[i].trial->options};
        }
        f->family[f->n - 1].n++;
        widen(&all[i].trial->options, &f->family[f->n - 1].options);
    }
    if (f->n > 0) {
        qsort(f->family, (size_t)f->n, sizeof *f->family, compare_families);
    }
end:
    hg_mem_free(all);
    return status;
}

void
hg_families_clear(hg_families *f)
{
    hg_mem_free(f->family);
    hg_mem_free(f->member);
    *f = (hg_families){0};
}
