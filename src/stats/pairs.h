/** Exact pair counts in a periodic cube: DD(r), DD(s, mu), DD(rp, pi), distributed over ranks.
 *
 * Counts are of ordered pairs (each pair twice, i != j), 64-bit and the same for any number of
 * ranks and threads: separations are formed in double from folded coordinates and integer
 * images, and their squares are compared with the squares of the edges. Bins are [low, high).
 * Layer: stats.
 */
#ifndef HG_STATS_PAIRS_H
#define HG_STATS_PAIRS_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "stats/power.h"
#include "table/cells.h"

/** What separates the members of a pair. */
typedef enum hg_pairs_kind {
    HG_PAIRS_R,     /**< distance */
    HG_PAIRS_S_MU,  /**< distance, and |mu| = |pi| / s in equal bins of [0, 1], 1 included */
    HG_PAIRS_RP_PI, /**< distance across the line of sight, and |pi| in equal bins */
} hg_pairs_kind;

enum { HG_PAIRS_BIN_MAX = 1000, HG_PAIRS_SECOND_MAX = 1000 };

/** Bins of a count. */
typedef struct hg_pairs_bins {
    hg_pairs_kind kind;
    int n;              /**< bins of r, s or rp; at most HG_PAIRS_BIN_MAX */
    const double *edge; /**< shape (n + 1), increasing, not negative, the last <= box / 2 */
    int n_second;       /**< bins of |mu| or |pi|; 1 for HG_PAIRS_R */
    double pi_max;      /**< end of the bins of |pi|, <= box / 2; else ignored */
    hg_los los;         /**< line of sight; none is z */
} hg_pairs_bins;

/** What is counted: all pairs of a sample, or those of one object of `a` and one of `b`. */
typedef struct hg_pairs_task {
    const hg_pairs_bins *bins; /**< the same on all ranks */
    double box;                /**< side of the periodic cube, in the unit of the positions */
    hg_cells_points a, b; /**< of this rank; weights finite, or NULL (on all ranks) for 1 */
    bool cross;           /**< pairs of a and b; else b is ignored */
    double common; /**< sum of w_a w_b over the objects that are in both, over all ranks */
    int regions;   /**< regions per side of the box for the jackknife, 0 = none */
} hg_pairs_task;

enum { HG_PAIRS_REGIONS_MAX = 20 }; /* per side */

/** Counts, the same on all ranks. */
typedef struct hg_pairs {
    hg_pairs_kind kind;
    hg_los los;
    bool cross; /**< pairs of two samples, each counted once */
    int copies; /**< counts that were joined, with other lines of sight; 1 at first */
    int n, n_second;
    double pi_max, box;
    double *edge;   /**< shape (n + 1) */
    int64_t *count; /**< shape (n, n_second), ordered pairs */
    double *weight; /**< shape (n, n_second), sums of w_i w_j; NULL without weights */
    int64_t zero; /**< ordered pairs of coinciding points; in a bin only if its low edge is 0 */
    int64_t objects;                /**< n of all ranks, in a and b together */
    double weight_sum, weight_sum2; /**< of a */
    double weight_product;          /**< sum of w_i w_j over all ordered pairs, i != j */
    double noise;   /**< n sum w^2 / (sum w)^2 of both members: what weights add to the noise */
    int regions;    /**< per side, 0 = none */
    int64_t *touch; /**< shape (n, n_second, regions^3): members of pairs that lie there, of
                       each ordered pair the first */
    int64_t *inside; /**< the same: pairs with both there */
    double part;     /**< what 1 in `touch` and `inside` stands for; not 1 with weights */
    double balance;  /**< work of the busiest rank over the mean, as estimated */
} hg_pairs;

/** Count pairs.
 *
 * @collective{comm}
 * @param[out] pairs  release with hg_pairs_clear()
 * @return HG_OK; HG_E_ARG for edges that do not increase, are negative or exceed half the box,
 * or too many regions; HG_E_INPUT for a position that is not finite; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_pairs_measure(const hg_comm *comm, const hg_pairs_task *task,
                                         hg_pairs *pairs);

/** Count all pairs of a set of points with itself: hg_pairs_measure() without a second sample.
 *
 * @collective{comm}
 * @param[in]  bins      the same on all ranks
 * @param[in]  box       side of the periodic cube, in the unit of the positions
 * @param[in]  n         local number of points; any rank may have none
 * @param[in]  position  shape (n); folded into the box
 * @param[in]  weight    shape (n), finite, or NULL (on all ranks) for 1
 * @param[out] pairs     release with hg_pairs_clear()
 * @return as hg_pairs_measure()
 */
HG_MUST_CHECK hg_status hg_pairs_count(const hg_comm *comm, const hg_pairs_bins *bins,
                                       double box, int64_t n, const double position[][3],
                                       const double weight[], hg_pairs *pairs);
void hg_pairs_clear(hg_pairs *pairs);

/** Add the counts of another line of sight of the same objects, with the same bins: what is
 * made of them becomes the mean over both. Errors stay those of one, as the objects are the
 * same. Regions, which are numbered along the turned axes, are forgotten.
 *
 * @local
 * @param[in,out] into  takes the counts over when it is empty
 * @param[in]     from  emptied
 */
void hg_pairs_join(hg_pairs *into, hg_pairs *from);

/** Axis of the box that stands at place k of the turned coordinates, in which the line of sight
 * is the last; regions are numbered in them.
 *
 * @local
 */
int hg_pairs_axis(hg_pairs_kind kind, hg_los los, int k);

/** Number of different pairs behind a count: half of it for ordered pairs of one sample, and
 * the mean over joined counts.
 *
 * @local
 */
double hg_pairs_distinct(const hg_pairs *pairs, int64_t count);

/** Volume of a bin, in the unit of the box cubed; all bins of the second coordinate are equal.
 *
 * @local
 * @param[in] i  bin of the first coordinate
 */
double hg_pairs_volume(const hg_pairs *pairs, int i);

/** Expected weight of a bin for points without correlation, v / V times [(sum w)^2 - sum w^2],
 * or for two samples sum w_a sum w_b - common; and data over it minus 1, NAN when no pair was
 * counted; and the Poisson error of that, from the number of pairs.
 *
 * @local
 * @param[in] i, j  bin of the first and of the second coordinate
 */
double hg_pairs_random(const hg_pairs *pairs, int i, int j);
double hg_pairs_xi(const hg_pairs *pairs, int i, int j);
double hg_pairs_xi_error(const hg_pairs *pairs, int i, int j);

#endif
