/** Gaussian modes drawn per wave vector, and sums over the modes of a mesh.
 *
 * All wave vectors with |n_i| < n / 2 carry power, the Nyquist planes and n = 0 none. A mode's
 * numbers are keyed by (seed, n_x, n_y, n_z), so they do not depend on ranks and stay the same
 * when the mesh is refined. Amplitudes come as tables over the integer n_x^2 + n_y^2 + n_z^2.
 * Layer: field.
 */
#ifndef HG_FIELD_MODES_H
#define HG_FIELD_MODES_H

#include <stdbool.h>
#include <stdint.h>

#include "field/rowfft.h"
#include "halograft/cosmology.h"
#include "halograft/error.h"

/** Length of a table over n^2 for a mesh of n cells per side: 3 (n / 2)^2 + 1.
 *
 * @local
 */
size_t hg_modes_table_size(int n);

/** Variance of the modes: growth^2 P(k) / V.
 *
 * @local
 * @param[in]  power   linear power at z = 0
 * @param[in]  growth  D(z)
 * @param[in]  box     side, Mpc
 * @param[out] table   shape (hg_modes_table_size(n)); dimensionless
 */
void hg_modes_variance(const hg_linear_power *power, double growth, double box, int n,
                       double table[]);

/** Transform of a top hat of radius R at every n^2.
 *
 * @local
 * @param[in]  radius  Mpc
 * @param[out] table   shape (hg_modes_table_size(n)); 1 at n^2 = 0
 */
void hg_modes_top_hat(double radius, double box, int n, double table[]);

/** Number of modes with power at every n^2 (the sum is (n - 1)^3 - 1).
 *
 * @local
 * @param[out] table  shape (hg_modes_table_size(n))
 */
void hg_modes_count(int n, int64_t table[]);

/** Covariance of two filtered fields over the modes of a mesh, sum count variance a b.
 *
 * @local
 * @param[in] variance, count, a, b  shape (hg_modes_table_size(n))
 */
double hg_modes_covariance(int n, const double variance[], const int64_t count[],
                           const double a[], const double b[]);

/** Draw all owned modes.
 *
 * @local
 * @param[in]  fft       mesh
 * @param[in]  variance  shape (hg_modes_table_size(n)); <|mode|^2>
 * @param[in]  seed      of the universe
 * @param[in]  fixed     amplitude sqrt(variance) without scatter
 * @param[in]  paired    opposite sign
 * @param[out] mode      shape (n, y_n, n / 2 + 1), hermitian
 * @source Angulo & Pontzen 2016, MNRAS 462, L1 (fixed, paired)
 */
void hg_modes_draw(const hg_rowfft *fft, const double variance[], uint64_t seed, bool fixed,
                   bool paired, hg_mode mode[]);

/** Multiply modes by a table over n^2.
 *
 * @local
 * @param[in]  table  shape (hg_modes_table_size(n))
 * @param[in]  from   shape (n, y_n, n / 2 + 1)
 * @param[out] to     the same shape; may be `from`
 */
void hg_modes_filter(const hg_rowfft *fft, const double table[], const hg_mode from[],
                     hg_mode to[]);

#endif
