/* The range of each feature over the training rows. Quantiles are order statistics, found digit
 * by digit: floats are ordered as integers, and three histograms of 11, 11 and 10 bits, summed
 * over ranks, narrow each of them down to one value. Exact, and the same for any distribution
 * of the rows. */
#include <math.h>

#include "base/memory.h"
#include "forest/model.h"

enum { DIGIT = 11, BINS = 1 << DIGIT, POINTS = 2 };

uint32_t
hg_domain_code(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
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

/* count the rows with each value of a digit; of the first digit for one point, as all points
 * have the same */
static void
count_digit(int64_t n, int n_feature, const float x[], size_t stride, int known, int digit,
            const hg_quantile q[], int64_t count[])
{
    const int shift = 32 - known - digit;

    for (int64_t i = 0; i < n; i++) {
        for (int f = 0; f < n_feature; f++) {
            const uint32_t code = hg_domain_code(x[(size_t)i * stride + (size_t)f]);

            for (int p = 0; p < (known == 0 ? 1 : POINTS); p++) {
                const int at = f * POINTS + p;

                if (known == 0 || code >> (32 - known) == q[at].prefix) {
                    count[at * BINS + (int)(code >> shift & ((1u << digit) - 1))]++;
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
hg_domain_measure(const hg_comm *comm, int64_t n, int64_t n_all, int n_feature, const float x[],
                  size_t stride, hg_feature_range range[])
{
    const size_t n_count = (size_t)n_feature * POINTS * BINS;
    int64_t low[HG_FEATURES_MAX], high[HG_FEATURES_MAX], *count = NULL;
    hg_quantile q[HG_FEATURES_MAX * POINTS] = {{0}};
    hg_status status;
    int known = 0;

    HG_TRY_OR(end, status, hg_comm_agree(comm, hg_mem_array(&count, n_count, sizeof *count)));
    for (int f = 0; f < n_feature; f++) {
        low[f] = UINT32_MAX;
        high[f] = 0;
        q[f * POINTS] = (hg_quantile){0, (int64_t)floor(0.001 * (double)(n_all - 1))};
        q[f * POINTS + 1] = (hg_quantile){0, (int64_t)ceil(0.999 * (double)(n_all - 1))};
    }
    for (int64_t i = 0; i < n; i++) {
        for (int f = 0; f < n_feature; f++) {
            const int64_t code = hg_domain_code(x[(size_t)i * stride + (size_t)f]);

            low[f] = code < low[f] ? code : low[f];
            high[f] = code > high[f] ? code : high[f];
        }
    }
    hg_comm_min(comm, (size_t)n_feature, low);
    hg_comm_max(comm, (size_t)n_feature, high);
    for (int pass = 0; pass < 3; pass++) {
        const int digit = pass < 2 ? DIGIT : 32 - 2 * DIGIT;

        memset(count, 0, n_count * sizeof *count);
        count_digit(n, n_feature, x, stride, known, digit, q, count);
        hg_comm_sum(comm, n_count, count);
        take_digit(n_feature * POINTS, known, digit, count, q);
        known += digit;
    }
    for (int f = 0; f < n_feature; f++) {
        range[f] = (hg_feature_range){
            hg_domain_value((uint32_t)low[f]), hg_domain_value((uint32_t)high[f]),
            hg_domain_value(q[f * POINTS].prefix), hg_domain_value(q[f * POINTS + 1].prefix)};
    }
end:
    hg_mem_free(count);
    return status;
}
