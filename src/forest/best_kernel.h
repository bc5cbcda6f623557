/** The kernel of best-split growth: sums per bin, and the search over the boundaries of bins.
 *
 * A binned record is `stride` bytes: channels, then the bin of each feature. Channels are the
 * target sums q_o * copies (* weight), copies (* weight), 1 and the canonical row number:
 * int32, or int64 with weights. A histogram has a line of n_lane 64-bit sums per bin, in the
 * order of the channels; lanes behind the row count hold rubbish. Every variant gives the same
 * bits. Layer: forest. */
#ifndef HG_FOREST_BEST_KERNEL_H
#define HG_FOREST_BEST_KERNEL_H

#include "forest/bins.h"
#include "forest/kernel.h"

/** Lanes of a line: targets, weight, rows, rounded up to eight. */
enum { HG_LANES_MAX = (HG_TARGETS_MAX + 2 + 7) / 8 * 8, HG_RECORD_ALIGN = 16 };

/** How binned records and histograms are laid out. */
typedef struct hg_layout {
    const hg_bins *bins;
    int n_target;
    int n_lane;
    int is_wide;   /**< bins are uint16, else uint8 */
    int is_long;   /**< channels are int64, else int32 */
    size_t bin_at; /**< byte of the first bin */
    size_t stride; /**< bytes, a multiple of HG_RECORD_ALIGN */
    int64_t min_leaf;
    double cost[HG_LANES_MAX]; /**< as in hg_rule, then zeros */
} hg_layout;

/** A search over some features of a node, and the best boundary found. */
typedef struct hg_search {
    const unsigned char *record; /**< shape (n, stride) */
    size_t n;
    const int64_t *total; /**< shape (n_target + 1): sums of the targets, weight */
    int n_candidate;
    const int *candidate;      /**< shape (n_candidate), ascending */
    int64_t *const *histogram; /**< shape (n_candidate); NULL = from the records */
    int n_varied;              /**< candidates with more than one bin in the node */
    int feature;               /**< chosen, or -1 */
    int left;                  /**< bin left of the boundary */
    int right;                 /**< next bin that has rows of the node */
    double score;              /**< as in hg_split */
    size_t n_left;
    int64_t left_sum[HG_SUMS_MAX];
} hg_search;

/** Scratch of one thread; `line` and `mark` are zero between calls. */
typedef struct hg_groups {
    size_t n;
    int64_t *sum;  /**< shape (most, n_lane): sums up to and with a bin that has rows */
    int *bin;      /**< shape (most): its number */
    int64_t *line; /**< shape (most, n_lane): a histogram */
    unsigned char
        *mark;     /**< shape (most rounded up to 64): 0x80 where the histogram has rows */
    uint64_t *key; /**< shape (HG_SORT_MAX): rows by bin */
} hg_groups;

/** Rows of a node up to which bins are sorted and not counted: for bytes, and as a share of the
 * bins for wide bins. Both ways give the same sums; the limits are first choices. */
enum { HG_SORT_NARROW = 0, HG_SORT_SHARE = 64, HG_SORT_MAX = HG_BINS_MAX / HG_SORT_SHARE };

/** One variant of the kernel. */
typedef struct hg_best_kernel {
    const char *name;
    /** Add rows to a histogram, or take them away (sign -1). */
    void (*add)(const hg_layout *layout, size_t n, const unsigned char record[], int feature,
                int sign, int64_t histogram[]);
    /** Find the best boundary over the candidates; a strictly higher score than the one in
     * `search` replaces it. */
    void (*search)(const hg_layout *layout, hg_search *search, hg_groups *groups);
    /** Copy records with bin <= `bin` to the front of `to`, the others to its back. */
    void (*scatter)(const hg_layout *layout, size_t n, const unsigned char from[],
                    unsigned char to[], int feature, int bin);
} hg_best_kernel;

/** The variant of a name that hg_kernel_choose() gave.
 *
 * @local
 */
const hg_best_kernel *hg_best_kernel_choose(const char *name);

/** Subtract a histogram from another.
 *
 * @local
 */
void hg_best_subtract(const hg_layout *layout, int feature, const int64_t from[],
                      int64_t histogram[]);

#endif
