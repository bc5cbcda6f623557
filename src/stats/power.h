/** Power spectra from modes: sums in fine bins of integer n^2, and user bins made of them.
 *
 * The exact, aliased shot noise is subtracted mode by mode and each mode is divided by its
 * window squared before any binning. Modes on a Nyquist plane (|n_i| = N/2) and k = 0 are left
 * out. Wave numbers n count fundamentals k_f = 2 pi / box. Layer: stats.
 */
#ifndef HG_STATS_POWER_H
#define HG_STATS_POWER_H

#include <stdint.h>

#include "field/density.h"
#include "field/mesh.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** Line of sight: none (only the monopole is summed) or an axis of the box. */
typedef enum hg_los { HG_LOS_NONE = -1, HG_LOS_X = 0, HG_LOS_Y = 1, HG_LOS_Z = 2 } hg_los;

/** Sums of one fine bin. With q = (V |delta_a|^2) (V |delta_b|^2), window-corrected and with
 * shot noise, which gives the Gaussian variance. */
enum {
    HG_FINE_MODES,
    HG_FINE_P0,
    HG_FINE_SHOT,
    HG_FINE_Q0,
    HG_FINE_P2, /**< P L2, only with a line of sight, as all below */
    HG_FINE_P4,
    HG_FINE_Q2, /**< q L2^2 */
    HG_FINE_Q4,
    HG_FINE_MAX
};

/** Sums over all modes (k and -k) of equal n^2 = n_x^2 + n_y^2 + n_z^2, the same on all ranks.
 */
typedef struct hg_fine {
    double box;
    int64_t mesh;  /**< cells per side N */
    int64_t n_bin; /**< n^2 from 0 to n_bin - 1, up to (0.75 N)^2 */
    int n_sum;     /**< 4, or 8 with a line of sight */
    double *sum;   /**< shape (n_bin, n_sum) */
} hg_fine;

/** Sum the modes of one density, or of the product of two.
 *
 * @collective{comm}
 * @param[in]  a, b    densities of the same box, kernel and interlacing; b = NULL or a: auto
 * @param[in]  common  sum of w_a w_b over the objects in both samples: their shot noise. For an
 *                     auto spectrum pass a->weight_sum2, for disjoint samples 0
 * @param[in]  los     line of sight of the multipoles
 * @param[in]  mesh    of both densities; a reproducible one gives the same bits for any ranks
 * @param[out] fine    release with hg_fine_clear()
 * @return HG_OK; HG_E_MEMORY; HG_E_SHAPE when the densities do not fit together
 * @source arXiv:2403.13561 (interlaced shot noise); design note on clustering, section 2
 */
HG_MUST_CHECK hg_status hg_fine_measure(const hg_comm *comm, const hg_mesh *mesh,
                                        const hg_density *a, const hg_density *b, double common,
                                        hg_los los, hg_fine *fine);
void hg_fine_clear(hg_fine *fine);

/** Bytes that hg_fine_measure() takes on a rank for a mesh of n cells per side.
 *
 * @local
 */
int64_t hg_fine_bytes(int64_t n, hg_los los, bool reproducible, int threads);

enum { HG_POLES = 3 };

/** Binned spectrum; NAN in empty bins, which keep their place. */
typedef struct hg_power {
    int n;
    int n_pole; /**< 1, or HG_POLES for l = 0, 2, 4 */
    double *k_low, *k_high, *k_mean;
    int64_t *modes;          /**< k and -k both counted */
    double *shot;            /**< mean shot noise that was subtracted */
    double *p[HG_POLES];     /**< P_l, shot noise subtracted */
    double *sigma[HG_POLES]; /**< Gaussian error of P_l from the modes themselves */
    double *block;
} hg_power;

/** Bin the fine sums by integer comparison: n^2 >= ceil(edge^2).
 *
 * @local
 * @param[in]  n_bin  number of bins
 * @param[in]  edge   shape (n_bin + 1), increasing, in units of k_f
 * @param[out] power  release with hg_power_clear()
 * @return HG_OK; HG_E_ARG for edges that do not increase; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_power_bin(const hg_fine *fine, int n_bin, const double edge[],
                                     hg_power *power);
void hg_power_clear(hg_power *power);

/** Edges in units of k_f that are at least `width` and at least `dlnk` in ln k apart, from
 * `low` until `high` is reached; the last edge may exceed it by less than a bin and is then
 * cut.
 *
 * @local
 * @param[in]  room  elements of `edge`
 * @param[out] edge  shape (room)
 * @return number of bins, at most room - 1
 */
int hg_bin_edges(double low, double high, double width, double dln, int room, double edge[]);

/** Smallest n^2 that is not below an edge; an edge within 1e-9 of an integer square counts as
 * that integer.
 *
 * @local
 * @param[in] edge  in units of k_f
 */
int64_t hg_power_edge_square(double edge);

#endif
