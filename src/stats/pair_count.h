/** The loops behind pair counts: one rank's columns of points, compared by threads. Layer:
 * stats.
 */
#ifndef HG_STATS_PAIR_COUNT_H
#define HG_STATS_PAIR_COUNT_H

#include "stats/pair_kernel.h"
#include "stats/pairs.h"

enum { HG_PAIR_PASSES = (HG_PAIRS_BIN_MAX + 2) / HG_PAIR_EDGES + 2 };

/** What is counted, and how. */
typedef struct hg_pair_counting {
    const hg_pairs_bins *bins;
    const hg_cells *cells; /**< with two groups: pairs of one of each */
    bool weighted;
    double parts;    /**< products of weights are counted per region in parts of 1 / parts */
    int n_region;    /**< regions of the jackknife, 0 = none */
    int16_t *region; /**< shape (cells->n_slot), or NULL */
    double edge2[HG_PAIRS_BIN_MAX + 1];
    hg_pair_counter counter[2]; /**< of plain counts in space and across */
    int n_pass;
    hg_pair_pass pass[HG_PAIR_PASSES];
} hg_pair_counting;

/** What is found; unordered pairs (of two groups: pairs). */
typedef struct hg_pair_tally {
    int64_t below[HG_PAIR_PASSES][HG_PAIR_EDGES]; /**< plain counts below the edges */
    int64_t *count;                               /**< shape (n, n_second) */
    int64_t *high, *low; /**< the same, sums of weights: whole numbers, and parts of 2^-40 */
    double *sum;         /**< the same, weights of one home column */
    int64_t *touch;      /**< shape (n, n_second, n_region): members that lie in a region */
    int64_t *inside; /**< the same: pairs with both members there; both in parts with weights
                      */
    int64_t zero;    /**< coinciding points */
} hg_pair_tally;

/** Parts of the low words of sums of weights. */
extern const double hg_pair_word;

/** Lay out the passes and find the regions of all points.
 *
 * @local
 * @param[in]     side      regions per side of the box, 0 = none
 * @param[in,out] counting  with bins, cells and weighted filled in; free `region` with
 *                          hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_pair_counting_plan(int side, hg_pair_counting *counting);

/** Count the columns of this rank.
 *
 * @local
 * @param[out] tally  owned by the caller, free with hg_pair_tally_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_pair_tally_run(const hg_pair_counting *counting,
                                          hg_pair_tally **tally);
void hg_pair_tally_free(hg_pair_tally *tally);

/** Bins of a count.
 *
 * @local
 */
int64_t hg_pair_bins(const hg_pair_counting *counting);

#endif
