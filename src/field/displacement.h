/** Displacements and velocities of second-order Lagrangian perturbation theory.
 *
 * x = q - grad phi1 + D2 grad phi2, with lap phi1 = delta (the linear field at the redshift
 * wanted, so the growth factor is inside) and lap phi2 = the second-order source. Layer: field.
 * @source Bouchet et al. 1995, A&A 296, 575; Crocce, Pueblas & Scoccimarro 2006, MNRAS 373, 369
 */
#ifndef HG_FIELD_DISPLACEMENT_H
#define HG_FIELD_DISPLACEMENT_H

#include "field/rowfft.h"
#include "halograft/cosmology.h"
#include "halograft/error.h"

/** Factors of the first- and second-order fields. */
typedef struct hg_lagrangian {
    double second; /**< -D2 / D^2 = 3/7 Omega_m(z)^(-1/143), positive */
    double speed1; /**< a H f1, km/s per Mpc, f1 = dlnD/dlna */
    double speed2; /**< a H f2, km/s per Mpc, f2 = 2 Omega_m(z)^(6/11) */
} hg_lagrangian;

/** Factors at a redshift.
 *
 * @local
 * @return HG_OK; HG_E_ARG
 */
HG_MUST_CHECK hg_status hg_lagrangian_factors(const hg_cosmology *cosmology, double z,
                                              hg_lagrangian *factors);

/** Modes of the second-order source sum_{i>j} (phi_ii phi_jj - phi_ij^2).
 *
 * @collective{comm}
 * @param[in]  delta   shape (n, y_n, n / 2 + 1); modes of the linear overdensity
 * @param[out] source  the same shape; Nyquist planes and k = 0 are zero
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_displacement_source(const hg_comm *comm, const hg_rowfft *fft,
                                               const hg_mode delta[], hg_mode source[]);

/** One component of first * (-grad phi1) + second * (-grad phi2), where lap phi1 = delta and
 * lap phi2 = source: (i k / k^2)(first delta + second source).
 *
 * @collective{comm}
 * @param[in]  axis    0, 1 or 2
 * @param[in]  box     side, Mpc
 * @param[in]  first   factor of the first-order field (1 for the displacement)
 * @param[in]  second  factor of the second-order field
 * @param[in]  source  as `delta`, or NULL for first order only
 * @param[out] field   shape (x_n, n, n); Mpc times the factors
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_displacement_field(const hg_comm *comm, const hg_rowfft *fft,
                                              int axis, double box, double first, double second,
                                              const hg_mode delta[], const hg_mode source[],
                                              float field[]);

#endif
