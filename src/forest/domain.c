/* The range of each feature over the training rows. Quantiles are order statistics, found digit
 * by digit: floats are ordered as integers, and three histograms of 11, 11 and 10 bits, summed
 * over ranks, narrow each of them down to one value. Exact, and the same for any distribution
 * of the rows. Threads share the features. */
#include <math.h>

#include "base/memory.h"
#include "forest/model.h"
#include "forest/threads.h"

enum { DIGIT = 11, BINS = 1 << DIGIT, POINTS = 2 };

uint32_t
hg_domain_code(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits ^
           ((0u - (bits >> 31)) | 0x80000000u); /* no branch: signs are hard to foretell */
}

float
hg_domain_value(uint32_t code)
{
    uint32_t bits = code & 0x80000000u ? code & 0x7FFFFFFFu : ~code;
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* one order statistic that is being narrowed down */
typedef struct hg_quantile {
    uint32_t prefix; /* the bits that are known, at the top */
    int64_t rank;    /* among the rows with this prefix */
} hg_quantile;

/* the rows of a rank, and what is counted of the features from first to last - 1 */
typedef struct hg_counting {
    int64_t n;
    const float *x;
    size_t stride;
    int first, last;
} hg_counting;

/* smallest and largest codes, and the rows with each value of the first digit; for one point,
 * as all points have the same */
static void
count_first(const hg_counting *c, int64_t low[], int64_t high[], int64_t count[])
{
    uint32_t least[HG_FEATURES_MAX], most[HG_FEATURES_MAX];

    for (int f = c->first; f < c->last; f++) {
        least[f] = UINT32_MAX;
        most[f] = 0;
    }
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x + (size_t)i * c->stride;

        for (int f = c->first; f < c->last; f++) {
            const uint32_t code = hg_domain_code(x[f]);

            least[f] = code < least[f] ? code : least[f];
            most[f] = code > most[f] ? code : most[f];
            count[f * POINTS * BINS + (int)(code >> (32 - DIGIT))]++;
        }
    }
    for (int f = c->first; f < c->last; f++) {
        low[f] = least[f];
        high[f] = most[f];
    }
}

/* count the rows with each value of a later digit among those with the known ones */
static void
count_next(const hg_counting *c, int known, int digit, const hg_quantile q[], int64_t count[])
{
    const int rest = 32 - known, shift = rest - digit;
    const uint32_t mask = (1u << digit) - 1;
    uint32_t prefix[POINTS][HG_FEATURES_MAX];

    for (int at = c->first * POINTS; at < c->last * POINTS; at++) {
        prefix[at % POINTS][at / POINTS] = q[at].prefix;
    }
    for (int64_t i = 0; i < c->n; i++) {
        const float *x = c->x + (size_t)i * c->stride;

        for (int f = c->first; f < c->last; f++) {
            const uint32_t code = hg_domain_code(x[f]), top = code >> rest;

            if (top != prefix[0][f] && top != prefix[1][f]) {
                continue; /* nearly all */
            }
            for (int p = 0; p < POINTS; p++) {
                if (top == prefix[p][f]) {
                    count[(f * POINTS + p) * BINS + (int)(code >> shift & mask)]++;
                }
            }
        }
    }
}

/* find the digit of each quantile */
static void
take_digit(int n, int known, int digit, const int64_t count[], hg_quantile q[])
{
    for (int at = 0; at < n; at++) {
        const int64_t *own = count + (known == 0 ? at / POINTS * POINTS : at) * BINS;
        uint32_t d = 0;

        while (q[at].rank >= own[d]) {
            q[at].rank -= own[d++];
        }
        q[at].prefix = q[at].prefix << digit | d;
    }
}

hg_status
hg_domain_measure(const hg_comm *comm, int threads, int64_t n, int64_t n_all, int n_feature,
                  const float x[], size_t stride, hg_feature_range range[])
{
    const int wanted = hg_threads(threads);
    const int n_part = wanted < n_feature ? wanted : n_feature;
    const size_t n_count = (size_t)n_feature * POINTS * BINS;
    int64_t low[HG_FEATURES_MAX], high[HG_FEATURES_MAX], *count = NULL;
    hg_quantile q[HG_FEATURES_MAX * POINTS] = {{0}};
    hg_status status;
    int known = 0;

    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_mem_array(&count, n_count, sizeof *count)));
    for (int f = 0; f < n_feature; f++) {
        q[f * POINTS] = (hg_quantile){0, (int64_t)floor(0.001 * (double)(n_all - 1))};
        q[f * POINTS + 1] = (hg_quantile){0, (int64_t)ceil(0.999 * (double)(n_all - 1))};
    }
    for (int pass = 0; pass < 3; pass++) {
        const int digit = pass < 2 ? DIGIT : 32 - 2 * DIGIT;

        memset(count, 0, n_count * sizeof *count);
#pragma omp parallel for schedule(static) num_threads(n_part)
        for (int k = 0; k < n_part; k++) {
            const hg_counting c = {n, x, stride, n_feature * k / n_part,
                                   n_feature * (k + 1) / n_part};

            if (pass == 0) {
                count_first(&c, low, high, count);
            } else {
                count_next(&c, known, digit, q, count);
            }
        }
        hg_comm_sum(comm, n_count, count);
        take_digit(n_feature * POINTS, known, digit, count, q);
        known += digit;
    }
    hg_comm_min(comm, (size_t)n_feature, low);
    hg_comm_max(comm, (size_t)n_feature, high);
    for (int f = 0; f < n_feature; f++) {
        range[f] = (hg_feature_range){
            hg_domain_value((uint32_t)low[f]), hg_domain_value((uint32_t)high[f]),
            hg_domain_value(q[f * POINTS].prefix), hg_domain_value(q[f * POINTS + 1].prefix)};
    }
end:
    hg_mem_free(count);
    return status;
}
