/* Quantiles are order statistics of 32-bit integers in the order of the floats: on one rank
 * looked up in the sorted column, on several found bit by bit from sums of counts, so that no
 * column ever leaves its rank. */
#include "forest/bins.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "forest/model.h"

/* the features while their bins are made: their values on this rank, the first value of each
 * bin. All of them go through each step together, for messages cost more than their length. */
typedef struct hg_columns {
    const hg_comm *comm;
    size_t n;
    int64_t n_all;
    int n_feature;
    int most;
    uint32_t *code;    /* shape (n_feature, n), each sorted */
    uint32_t *scratch; /* shape (n) */
    int64_t *n_bin;    /* shape (n_feature); 0 = too many values for a bin each */
    uint32_t *edge;    /* shape (n_feature, most): first code of each bin */
    int64_t *number;   /* shape (n_feature, most) */
} hg_columns;

static const uint32_t *
find_codes(const hg_columns *c, int f)
{
    return c->code + (size_t)f * c->n;
}

/* radix sort by digits of 8 bits */
static void
sort_codes(size_t n, uint32_t code[], uint32_t scratch[])
{
    uint32_t *from = code, *to = scratch;

    for (int shift = 0; shift < 32; shift += 8) {
        size_t at[256] = {0}, sum = 0;
        uint32_t *keep = from;

        for (size_t i = 0; i < n; i++) {
            at[from[i] >> shift & 255]++;
        }
        for (int d = 0; d < 256; d++) {
            size_t count = at[d];

            at[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) {
            to[at[from[i] >> shift & 255]++] = from[i];
        }
        from = to;
        to = keep;
    }
}

/* number of codes below a value, which may be 2^32 */
static size_t
count_below(size_t n, const uint32_t code[], uint64_t value)
{
    size_t low = 0;

    while (n > 0) {
        size_t half = n / 2;

        if (code[low + half] < value) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

/* copy the first of equal codes, at most `most`; returns how many there are, or most + 1 */
static int
take_values(size_t n, const uint32_t code[], int most, uint32_t value[])
{
    int n_value = 0;

    for (size_t i = 0; i < n && n_value <= most; i++) {
        if (i == 0 || code[i] != code[i - 1]) {
            if (n_value < most) {
                value[n_value] = code[i];
            }
            n_value++;
        }
    }
    return n_value;
}

/* give every value of a feature its bin if the ranks together have few enough */
static hg_status
join_values(hg_columns *c, int f, int n_mine)
{
    uint32_t *edge = c->edge + (size_t)f * (size_t)c->most, *all = NULL, *other = NULL;
    hg_status status = HG_OK;
    int64_t n_all = 0;

    HG_TRY(hg_comm_gather_rows(c->comm, n_mine, sizeof *edge, edge, &n_all, &all));
    HG_TRY_OR(end, status,
              hg_comm_agree(c->comm, hg_mem_array(&other, (size_t)n_all, sizeof *other)));
    sort_codes((size_t)n_all, all, other);
    n_mine = take_values((size_t)n_all, all, c->most, edge);
    c->n_bin[f] = n_mine <= c->most ? n_mine : 0;
end:
    hg_mem_free(all);
    hg_mem_free(other);
    return status;
}

static hg_status
set_value_edges(hg_columns *c)
{
    int mine[HG_FEATURES_MAX] = {0};
    int64_t most[HG_FEATURES_MAX];

    for (int f = 0; f < c->n_feature; f++) {
        mine[f] =
            take_values(c->n, find_codes(c, f), c->most, c->edge + (size_t)f * (size_t)c->most);
        most[f] = mine[f];
    }
    hg_comm_max(c->comm, (size_t)c->n_feature, most);
    for (int f = 0; f < c->n_feature; f++) {
        c->n_bin[f] = 0;
        if (most[f] <= c->most) {
            HG_TRY(join_values(c, f, mine[f]));
        }
    }
    return HG_OK;
}

/* whether a feature still needs its bins: the same on all ranks */
static int
has_many_values(const hg_columns *c)
{
    for (int f = 0; f < c->n_feature; f++) {
        if (c->n_bin[f] == 0) {
            return 1;
        }
    }
    return 0;
}

/* Find the quantiles k / most, k = 0 to most - 1, of all ranks, of the features that need them:
 * the largest values with no more codes below them than the rank says. */
static void
find_quantiles(hg_columns *c)
{
    const size_t most = (size_t)c->most;

    for (int f = 0; f < c->n_feature; f++) {
        for (size_t k = 0; k < most && c->n_bin[f] == 0; k++) {
            const size_t place = (size_t)((int64_t)k * c->n_all / c->most);

            c->edge[(size_t)f * most + k] = c->comm->size == 1 ? find_codes(c, f)[place] : 0;
        }
    }
    for (uint32_t bit = 1u << 31; bit > 0 && c->comm->size > 1; bit >>= 1) {
        memset(c->number, 0, (size_t)c->n_feature * most * sizeof c->number[0]);
        for (int f = 0; f < c->n_feature; f++) {
            for (size_t at = (size_t)f * most; at < ((size_t)f + 1) * most; at++) {
                if (c->n_bin[f] == 0) {
                    c->number[at] =
                        (int64_t)count_below(c->n, find_codes(c, f), c->edge[at] | bit);
                }
            }
        }
        hg_comm_sum(c->comm, (size_t)c->n_feature * most, c->number);
        for (int f = 0; f < c->n_feature; f++) {
            for (size_t k = 0; k < most && c->n_bin[f] == 0; k++) {
                const size_t at = (size_t)f * most + k;

                c->edge[at] |= c->number[at] <= (int64_t)k * c->n_all / c->most ? bit : 0;
            }
        }
    }
}

/* bins begin at the quantiles, and behind a value that is two of them */
static void
set_quantile_edges(hg_columns *c)
{
    const size_t most = (size_t)c->most;

    find_quantiles(c);
    for (int f = 0; f < c->n_feature; f++) { /* the next code behind each */
        for (size_t at = (size_t)f * most; at < ((size_t)f + 1) * most; at++) {
            size_t next = count_below(c->n, find_codes(c, f), (uint64_t)c->edge[at] + 1);

            c->number[at] = next < c->n ? (int64_t)find_codes(c, f)[next] : (int64_t)1 << 32;
        }
    }
    hg_comm_min(c->comm, (size_t)c->n_feature * most, c->number);
    for (int f = 0; f < c->n_feature; f++) {
        const int64_t *next = c->number + (size_t)f * most;
        uint32_t *edge = c->edge + (size_t)f * most, last = 0;
        int n = 0;

        for (size_t k = 0; k < most && c->n_bin[f] == 0; k++) { /* edges follow the quantiles */
            const uint32_t value = edge[k];

            if (n == 0 || value > edge[n - 1]) {
                edge[n++] = value;
            } else if (value == last && value == edge[n - 1] && next[k] < (int64_t)1 << 32) {
                edge[n++] = (uint32_t)next[k];
            }
            last = value;
        }
        c->n_bin[f] = c->n_bin[f] == 0 ? n : c->n_bin[f];
    }
}

/* the ranges of the bins; bins that are too near each other become one */
static void
set_ranges(hg_columns *c, float step, hg_bins *bins)
{
    const size_t most = (size_t)c->most;

    for (int f = 0; f < c->n_feature; f++) { /* the last code below the next bin */
        const uint32_t *edge = c->edge + (size_t)f * most;

        for (size_t b = 0; b < most; b++) {
            const int is_last = (int64_t)b + 1 >= c->n_bin[f];
            size_t end =
                count_below(c->n, find_codes(c, f), is_last ? (uint64_t)1 << 32 : edge[b + 1]);

            c->number[(size_t)f * most + b] = end > 0 ? (int64_t)find_codes(c, f)[end - 1] : -1;
        }
    }
    hg_comm_max(c->comm, (size_t)c->n_feature * most, c->number);
    for (int f = 0; f < c->n_feature; f++) {
        float *low = bins->low + bins->start[f], *high = bins->high + bins->start[f];
        int n = 0;

        for (size_t b = 0; b < (size_t)c->n_bin[f]; b++) {
            float first = hg_domain_value(c->edge[(size_t)f * most + b]);

            if (n > 0 && step > 0 && first <= high[n - 1] + step) {
                n--;
            } else {
                low[n] = first;
            }
            high[n++] = hg_domain_value((uint32_t)c->number[(size_t)f * most + b]);
        }
        bins->start[f + 1] = bins->start[f] + n;
        bins->most = n > bins->most ? n : bins->most;
    }
}

hg_status
hg_bins_measure(const hg_comm *comm, int64_t n, int n_feature, const float x[], size_t stride,
                int most, float step, hg_bins *bins)
{
    const size_t n_value = (size_t)n_feature * (size_t)most;
    hg_columns c = {.comm = comm, .n = (size_t)n, .n_all = n, .n_feature = n_feature};
    hg_status status = HG_OK;

    c.most = most;
    hg_comm_sum(comm, 1, &c.n_all);
    *bins = (hg_bins){.n_feature = n_feature};
    status = hg_mem_zeros(&bins->start, (size_t)n_feature + 1, sizeof *bins->start);
    status = status ? status : hg_mem_array(&bins->low, n_value, sizeof *bins->low);
    status = status ? status : hg_mem_array(&bins->high, n_value, sizeof *bins->high);
    status = status ? status : hg_mem_array(&c.code, (size_t)n_feature * c.n, sizeof *c.code);
    status = status ? status : hg_mem_array(&c.scratch, c.n, sizeof *c.scratch);
    status = status ? status : hg_mem_array(&c.n_bin, (size_t)n_feature, sizeof *c.n_bin);
    status = status ? status : hg_mem_zeros(&c.edge, n_value, sizeof *c.edge);
    status = status ? status : hg_mem_array(&c.number, n_value, sizeof *c.number);
    HG_TRY_OR(end, status, hg_comm_agree(comm, status));
    for (int f = 0; f < n_feature; f++) {
        uint32_t *code = c.code + (size_t)f * c.n;

        for (size_t i = 0; i < c.n; i++) {
            code[i] = hg_domain_code(x[i * stride + (size_t)f] + 0.0f); /* -0 becomes +0 */
        }
        sort_codes(c.n, code, c.scratch);
    }
    HG_TRY_OR(end, status, set_value_edges(&c));
    if (has_many_values(&c)) {
        set_quantile_edges(&c);
    }
    set_ranges(&c, step, bins);
end:
    hg_mem_free(c.code);
    hg_mem_free(c.scratch);
    hg_mem_free(c.n_bin);
    hg_mem_free(c.edge);
    hg_mem_free(c.number);
    if (status != HG_OK) {
        hg_bins_clear(bins);
    }
    return status;
}

void
hg_bins_clear(hg_bins *bins)
{
    hg_mem_free(bins->start);
    hg_mem_free(bins->low);
    hg_mem_free(bins->high);
    *bins = (hg_bins){0};
}

int
hg_bins_find(const hg_bins *bins, int f, float x)
{
    const float *low = bins->low + bins->start[f];
    int at = 0, n = hg_bins_count(bins, f);

    while (n >
           1) { /* the last bin that begins at or below x, without an unpredictable branch */
        int half = n / 2;

        at = low[at + half] <= x ? at + half : at;
        n -= half;
    }
    return at;
}

float
hg_bins_threshold(const hg_bins *bins, int f, int left, int right)
{
    const float a = bins->high[bins->start[f] + left], b = bins->low[bins->start[f] + right];
    const double middle = 0.5 * (double)a + 0.5 * (double)b;
    float t = (float)middle;

    if ((double)t > middle) {
        t = nextafterf(t, -HUGE_VALF);
    }
    return t < b && t >= a ? t : a;
}
