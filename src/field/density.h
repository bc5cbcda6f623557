/** The density contrast of a set of points in wave space. Layer: field. */
#ifndef HG_FIELD_DENSITY_H
#define HG_FIELD_DENSITY_H

#include <stdbool.h>
#include <stdint.h>

#include "field/mesh.h"
#include "field/paint.h"
#include "field/window.h"
#include "halograft/comm.h"

/** Sum over objects of w exp(-ik x) as the mesh sees it (raw: not divided by any window). */
typedef struct hg_density {
    void *mode; /**< field in wave space, layout of hg_mesh */
    double box; /**< side of the periodic box */
    hg_kernel kernel;
    bool interlaced;
    int64_t n_object;   /**< over all ranks */
    double weight_sum;  /**< sum of w over all ranks */
    double weight_sum2; /**< sum of w^2 */
} hg_density;

/** Paint points, transform, and combine the two meshes of interlacing.
 *
 * @collective{comm}
 * @param[in]  mesh        plans; gives the fields
 * @param[in]  kernel      mass assignment
 * @param[in]  interlaced  use a second mesh half a cell away, which removes the odd aliases
 * @param[in]  box         side of the box, unit of the positions
 * @param[in]  n           points of this rank, 0 allowed
 * @param[in]  position    shape (n, 3)
 * @param[in]  weight      shape (n), or NULL for 1
 * @param[out] density     release with hg_density_clear()
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT when there is no object, no positive sum of weights,
 * or a position is not finite
 * @source Hockney & Eastwood 1981; Sefusatti et al. 2016 (arXiv:1512.07295)
 */
HG_MUST_CHECK hg_status hg_density_create(const hg_comm *comm, hg_mesh *mesh, hg_kernel kernel,
                                          bool interlaced, double box, int64_t n,
                                          const double position[][3], const double weight[],
                                          hg_density *density);
void hg_density_clear(hg_density *density);

#endif
