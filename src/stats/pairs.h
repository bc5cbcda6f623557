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

/** Counts, the same on all ranks. */
typedef struct hg_pairs {
    hg_pairs_kind kind;
    int n, n_second;
    double pi_max, box;
    double *edge;   /**< shape (n + 1) */
    int64_t *count; /**< shape (n, n_second), ordered pairs */
    double *weight; /**< shape (n, n_second), sums of w_i w_j; NULL without weights */
    int64_t zero; /**< ordered pairs of coinciding points; in a bin only if its low edge is 0 */
    int64_t objects; /**< n of all ranks */
    double weight_sum, weight_sum2;
    double balance; /**< work of the busiest rank over the mean, as estimated */
} hg_pairs;

/** Count all pairs of a set of points with itself.
 *
 * @collective{comm}
 * @param[in]  bins      the same on all ranks
 * @param[in]  box       side of the periodic cube, in the unit of the positions
 * @param[in]  n         local number of points; any rank may have none
 * @param[in]  position  shape (n); folded into the box
 * @param[in]  weight    shape (n), finite, or NULL (on all ranks) for 1
 * @param[out] pairs     release with hg_pairs_clear()
 * @return HG_OK; HG_E_ARG for edges that do not increase, are negative or exceed half the box;
 * HG_E_INPUT for a position that is not finite; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_pairs_count(const hg_comm *comm, const hg_pairs_bins *bins,
                                       double box, int64_t n, const double position[][3],
                                       const double weight[], hg_pairs *pairs);
void hg_pairs_clear(hg_pairs *pairs);

/** Expected weight of a bin for points without correlation, [(sum w)^2 - sum w^2] v / V; and
 * data over it minus 1, NAN when no pair was counted; and the Poisson error of that, from the
 * number of pairs.
 *
 * @local
 * @param[in] i, j  bin of the first and of the second coordinate
 */
double hg_pairs_random(const hg_pairs *pairs, int i, int j);
double hg_pairs_xi(const hg_pairs *pairs, int i, int j);
double hg_pairs_xi_error(const hg_pairs *pairs, int i, int j);

#endif
