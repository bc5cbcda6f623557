/** Objects of samples as points, in real or redshift space. Layer: measure. */
#ifndef HG_MEASURE_POINTS_H
#define HG_MEASURE_POINTS_H

#include "measure/measure_pass.h"
#include "table/cells.h"

/** Points of one sample on this rank. */
typedef struct hg_points {
    int64_t n;
    int64_t n_catalogue;   /**< rows of the catalogue, over all ranks */
    double (*position)[3]; /**< shape (n), comoving Mpc */
    double *weight;        /**< shape (n), or NULL for 1 */
    int64_t *row;          /**< shape (n), increasing */
} hg_points;

/** Take the points of a sample out of a pass.
 *
 * @local
 * @param[in]  los     axis along which velocities move the points, HG_LOS_NONE = real space
 * @param[out] points  release with hg_points_clear()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_points_take(const hg_measure_plan *plan, const hg_measure_pass *pass,
                                       int sample, hg_los los, hg_points *points);
void hg_points_clear(hg_points *points);

/** The points as pair counts want them; borrowed.
 *
 * @local
 */
hg_cells_points hg_points_view(const hg_points *points);

/** Sum over ranks of w_a w_b over the rows that are in both, which stand at equal places of
 * both; 0 for catalogues that are not row by row the same haloes. A row that differs in
 * position is another object.
 *
 * @collective{comm}
 * @param[in] a, b  weights not negative
 */
double hg_points_common(const hg_comm *comm, const hg_points *a, const hg_points *b);

#endif
