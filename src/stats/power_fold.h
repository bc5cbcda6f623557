/** Spectra beyond the Nyquist wave number of a mesh, from folded boxes.
 *
 * Points taken modulo L/f on the same mesh give the modes k = f n k_f exactly, each direction
 * in place, so all multipoles; one in f^3 modes is left, so there is no bias, only more
 * variance. Level i is folded factor^i times. A joined spectrum changes from a level to the
 * next at 0.85 of its Nyquist wave number. The modes of a level are among those of the levels
 * below, so adding both where they overlap would count modes twice; there they are compared
 * instead. Layer: stats.
 */
#ifndef HG_STATS_POWER_FOLD_H
#define HG_STATS_POWER_FOLD_H

#include <stdint.h>

#include "halograft/error.h"
#include "stats/power.h"

/** Levels with the box itself, room for edges, and folded fundamentals below which a level has
 * too few modes.
 */
enum { HG_FOLD_LEVELS = 5, HG_FOLD_EDGES = 1024, HG_FOLD_START = 12 };

/** What bins of a joined spectrum are asked to be. */
typedef struct hg_fold_options {
    int64_t mesh; /**< cells per side */
    int n_level;  /**< 1 = the box alone, at most HG_FOLD_LEVELS */
    int factor;   /**< of each level to the one below, at least 2 where there are several */
    double k_max; /**< end of the last level, as a share of its Nyquist wave number */
    double width; /**< least width of a bin in fundamentals of its level */
    double dlnk;  /**< least width in ln k */
} hg_fold_options;

/** Bins of a joined spectrum. */
typedef struct hg_fold_bins {
    int n_level, factor;
    int n;
    double edge[HG_FOLD_EDGES];    /**< shape (n + 1), in units of the box's fundamental */
    int first[HG_FOLD_LEVELS + 1]; /**< first bin of each level, then n */
    int start[HG_FOLD_LEVELS];     /**< first bin in which a level has enough modes */
} hg_fold_bins;

/** Lay out bins whose edges meet where levels change.
 *
 * @local
 * @param[out] bins  filled
 * @return HG_OK; HG_E_ARG for more bins than there is room for, and for a mesh so small that
 * levels do not overlap, with the size that would do
 */
HG_MUST_CHECK hg_status hg_fold_bins_init(const hg_fold_options *options, hg_fold_bins *bins);

/** Times that a level is folded along each axis.
 *
 * @local
 */
int64_t hg_fold_times(const hg_fold_bins *bins, int level);

/** Turn the sums of a density whose box is L/times, with all points of the box L in it, into
 * those of L: powers grow by the volume.
 *
 * @local
 * @param[in,out] fine  its box stays L/times, whose fundamental its bins count
 */
void hg_fine_unfold(hg_fine *fine, int64_t times);

/** Bin a level from start[level] to the end of what it serves in the joined spectrum.
 *
 * @local
 * @param[in]  fine   sums of that level, unfolded
 * @param[out] power  release with hg_power_clear()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_fold_level(const hg_fold_bins *bins, const hg_fine *fine, int level,
                                      hg_power *power);

/** Join the levels.
 *
 * @local
 * @param[in]  fine   shape (n_level), unfolded
 * @param[out] power  release with hg_power_clear()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_fold_join(const hg_fold_bins *bins, const hg_fine fine[],
                                     hg_power *power);

/** Compare a level with the joined spectrum where that is made of levels below: mean squared
 * difference of a multipole over what is expected of a part of the modes, sigma^2 of the level
 * - sigma^2 of all.
 *
 * @local
 * @param[in]  level  from 1
 * @param[in]  one    from hg_fold_level()
 * @param[in]  pole   0, 1, 2 for l = 0, 2, 4
 * @param[out] n      bins compared
 * @return about 1; NAN without such bins
 */
double hg_fold_overlap(const hg_fold_bins *bins, int level, const hg_power *joined,
                       const hg_power *one, int pole, int *n);

#endif
