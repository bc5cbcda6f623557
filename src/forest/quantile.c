/* Rows are sorted by value, by the bytes of the ordered code of the float, from the lowest on;
 * a byte that all values share costs one look. Shares are integers, so that rows of the same
 * value may stand in any order. */
#include "forest/quantile.h"

#include <math.h>

#include "base/memory.h"

enum { BYTES = 4, DIGITS = 256 };

void
hg_sorter_clear(hg_sorter *s)
{
    hg_mem_free(s->entry);
    hg_mem_free(s->spare);
    *s = (hg_sorter){0};
}

static hg_status
reserve(hg_sorter *s, size_t n)
{
    if (n <= s->room) {
        return HG_OK;
    }
    hg_sorter_clear(s);
    HG_TRY(hg_mem_array(&s->entry, 2 * n, sizeof *s->entry));
    HG_TRY(hg_mem_array(&s->spare, 2 * n, sizeof *s->spare));
    s->room = 2 * n;
    return HG_OK;
}

static void
sort(hg_sorter *s, uint32_t n)
{
    for (int byte = 0; byte < BYTES; byte++) {
        const int shift = 32 + 8 * byte;
        uint32_t begin[DIGITS + 1] = {0};
        uint64_t *swap;

        for (uint32_t i = 0; i < n; i++) {
            begin[(s->entry[i] >> shift & (DIGITS - 1)) + 1]++;
        }
        if (begin[(s->entry[0] >> shift & (DIGITS - 1)) + 1] == n) {
            continue;
        }
        for (int d = 0; d < DIGITS; d++) {
            begin[d + 1] += begin[d];
        }
        for (uint32_t i = 0; i < n; i++) {
            s->spare[begin[s->entry[i] >> shift & (DIGITS - 1)]++] = s->entry[i];
        }
        swap = s->entry;
        s->entry = s->spare;
        s->spare = swap;
    }
}

hg_status
hg_quantiles(const hg_forest *f, const hg_shares *shares, hg_sorter *s, int n,
             const double level[], size_t stride, double quantile[])
{
    uint64_t total = 0;

    for (int q = 0; q < n && shares->n == 0; q++) {
        for (int t = 0; t < f->n_target; t++) {
            quantile[(size_t)q * stride + (size_t)t] = (double)NAN;
        }
    }
    if (shares->n == 0) {
        return HG_OK;
    }
    HG_TRY(reserve(s, shares->n));
    for (uint32_t k = 0; k < shares->n; k++) {
        total += shares->share[shares->row[k]];
    }
    for (int t = 0; t < f->n_target; t++) {
        uint64_t sum = 0;
        uint32_t at = 0;

        for (uint32_t k = 0; k < shares->n; k++) {
            const size_t row = shares->row[k];

            s->entry[k] =
                (uint64_t)hg_domain_code(f->value[row * (size_t)f->n_target + (size_t)t])
                    << 32 |
                row;
        }
        sort(s, shares->n);
        for (int q = 0; q < n; q++) {
            const double wanted = level[q] * (double)total;

            while (at < shares->n && (at == 0 || (double)sum < wanted)) {
                sum += shares->share[(uint32_t)s->entry[at++]];
            }
            quantile[(size_t)q * stride + (size_t)t] =
                (double)hg_domain_value((uint32_t)(s->entry[at - 1] >> 32));
        }
    }
    return HG_OK;
}
