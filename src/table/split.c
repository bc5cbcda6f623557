/* Folds of groups are dealt round, not drawn group by group: with 25 runs and 5 folds, drawing
 * would leave folds of 2 and of 9. */
#include "table/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

hg_status
hg_split_check(const hg_split *split)
{
    const double slab = split->box / split->n_fold;

    if (split->n_fold < 2 && !(split->kind == HG_SPLIT_GROUPS && split->n_fold == 0)) {
        return HG_FAIL(HG_E_PARAM, "%d folds are too few, take 2 or more", split->n_fold);
    }
    if (split->kind != HG_SPLIT_SLABS) {
        return HG_OK;
    }
    if (!(split->box > 0) || !(split->buffer >= 0) || split->axis < 0 || split->axis > 2) {
        return HG_FAIL(HG_E_PARAM,
                       "slabs need a periodic box, an axis and a buffer of at least "
                       "0 Mpc");
    }
    if (slab + 2 * split->buffer >= split->box) {
        return HG_FAIL(HG_E_PARAM,
                       "%d slabs of %g Mpc with buffers of %g Mpc leave nothing of the box of "
                       "%g Mpc to train on",
                       split->n_fold, slab, split->buffer, split->box);
    }
    return HG_OK;
}

/* A distinct key with its place in the order of dealing. */
struct card {
    uint64_t key;
    uint64_t word;
    int fold;
};

static int
by_key(const void *a, const void *b)
{
    const struct card *x = a, *y = b;

    return (x->key > y->key) - (x->key < y->key);
}

static int
by_word(const void *a, const void *b)
{
    const struct card *x = a, *y = b;

    return x->word != y->word ? (x->word > y->word) - (x->word < y->word) : by_key(a, b);
}

static uint64_t
draw_word(uint64_t seed, uint64_t key)
{
    hg_stream s = hg_stream_start(seed, 0, key, HG_PURPOSE_FOLD);
    uint32_t word[4];

    hg_philox(s.key, s.counter, word);
    return (uint64_t)word[0] << 32 | word[1];
}

/* distinct keys in ascending order; returns their number */
static int64_t
list_keys(int64_t n, const uint64_t key[], struct card card[])
{
    int64_t n_card = 0;

    for (int64_t i = 0; i < n; i++) {
        card[i] = (struct card){.key = key[i]};
    }
    if (n > 0) {
        qsort(card, (size_t)n, sizeof *card, by_key);
    }
    for (int64_t i = 0; i < n; i++) {
        if (n_card == 0 || card[i].key != card[n_card - 1].key) {
            card[n_card++] = card[i];
        }
    }
    return n_card;
}

hg_status
hg_split_deal(const hg_split *split, int64_t n, const uint64_t key[], int fold[], int *n_fold)
{
    struct card *card = NULL;
    int64_t n_card;

    HG_TRY(hg_mem_array(&card, (size_t)n, sizeof *card));
    n_card = list_keys(n, key, card);
    *n_fold = split->n_fold > 0 ? split->n_fold : (int)n_card;
    if (n_card < *n_fold || n_card < 2) {
        hg_mem_free(card);
        return HG_FAIL(HG_E_INPUT, "%lld %s cannot be dealt into %d folds", (long long)n_card,
                       split->kind == HG_SPLIT_GROUPS ? "groups of rows" : "rows",
                       *n_fold < 2 ? 2 : *n_fold);
    }
    for (int64_t i = 0; i < n_card; i++) {
        card[i].word = draw_word(split->seed, card[i].key);
    }
    qsort(card, (size_t)n_card, sizeof *card, by_word);
    for (int64_t i = 0; i < n_card; i++) {
        card[i].fold = (int)(i % *n_fold);
    }
    qsort(card, (size_t)n_card, sizeof *card, by_key);
    for (int64_t i = 0; i < n; i++) {
        const struct card wanted = {.key = key[i]};
        const struct card *found = bsearch(&wanted, card, (size_t)n_card, sizeof *card, by_key);

        fold[i] = found->fold;
    }
    hg_mem_free(card);
    return HG_OK;
}

/* distance from the start of the first slab, in [0, 1) of the box */
static double
place(const hg_split *split, double x)
{
    hg_stream s = hg_stream_start(split->seed, 0, (uint64_t)split->axis, HG_PURPOSE_FOLD);
    double u = x / split->box - hg_stream_uniform(&s);

    u -= floor(u);
    return u < 1 ? u : 0;
}

int
hg_split_slab(const hg_split *split, double x)
{
    const int slab = (int)(place(split, x) * split->n_fold);

    return slab < split->n_fold ? slab : split->n_fold - 1;
}

bool
hg_split_trains(const hg_split *split, int fold, double x, int k)
{
    double above, below;

    if (fold == k || split->kind != HG_SPLIT_SLABS) {
        return fold != k;
    }
    above = place(split, x) - (k + 1) / (double)split->n_fold;
    below = k / (double)split->n_fold - place(split, x);
    above -= floor(above);
    below -= floor(below);
    return fmin(above, below) * split->box >= split->buffer;
}

void
hg_split_describe(const hg_split *split, int n_fold, size_t n, char text[])
{
    const unsigned long long seed = split->seed;

    if (split->kind == HG_SPLIT_ROWS) {
        snprintf(text, n, "%d folds of rows, seed %llu", n_fold, seed);
    } else if (split->kind == HG_SPLIT_GROUPS) {
        snprintf(text, n, "%d folds of groups by %s%s, seed %llu", n_fold,
                 split->group != NULL ? split->group : "key",
                 split->n_fold == 0 ? ", one each" : "", seed);
    } else {
        snprintf(text, n, "%d slabs along %c with buffers of %g Mpc, seed %llu", n_fold,
                 "xyz"[split->axis], split -> buffer, seed);
    }
}

int
hg_split_takes(uint64_t key, uint64_t seed, double fraction)
{
    hg_stream s = hg_stream_start(seed, 0, key, HG_PURPOSE_SPLIT);

    return hg_stream_uniform(&s) < fraction;
}
