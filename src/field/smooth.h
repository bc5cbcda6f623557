/** Smoothed density contrasts and tidal fields from the modes of a density. Layer: field. */
#ifndef HG_FIELD_SMOOTH_H
#define HG_FIELD_SMOOTH_H

#include <stdint.h>

#include "field/density.h"
#include "field/mesh.h"
#include "field/window.h"
#include "halograft/comm.h"
#include "halograft/error.h"

typedef enum hg_smoothing { HG_SMOOTHING_GAUSS, HG_SMOOTHING_TOP_HAT } hg_smoothing;

/** Transform of a smoothing window at every n_x^2 + n_y^2 + n_z^2.
 *
 * @local
 * @param[in]  radius  R, in the unit of the box
 * @param[in]  n       cells per side
 * @param[out] table   shape (hg_modes_table_size(n)); exp(-(kR)^2 / 2), or 3 j1(kR) / (kR)
 */
void hg_smooth_table(hg_smoothing smoothing, double radius, double box, int n, double table[]);

/** A smoothed field in real space, or a component of its tidal tensor.
 *
 * The windows of painting and of reading out with the same kernel are divided out; k = 0 and
 * the Nyquist planes are zero.
 *
 * @collective{comm}
 * @param[in]  mesh     that of the density
 * @param[in]  density  modes; the contrast is mode / weight_sum
 * @param[in]  table    shape (hg_modes_table_size(n))
 * @param[in]  axis     shape (2): component k_i k_j / k^2 of the tidal tensor, whose trace is
 * the contrast; NULL = the contrast itself
 * @param[out] field    from hg_mesh_field(); overwritten
 * @return HG_OK; HG_E_MEMORY
 * @source Hahn et al. 2007, MNRAS 375, 489 (tidal tensor); Paranjape et al. 2018
 * (arXiv:1706.09906)
 */
HG_MUST_CHECK hg_status hg_smooth_field(const hg_comm *comm, const hg_mesh *mesh,
                                        const hg_density *density, const double table[],
                                        const int axis[2], void *field);

/** Eigenvalues of a symmetric 3 x 3 matrix, the largest first.
 *
 * @local
 * @param[in]  matrix  shape (6): xx, yy, zz, xy, xz, yz
 * @param[out] value   shape (3)
 * @source Smith 1961, Comm. ACM 4, 168
 */
void hg_smooth_eigenvalues(const double matrix[6], double value[3]);

#endif
