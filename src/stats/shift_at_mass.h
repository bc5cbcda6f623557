/** How a quantity differs between two populations of haloes of the same masses. Layer: stats.
 */
#ifndef HG_STATS_SHIFT_AT_MASS_H
#define HG_STATS_SHIFT_AT_MASS_H

#include <stdint.h>

#include "halograft/error.h"

/** One halo. */
typedef struct hg_massed {
    float mass;  /**< log10 of the mass */
    float value; /**< the quantity, finite */
    int half;    /**< 0 or 1, the same for the same halo: a map is made on 0 and tried on 1 */
} hg_massed;

/** A map of values at fixed mass, by quantiles in bins of mass: no pointers, may be sent as
 * bytes. */
enum { HG_TRANSPORT_BINS = 128, HG_TRANSPORT_KNOTS = 129 };
typedef struct hg_transport {
    int n_bin;                                          /**< 0: values stay as they are */
    int bin[HG_TRANSPORT_BINS];                         /**< of mass, ascending */
    double from[HG_TRANSPORT_BINS][HG_TRANSPORT_KNOTS]; /**< quantiles of a */
    double to[HG_TRANSPORT_BINS][HG_TRANSPORT_KNOTS];   /**< of b, at the same shares */
} hg_transport;

/** Make the map that gives a value of a the value of b with the same share of haloes of its bin
 * below it, from all haloes of both, in bins of 0.2 dex with at least 40 haloes of both.
 *
 * @local
 * @param[in]  a, b  shape (n_a), (n_b), in any order; halves do not matter
 * @param[out] t     without bins where none has enough haloes
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_transport_make(int64_t n_a, const hg_massed a[], int64_t n_b,
                                          const hg_massed b[], hg_transport *t);

/** Map one value. Between the stored quantiles it is linear, beyond the outermost the value
 * moves as they do; masses without a bin use the nearest that there is.
 *
 * @local
 * @param[in] mass   log10 of the mass
 * @param[in] value  of a, finite
 */
double hg_transport_move(const hg_transport *t, double mass, double value);

/** What was found; NAN where no bin of mass has enough haloes. */
typedef struct hg_shift_at_mass {
    int64_t n_a, n_b; /**< haloes in bins that both fill */
    double shift;     /**< median of a minus median of b at fixed mass */
    double scatter;   /**< half the distance of the 16 and 84 per cent points of b */
    double ks;        /**< Kolmogorov-Smirnov distance of a and b, b weighted to a's masses */
    double ks_transported; /**< the same after the quantiles of a were mapped on those of b */
    double noise;          /**< 95 per cent point of either where nothing differs, about */
} hg_shift_at_mass;

/** Compare in bins of 0.2 dex in mass with at least 40 haloes of both, at least 10 in each
 * half.
 *
 * b counts with the weight that gives every bin a's share. The transport gives a value of a the
 * value of b that has the same share of haloes of its bin below it, as hg_transport_move(); it
 * is made on haloes with half 0 and its distance measured on those with half 1, on both sides.
 *
 * @local
 * @param[in]  a, b  shape (n_a), (n_b), in any order
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_shift_at_mass_measure(int64_t n_a, const hg_massed a[], int64_t n_b,
                                                 const hg_massed b[], hg_shift_at_mass *shift);

#endif
