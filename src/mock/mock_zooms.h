/** Choice and weights of the zoom regions of a mock. Layer: mock. */
#ifndef HG_MOCK_ZOOMS_H
#define HG_MOCK_ZOOMS_H

#include "mock/mock_plan.h"
#include "suite/regions.h"

/** Choose spheres at equal steps of nu = log(1 + delta) in units of its rms between the
 * extremes of the box, two or more per level, at least 2 radius + buffer apart where possible;
 * weigh each by the share of the volume nearest its level over the regions there.
 *
 * @local  the same result on every rank
 * @param[in]  n_point  lattice points per side, at i * box / n_point
 * @param[in]  delta    shape (n_point, n_point, n_point); overdensity in the region's radius
 * @param[in]  n        number of regions wanted
 * @param[in]  radius   Mpc, of the regions
 * @param[in]  buffer   Mpc
 * @param[out] regions  shape (n); number, centre, radius, weight (sum 1), delta and redshift
 * @param[out] closest  smallest gap between two centres, Mpc; infinite for one region
 * @return HG_OK; HG_E_MEMORY; HG_E_PARAM when no n different points exist
 */
HG_MUST_CHECK hg_status hg_mock_zooms_choose(const hg_mock_plan *plan, int n_point,
                                             const float delta[], int n, double radius,
                                             double buffer, hg_region regions[],
                                             double *closest);

/** Read the places and radii of the zooms from Mock.zoom_table. They are numbered from 0 in the
 * order of the table; where it gives no weights all weigh the same.
 *
 * @collective{comm}
 * @param[out] n        regions
 * @param[out] regions  shape (n); owned by the caller, free with hg_mem_free()
 * @return the failures of hg_regions_read(); HG_E_INPUT for a region without centre or radius,
 * outside the box, or wider than it
 */
HG_MUST_CHECK hg_status hg_mock_zooms_read(const hg_comm *comm, const hg_params_mock *param,
                                           int *n, hg_region **regions);

/** Distance in a periodic box, squared.
 *
 * @local
 */
double hg_mock_distance2(const double a[3], const double b[3], double box);

#endif
