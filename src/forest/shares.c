/* Shares stand in an array over all training rows, of which rows that come one after another
 * touch the same small part. Those with a share are listed, and the sum of squares is kept up
 * to date, so that nothing has to be searched. */
#include "forest/shares.h"

#include "base/memory.h"

static hg_status
number_groups(const hg_forest *f, hg_shares *s)
{
    uint32_t n = 0;

    HG_TRY(hg_mem_array(&s->group, (size_t)f->n_row, sizeof *s->group));
    for (int64_t i = 0; i < f->n_row; i++) { /* canonical rows ascend in group */
        n += i > 0 && f->group[i] != f->group[i - 1];
        s->group[i] = n;
    }
    return hg_mem_zeros(&s->stamp, (size_t)n + 1, sizeof *s->stamp);
}

hg_status
hg_shares_init(const hg_forest *f, hg_shares *s)
{
    HG_TRY(number_groups(f, s));
    HG_TRY(hg_mem_array(&s->row, (size_t)f->n_row + 1, sizeof *s->row));
    return hg_mem_zeros(&s->share, (size_t)f->n_row, sizeof *s->share);
}

void
hg_shares_clear(hg_shares *s)
{
    hg_mem_free(s->row);
    hg_mem_free(s->share);
    hg_mem_free(s->group);
    hg_mem_free(s->stamp);
    *s = (hg_shares){0};
}

void
hg_shares_start(hg_shares *s)
{
    for (uint32_t k = 0; k < s->n; k++) {
        s->share[s->row[k]] = 0;
    }
    s->n = 0;
    s->n_tree = 0;
    s->own = 0;
    s->joint = 0;
}

static uint64_t
weight_of(const hg_forest *f, uint32_t mate, int64_t self)
{
    if (self >= 0 &&
        (mate == self || (f->parent[self] != 0 && f->parent[mate] == f->parent[self]) ||
         (f->options.bag == HG_BAG_GROUP && f->group[mate] == f->group[self]))) {
        return 0;
    }
    return f->is_weighted ? f->weight[mate] : 1;
}

/* rows that all count the same */
static void
add_equal(uint64_t n, const uint32_t mate[], hg_shares *s)
{
    const uint64_t share = ((uint64_t)1 << HG_SHARE_BITS) / n;
    uint64_t before = 0;
    uint32_t n_row = s->n;

    for (uint64_t k = 0; k < n && share > 0; k++) {
        const uint64_t old = s->share[mate[k]];

        s->row[n_row] = mate[k]; /* one place more than rows lets this stand without a test */
        n_row += old == 0;
        s->share[mate[k]] = old + share;
        before += old;
    }
    s->n = n_row;
    s->own += n * share * share;
    s->joint += share * (2 * before + n * share);
}

static void
add_weighted(const hg_forest *f, uint64_t n, const uint32_t mate[], int64_t self, uint64_t sum,
             hg_shares *s)
{
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t share = (weight_of(f, mate[k], self) << HG_SHARE_BITS) / sum;
        const uint64_t old = s->share[mate[k]];

        if (share > 0) {
            if (old == 0) {
                s->row[s->n++] = mate[k];
            }
            s->share[mate[k]] = old + share;
            s->own += share * share;
            s->joint += share * (2 * old + share);
        }
    }
}

void
hg_shares_add(const hg_forest *f, int tree, uint32_t leaf, int64_t self, hg_shares *s)
{
    const uint64_t *offset = f->mate_offset + f->leaf_offset[tree] + leaf;
    const uint32_t *mate = f->mate + offset[0];
    const uint64_t n = offset[1] - offset[0];
    uint64_t sum = 0;

    if (self < 0 && !f->is_weighted) {
        if (n > 0) {
            s->n_tree++;
            add_equal(n, mate, s);
        }
        return;
    }
    for (uint64_t k = 0; k < n; k++) {
        sum += weight_of(f, mate[k], self);
    }
    if (sum > 0) {
        s->n_tree++;
        add_weighted(f, n, mate, self, sum, s);
    }
}

static int32_t
count_groups(hg_shares *s)
{
    int32_t n = 0;

    s->n_search++;
    for (uint32_t k = 0; k < s->n; k++) {
        const uint32_t group = s->group[s->row[k]];

        n += s->stamp[group] != s->n_search;
        s->stamp[group] = s->n_search;
    }
    return n;
}

hg_near
hg_shares_near(const hg_forest *f, hg_shares *s)
{
    const double unit = (double)((uint64_t)1 << HG_SHARE_BITS), n = s->n_tree;
    double own, both, pairs, all;

    if (s->n_tree == 0) {
        return (hg_near){0, 0};
    }
    own = (double)s->own / (unit * unit) / n;
    both = (double)s->joint / (unit * unit) / (n * n);
    pairs = n > 1 ? (both - own / n) / (1 - 1 / n) : own;
    pairs = pairs > 0 ? pairs : 0;
    all = own / f->n_tree + (1 - 1.0 / f->n_tree) * pairs;
    return (hg_near){1 / all, count_groups(s)};
}
