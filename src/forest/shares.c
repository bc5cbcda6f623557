/* A table with open addresses, which stays in the first cache: an array over all training rows
 * would not. */
#include "forest/shares.h"

#include "base/memory.h"

enum { FIRST_BITS = 9 };

static const uint32_t golden = 2654435769u; /* 2^32 over the golden ratio */

static hg_status
allocate(int bits, hg_shares *s)
{
    const size_t n = (size_t)1 << bits;

    s->shift = 32 - bits;
    HG_TRY(hg_mem_array(&s->row, n, sizeof *s->row));
    HG_TRY(hg_mem_zeros(&s->share, n, sizeof *s->share));
    HG_TRY(hg_mem_array(&s->place, n / 2, sizeof *s->place));
    HG_TRY(hg_mem_array(&s->group, n, sizeof *s->group));
    return hg_mem_zeros(&s->stamp, n, sizeof *s->stamp);
}

void
hg_shares_clear(hg_shares *s)
{
    hg_mem_free(s->row);
    hg_mem_free(s->share);
    hg_mem_free(s->place);
    hg_mem_free(s->group);
    hg_mem_free(s->stamp);
    *s = (hg_shares){0};
}

hg_status
hg_shares_start(hg_shares *s)
{
    if (s->stamp == NULL) {
        hg_shares_clear(s);
        HG_TRY(allocate(FIRST_BITS, s));
    }
    for (uint32_t k = 0; k < s->n; k++) {
        s->share[s->place[k]] = 0;
    }
    s->n = 0;
    s->n_tree = 0;
    s->squares = 0;
    return HG_OK;
}

static void
add_row(hg_shares *s, uint32_t row, uint64_t share)
{
    const uint32_t mask = UINT32_MAX >> s->shift;
    uint32_t at = (row * golden) >> s->shift;

    while (s->share[at] != 0 && s->row[at] != row) {
        at = (at + 1) & mask;
    }
    if (s->share[at] == 0) {
        s->row[at] = row;
        s->place[s->n++] = at;
    }
    s->share[at] += share;
}

/* room for n rows more */
static hg_status
reserve(hg_shares *s, uint64_t n)
{
    int bits = 32 - s->shift;
    hg_shares larger = {0};
    hg_status status;

    while (s->n + n > (uint64_t)1 << (bits - 1) && bits < 31) {
        bits++;
    }
    if (bits == 32 - s->shift) {
        return HG_OK;
    }
    status = allocate(bits, &larger);
    if (status != HG_OK) {
        hg_shares_clear(&larger);
        return status;
    }
    for (uint32_t k = 0; k < s->n; k++) {
        add_row(&larger, s->row[s->place[k]], s->share[s->place[k]]);
    }
    larger.n_tree = s->n_tree;
    larger.squares = s->squares;
    hg_shares_clear(s);
    *s = larger;
    return HG_OK;
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

/* rows that all count the same, which needs no division for each */
static void
add_equal(uint64_t n, const uint32_t mate[], hg_shares *s)
{
    const uint64_t share = ((uint64_t)1 << HG_SHARE_BITS) / n;

    for (uint64_t k = 0; k < n && share > 0; k++) {
        add_row(s, mate[k], share);
    }
    s->squares += n * share * share;
}

hg_status
hg_shares_add(const hg_forest *f, int tree, uint32_t leaf, int64_t self, hg_shares *s)
{
    const uint64_t *offset = f->mate_offset + f->leaf_offset[tree] + leaf;
    const uint32_t *mate = f->mate + offset[0];
    const uint64_t n = offset[1] - offset[0];
    uint64_t sum = 0;

    for (uint64_t k = 0; k < n && (self >= 0 || f->is_weighted); k++) {
        sum += weight_of(f, mate[k], self);
    }
    if (self < 0 && !f->is_weighted) {
        sum = n;
    }
    if (sum == 0) {
        return HG_OK;
    }
    HG_TRY(reserve(s, n));
    s->n_tree++;
    if (self < 0 && !f->is_weighted) {
        add_equal(n, mate, s);
        return HG_OK;
    }
    for (uint64_t k = 0; k < n; k++) {
        const uint64_t share = (weight_of(f, mate[k], self) << HG_SHARE_BITS) / sum;

        if (share > 0) {
            add_row(s, mate[k], share);
            s->squares += share * share;
        }
    }
    return HG_OK;
}

static int32_t
count_groups(const hg_forest *f, hg_shares *s)
{
    const uint32_t mask = UINT32_MAX >> s->shift;
    int32_t n = 0;

    if (f->group[0] == f->group[f->n_row - 1]) { /* canonical rows ascend in group */
        return s->n > 0;
    }
    s->n_search++;
    for (uint32_t k = 0; k < s->n; k++) {
        const uint64_t group = f->group[s->row[s->place[k]]];
        uint32_t at = ((uint32_t)(group ^ group >> 32) * golden) >> s->shift;

        while (s->stamp[at] == s->n_search && s->group[at] != group) {
            at = (at + 1) & mask;
        }
        if (s->stamp[at] != s->n_search) {
            s->stamp[at] = s->n_search;
            s->group[at] = group;
            n++;
        }
    }
    return n;
}

hg_near
hg_shares_near(const hg_forest *f, hg_shares *s)
{
    const double unit = (double)((uint64_t)1 << HG_SHARE_BITS), n = s->n_tree;
    double own, both, pairs, all;
    uint64_t sum = 0;

    if (s->n_tree == 0) {
        return (hg_near){0, 0};
    }
    for (uint32_t k = 0; k < s->n; k++) {
        sum += s->share[s->place[k]] * s->share[s->place[k]];
    }
    own = (double)s->squares / (unit * unit) / n;
    both = (double)sum / (unit * unit) / (n * n);
    pairs = n > 1 ? (both - own / n) / (1 - 1 / n) : own;
    pairs = pairs > 0 ? pairs : 0;
    all = own / f->n_tree + (1 - 1.0 / f->n_tree) * pairs;
    return (hg_near){1 / all, count_groups(f, s)};
}
