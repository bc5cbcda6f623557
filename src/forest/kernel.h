/** The training kernel: random words, the choice of a split, and the partition of moved
 * records.
 *
 * A record is `stride` words (a multiple of 64 bytes): x[n_feature] floats, then n_channel
 * integers, then the canonical row number. Every variant gives the same bits. Layer: forest.
 */
#ifndef HG_FOREST_KERNEL_H
#define HG_FOREST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "halograft/forest.h"

/** One word of a record. */
typedef union hg_word {
    float f;
    int32_t i;
    uint32_t u;
} hg_word;

enum {
    HG_LINE = 16,                     /**< words of a 64-byte line */
    HG_SUMS_MAX = HG_TARGETS_MAX + 1, /**< targets and weight of a node */
    HG_COUNT_SHIFT = 16,              /**< count channel: rows << 16 | copies */
    HG_SPLIT_SHIFT = 24,              /**< weighted channels: value = high << 24 + low */
    HG_FLUSH_MAX = 128                /**< rows summed in int32 at most */
};

/** What is common to all nodes of a forest.
 *
 * Channels of a record, unweighted: q_o * copies per target, then the count channel. Weighted:
 * high and low part of q_o * copies * weight per target, copies * weight, the count channel.
 */
typedef struct hg_rule {
    int n_feature;
    int n_lane; /**< n_feature rounded up to 16 */
    int n_word; /**< n_feature rounded up to 32: words drawn per node */
    int n_target;
    int n_channel;
    int n_candidate;
    int is_weighted;
    int is_unit;   /**< single copies, unweighted: all count channels are alike */
    size_t stride; /**< words per record */
    size_t flush;  /**< rows whose int32 sums cannot overflow, a power of two */
    int64_t min_leaf;
    float constant_step;
    double cost[HG_TARGETS_MAX]; /**< factor of each target's squared difference of means */
    uint32_t key[2];             /**< of this tree's streams */
} hg_rule;

/** Least and greatest value of each feature over some rows. */
typedef struct hg_range {
    float *low;  /**< shape (n_lane) */
    float *high; /**< shape (n_lane) */
} hg_range;

/** Arrays of one thread; rows of n_lane (n_word for words). */
typedef struct hg_lanes {
    hg_range range; /**< of a node that comes without */
    float *threshold;
    int32_t *is_feature; /**< -1 for lanes below n_feature, else 0 */
    int32_t *is_usable;  /**< -1: candidate and not constant */
    int32_t *sum;        /**< shape (n_channel, n_lane): int32 sums left of the threshold */
    int64_t *total;      /**< shape (n_target + 2, n_lane): targets, weight, rows */
    double *score;
    uint32_t *priority;
} hg_lanes;

/** A node to be split, and the split that was chosen. */
typedef struct hg_split {
    const hg_word *record; /**< shape (n, stride) */
    size_t n;
    const int64_t *total; /**< shape (n_target + 1): sums of the targets, weight */
    const uint32_t *word; /**< shape (n_word): threshold words */
    uint64_t path;        /**< keys the priorities */
    hg_range range;       /**< of the records, when it is known */
    int has_range;
    int feature; /**< chosen, or -1 */
    float threshold;
    double score; /**< sum_o c_o (mean_L - mean_R)^2 w_L w_R / w^2 */
    size_t n_left;
    int64_t left[HG_SUMS_MAX]; /**< sums and weight of the left side */
} hg_split;

/** One variant of the kernel. */
typedef struct hg_kernel {
    const char *name;
    /** Threshold words of one or two nodes: feature f takes word (f % 32) / 8 of block
     * 8 (f / 32) + f % 8, so that a vector of eight blocks needs no transposition. */
    void (*draw)(const uint32_t key[2], int n_path, const uint64_t path[], uint32_t purpose,
                 int n_word, uint32_t *const word[]);
    /** Take rows into a range, which begins with them or is extended. */
    void (*range)(const hg_rule *rule, int is_first, size_t n, const hg_word *record,
                  hg_range range);
    /** Choose the best split of a node. */
    void (*split)(const hg_rule *rule, const hg_lanes *lanes, hg_split *split);
    /** Copy records with x <= threshold to the front of `to`, the others to its back. */
    void (*scatter)(size_t stride, size_t n, const hg_word *from, hg_word *to, int feature,
                    float threshold);
    /** The same, and the ranges of both sides. */
    void (*divide)(const hg_rule *rule, size_t n, const hg_word *from, hg_word *to, int feature,
                   float threshold, hg_range left, hg_range right);
    /** The same in place. */
    void (*partition)(const hg_rule *rule, size_t n, hg_word *record, int feature,
                      float threshold, hg_range left, hg_range right);
} hg_kernel;

/** The fastest variant this processor has, or the one named by HG_SIMD (portable, avx2,
 * avx512).
 *
 * @local
 * @return HG_OK; HG_E_ENVIRONMENT when HG_SIMD names a variant that is unknown or not available
 */
HG_MUST_CHECK hg_status hg_kernel_choose(const hg_kernel **kernel);

/** Mark the candidates of a node when fewer than all features are tried: the n_candidate
 * features with the lowest (priority, number), or, if all of them are constant, the first one
 * that is not.
 *
 * @local
 * @param[in,out] is_usable  shape (n_feature); in: not constant; out: also a candidate
 */
void hg_kernel_candidates(const hg_rule *rule, uint64_t path, const hg_lanes *lanes,
                          int32_t is_usable[]);

/** Word of one feature, as hg_kernel.draw gives it.
 *
 * @local
 */
uint32_t hg_kernel_word(const uint32_t key[2], uint64_t path, uint32_t purpose, int feature);

/** Threshold in [min, max) from a word: three roundings in float32, t == max becomes min.
 *
 * @local
 */
static inline float
hg_kernel_threshold(uint32_t word, float min, float max)
{
    float t = (float)(int32_t)(word >> 8) * 0x1p-24f * (max - min) + min;

    return t < max ? t : min;
}

#endif
