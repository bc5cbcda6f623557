/** Bins of features: equal counts of training rows, or one bin per value where there are few.
 * Layer: forest. */
#ifndef HG_FOREST_BINS_H
#define HG_FOREST_BINS_H

#include "halograft/comm.h"
#include "halograft/error.h"

enum { HG_BINS_MAX = 65536 };

/** Bins of all features, in ascending order of their values; owned, free with hg_bins_clear().
 * Bin b of feature f is element start[f] + b. */
typedef struct hg_bins {
    int n_feature;
    int most;   /**< bins of the feature that has most */
    int *start; /**< shape (n_feature + 1) */
    float *low; /**< smallest value of the training rows in the bin */
    float *high;
} hg_bins;

/** Make bins from the rows of all ranks, of which each has a part. Up to `most` different
 * values get a bin each; else bins begin at the exact quantiles 0, 1/most, 2/most, ..., and a
 * value that is two quantiles at once has its bin alone. The result does not depend on the
 * distribution of the rows. Weights do not count.
 *
 * @collective{comm}
 * @param[in]  n     rows of this rank, 0 is allowed
 * @param[in]  x     shape (n, stride), features first; finite
 * @param[in]  most  2 to HG_BINS_MAX
 * @param[in]  step  values no further apart than this share a bin; 0 = all differ
 * @param[out] bins  owned by the caller; empty on failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_bins_measure(const hg_comm *comm, int64_t n, int n_feature,
                                        const float x[], size_t stride, int most, float step,
                                        hg_bins *bins);
void hg_bins_clear(hg_bins *bins);

/** Number of bins of a feature.
 *
 * @local
 */
static inline int
hg_bins_count(const hg_bins *bins, int f)
{
    return bins->start[f + 1] - bins->start[f];
}

/** Bin of a value of a training row.
 *
 * @local
 */
int hg_bins_find(const hg_bins *bins, int f, float x);

/** Threshold between two bins: the middle between the highest value of one and the lowest of
 * the other, rounded down to float32, so that high[left] <= t < low[right].
 *
 * @local
 */
float hg_bins_threshold(const hg_bins *bins, int f, int left, int right);

#endif
