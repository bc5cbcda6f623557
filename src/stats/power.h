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
    HG_FINE_P2,  /**< P L2, only with a line of sight, as all below */
    HG_FINE_P4,  /**< P L4 */
    HG_FINE_Q2,  /**< q L2 */
    HG_FINE_Q4,  /**< q L4 */
    HG_FINE_Q24, /**< q L2 L4 */
    HG_FINE_Q44, /**< q L4 L4 */
    HG_FINE_MAX
};

/** Sums over all modes (k and -k) of equal n^2 = n_x^2 + n_y^2 + n_z^2, the same on all ranks.
 */
typedef struct hg_fine {
    double box;
    int64_t mesh;  /**< cells per side N */
    int64_t n_bin; /**< n^2 from 0 to n_bin - 1, up to (0.75 N)^2 */
    int n_sum;     /**< 4, or HG_FINE_MAX with a line of sight */
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
 * @source arXiv:2403.13561 (interlaced shot noise); docs/science/clustering.md, "Power
 * spectrum"
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

/** Sum of q L_l L_l' of one fine bin or of a sum of bins; l > 0 only with a line of sight.
 *
 * @local
 * @param[in] sum       shape (n_sum)
 * @param[in] l, other  0, 2 or 4, l <= other
 * @source L2^2 = 18/35 L4 + 2/7 L2 + 1/5
 */
double hg_fine_variance(const double sum[], int l, int other);

/** Add the sums of another line of sight or sample of the same mesh: binned spectra become the
 * mean of both. Variances are left as those of one, because the spectra share their modes.
 *
 * @local
 * @param[in,out] into  takes the sums over when it is empty
 * @param[in]     from  emptied
 * @param[in]     n     number of spectra that `into` holds already
 */
void hg_fine_join(hg_fine *into, hg_fine *from, int n);

/** P(k, |mu|): sums of bins of k and equal bins of |mu| = |k_los| / k, 1 included. */
typedef struct hg_wedges {
    int n, n_mu;
    int64_t *low;  /**< shape (n + 1), first n^2 of a bin, as hg_power_edge_square() */
    double *sum;   /**< shape (n, n_mu, 4): modes, P, shot noise, q */
    double *k_sum; /**< shape (n, n_mu), sum of k over modes, in units of k_f */
} hg_wedges;

enum { HG_WEDGES_MAX = 100 }; /* bins of mu */

/** Sum the modes in wedges; arguments as hg_fine_measure() and hg_power_bin().
 *
 * @collective{comm}
 * @param[in]  n_mu    bins of |mu|, at most HG_WEDGES_MAX
 * @param[out] wedges  release with hg_wedges_clear(); may be summed over lines of sight with
 *                     hg_wedges_join()
 * @return HG_OK; HG_E_ARG for edges that do not increase or n_mu out of range; HG_E_MEMORY;
 * HG_E_SHAPE
 */
HG_MUST_CHECK hg_status hg_wedges_measure(const hg_comm *comm, const hg_mesh *mesh,
                                          const hg_density *a, const hg_density *b,
                                          double common, hg_los los, int n_bin,
                                          const double edge[], int n_mu, hg_wedges *wedges);

/** As hg_fine_join().
 *
 * @local
 */
void hg_wedges_join(hg_wedges *into, hg_wedges *from, int n);
void hg_wedges_clear(hg_wedges *wedges);

enum { HG_POLES = 3 };

/** Binned spectrum; NAN in empty bins, which keep their place. */
typedef struct hg_power {
    int n;
    int n_pole; /**< 1, or HG_POLES for l = 0, 2, 4 */
    double *k_low, *k_high, *k_mean;
    int64_t *modes;                      /**< k and -k both counted */
    double *shot;                        /**< mean shot noise that was subtracted */
    double *p[HG_POLES];                 /**< P_l, shot noise subtracted */
    double *sigma[HG_POLES];             /**< Gaussian error of P_l from the modes themselves */
    double *product[HG_POLES][HG_POLES]; /**< their covariances; the lower half is NULL */
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

/** Gaussian covariance of P_l and P_l' in one bin, from the modes themselves: (2l+1) (2l'+1) /
 * M^2 times the sum of (V |delta_a|^2) (V |delta_b|^2) L_l L_l', powers with shot noise. Bins
 * are independent. It is as noisy as the spectrum; fits want it with a smooth model.
 *
 * @local
 * @param[in] i         bin
 * @param[in] l, other  places of the two multipoles, 0, 1, 2 for l = 0, 2, 4; < power->n_pole
 * @return in the unit of P squared; NAN in an empty bin
 * @source docs/science/clustering.md, "Gaussian covariance"
 */
double hg_power_covariance(const hg_power *power, int i, int l, int other);

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
