/* Targets become integers q = (y - centre) / quantum below 2^23; the variances by which the
 * criterion scales them are sums of integers too. Weights become integers times a power of two.
 * Each rank measures its own rows, and minima, maxima and sums go over ranks. */
#include "forest/scaling.h"

#include <float.h>
#include <math.h>

#include "base/hash.h"
#include "base/memory.h"
#include "forest/threads.h"

enum { Q_MAX = (1 << 23) - 1, WEIGHT_BITS = 20, SUM_BITS = 38 };

/* integer weights: w = integer * unit, exact for weights of few bits; equal weights count as
 * none */
static hg_status
set_weights(const hg_comm *comm, hg_rows *rows, hg_forest *f)
{
    double most = 0, first = 0;
    int64_t low = INT64_MAX, high = 0;
    int exponent = 0, bits = 0;

    HG_TRY(hg_comm_agree(comm,
                         hg_mem_array(&rows->integer, (size_t)rows->n, sizeof *rows->integer)));
    for (int64_t i = 0; i < rows->n; i++) {
        rows->integer[i] = 1;
        most = rows->has_weight && rows->weight[i] > most ? rows->weight[i] : most;
    }
    if (!rows->has_weight) {
        return HG_OK;
    }
    hg_comm_max_double(comm, 1, &most);
    while ((int64_t)1 << bits < rows->n_all) {
        bits++;
    }
    bits = SUM_BITS - bits < WEIGHT_BITS ? SUM_BITS - bits : WEIGHT_BITS;
    frexp(most, &exponent);
    for (int64_t i = 0; i < rows->n; i++) {
        long long w = llrint(ldexp(rows->weight[i], bits - exponent));

        rows->integer[i] = w < 1 ? 1 : (uint32_t)w;
        low = rows->integer[i] < low ? rows->integer[i] : low;
        high = rows->integer[i] > high ? rows->integer[i] : high;
    }
    hg_comm_min(comm, 1, &low);
    hg_comm_max(comm, 1, &high);
    f->is_weighted = low < high;
    f->weight_unit = ldexp(1, exponent - bits);
    if (!f->is_weighted) { /* that of the first row, which some rank has */
        first = rows->n > 0 && rows->first == 0 ? rows->weight[0] : 0;
        hg_comm_max_double(comm, 1, &first);
        f->weight_unit = first;
        for (int64_t i = 0; i < rows->n; i++) {
            rows->integer[i] = 1;
        }
    }
    return HG_OK;
}

/* centre, quantum and standard deviation of each target; returns the variance in quanta */
static double
measure_target(const hg_comm *comm, int threads, const hg_rows *rows, int o, hg_forest *f)
{
    const int n_target = f->n_target;
    double least = HUGE_VAL, most = -HUGE_VAL, range[2], mean, variance, min, max;
    int64_t linear = 0, high = 0, low = 0, sum[3];

#pragma omp parallel for num_threads(threads) reduction(min : least) reduction(max : most)
    for (int64_t i = 0; i < rows->n; i++) {
        double y = rows->y[i * n_target + o];

        least = y < least ? y : least;
        most = y > most ? y : most;
    }
    range[0] = -least;
    range[1] = most;
    hg_comm_max_double(comm, 2, range);
    min = -range[0] + 0.0; /* no -0 */
    max = range[1];
    f->centre[o] = 0.5 * min + 0.5 * max;
    f->quantum[o] = (0.5 * max - 0.5 * min) / Q_MAX;
    if (!(f->quantum[o] > DBL_MIN)) {
        f->centre[o] = min;
        f->quantum[o] = 0;
        f->scale[o] = 0;
        return 0;
    }
#pragma omp parallel for num_threads(threads) reduction(+ : linear, high, low)
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t q = llrint((rows->y[i * n_target + o] - f->centre[o]) / f->quantum[o]);

        linear += q;
        high += (q * q) >> 23;
        low += (q * q) & ((1 << 23) - 1);
    }
    sum[0] = linear;
    sum[1] = high;
    sum[2] = low;
    hg_comm_sum(comm, 3, sum);
    mean = (double)sum[0] / (double)rows->n_all;
    variance = (double)sum[1] / (double)rows->n_all * 0x1p23 +
               (double)sum[2] / (double)rows->n_all - mean * mean;
    f->scale[o] = sqrt(variance) * f->quantum[o];
    return variance;
}

static int32_t
quantise(const hg_forest *f, int o, double y)
{
    long long q = f->quantum[o] > 0 ? llrint((y - f->centre[o]) / f->quantum[o]) : 0;

    return (int32_t)(q > Q_MAX ? Q_MAX : q < -Q_MAX ? -Q_MAX : q);
}

static void
set_rule(const hg_train_options *o, const hg_forest *f, hg_rule *rule)
{
    const int n_feature = f->n_feature;

    rule->n_feature = n_feature;
    rule->n_lane = (n_feature + 15) / 16 * 16;
    rule->n_word = (n_feature + 31) / 32 * 32;
    rule->n_target = f->n_target;
    rule->is_weighted = f->is_weighted;
    rule->n_channel = f->is_weighted ? 2 * f->n_target + 2 : f->n_target + 1;
    rule->stride = (size_t)(n_feature + rule->n_channel + 1 + HG_LINE - 1) / HG_LINE * HG_LINE;
    rule->n_candidate = (int)(o->max_features * n_feature);
    rule->n_candidate = rule->n_candidate < 1 ? 1 : rule->n_candidate;
    rule->min_leaf = o->min_leaf;
    rule->constant_step = (float)o->constant_step;
}

/* Hash of all that decides how a tree with given options is grown: a sum of one hash per row,
 * so that ranks can add theirs, and the scales. */
static uint64_t
hash_rows(const hg_comm *comm, int threads, const hg_rule *rule, const hg_rows *rows,
          const hg_forest *f)
{
    const size_t n_target = (size_t)f->n_target;
    uint64_t sum = 0, hash;
    int64_t half[2];

#pragma omp parallel for num_threads(threads) reduction(+ : sum) private(hash)
    for (int64_t i = 0; i < rows->n; i++) {
        const uint64_t key[] = {(uint64_t)(rows->first + i), rows->group[i], rows->integer[i]};

        hash = hg_hash_bytes(rows->record + (size_t)i * rule->stride,
                             rule->stride * sizeof *rows->record);
        sum += hg_hash_more(hash, key, sizeof key);
    }
    half[0] = (int64_t)(sum & UINT32_MAX); /* two sums that cannot overflow */
    half[1] = (int64_t)(sum >> 32);
    hg_comm_sum(comm, 2, half);
    hash = (uint64_t)half[0] + ((uint64_t)half[1] << 32);
    hash = hg_hash_more(hash, &rows->n_all, sizeof rows->n_all);
    hash = hg_hash_more(hash, f->centre, n_target * sizeof *f->centre);
    hash = hg_hash_more(hash, f->quantum, n_target * sizeof *f->quantum);
    return hg_hash_more(hash, f->cost, n_target * sizeof *f->cost);
}

hg_status
hg_scaling_make(const hg_comm *comm, const hg_train_options *o, const hg_train_data *d,
                hg_rows *rows, hg_shared *block, hg_forest *f, hg_plan *plan)
{
    const int threads = /* NOLINT: the analyser does not look into pragmas */
        hg_threads(o->threads);
    hg_rule *rule = &plan->rule;
    double spread = 0; /* what a tree can gain at most, about */

    HG_TRY(set_weights(comm, rows, f));
    set_rule(o, f, rule);
    for (int t = 0; t < f->n_target; t++) {
        double variance = measure_target(comm, threads, rows, t, f);
        double weight = d->target_weight != NULL ? d->target_weight[t] : 1;

        f->target_weight[t] = weight;
        f->cost[t] = !o->scale_targets ? weight * f->quantum[t] * f->quantum[t]
                     : variance > 0    ? weight / variance
                                       : 0;
        rule->cost[t] = f->cost[t];
        spread += f->cost[t] * variance;
    }
    if (spread > 0) { /* steps of 2^-38 of it; a sum may exceed it 2^14 times and stay exact */
        plan->gain_round = ldexp(0x1.8p52, ilogb(spread) - 38);
    }
    if (block != NULL) {
        HG_TRY(hg_shared_create(comm, (size_t)rows->n_all * rule->stride * sizeof(hg_word),
                                block));
    }
    HG_TRY(hg_rows_place_features(comm, d, rule->stride, block, rows));
#pragma omp parallel for num_threads(threads)
    for (int64_t i = 0; i < rows->n; i++) {
        hg_word *q = rows->record + (size_t)i * rule->stride + f->n_feature;

        for (int t = 0; t < f->n_target; t++) {
            q[t].i = quantise(f, t, rows->y[i * f->n_target + t]);
        }
    }
    plan->options = *o;
    plan->feature_bits = f->feature_bits;
    memcpy(plan->centre, f->centre, sizeof plan->centre);
    memcpy(plan->quantum, f->quantum, sizeof plan->quantum);
    f->rows_hash = hash_rows(comm, threads, rule, rows, f);
    HG_TRY(hg_domain_measure(comm, o->threads, rows->n, rows->n_all, f->n_feature,
                             rows->n > 0 ? &rows->record->f : NULL, rule->stride, f->range));
    return hg_comm_agree(comm, hg_kernel_choose(&plan->kernel));
}

void
hg_scaling_residuals(const hg_train_options *o, const hg_rows *rows, const int64_t oob_sum[],
                     const int64_t oob_trees[], const hg_forest *f, float residual[])
{
    for (int64_t i = 0; i < rows->n; i++) {
        for (int t = 0; t < f->n_target; t++) {
            int64_t at = i * f->n_target + t;
            double mean = (double)oob_sum[at] / (double)(oob_trees[i] * HG_OOB_QUANTUM);

            residual[at] = NAN;
            if (oob_trees[i] >= o->oob_trees_min) {
                residual[at] = (float)(rows->y[at] - (f->centre[t] + f->quantum[t] * mean));
            }
        }
    }
}
