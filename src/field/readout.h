/** Values of a mesh at points, interpolated with a kernel of mass assignment.
 *
 * Points travel to the owners of the cells their kernel touches once, and are then read from
 * any number of fields. Each owner sums its share as integers, so the values are the same for
 * any number of ranks. Layer: field.
 */
#ifndef HG_FIELD_READOUT_H
#define HG_FIELD_READOUT_H

#include <stdint.h>

#include "field/mesh.h"
#include "field/window.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** Points dealt to the ranks that hold their cells; {0} is empty. */
typedef struct hg_sampler {
    hg_kernel kernel;
    int64_t n;      /**< points this rank asked for */
    int64_t n_here; /**< copies of points whose cells are here */
    struct hg_sample_point *here;
} hg_sampler;

/** Deal points.
 *
 * @collective{comm}
 * @param[in]  mesh      shape and owners of the fields to be read
 * @param[in]  kernel    of the interpolation
 * @param[in]  box       side of the periodic box, in the unit of the positions
 * @param[in]  n         points of this rank, 0 allowed
 * @param[in]  position  shape (n, 3); folded into the box
 * @param[out] sampler   release with hg_sampler_clear()
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for a position that is no finite number
 */
HG_MUST_CHECK hg_status hg_sampler_create(const hg_comm *comm, const hg_mesh *mesh,
                                          hg_kernel kernel, double box, int64_t n,
                                          const double position[][3], hg_sampler *sampler);
void hg_sampler_clear(hg_sampler *sampler);

/** Interpolate a field at the points.
 *
 * @collective{comm}
 * @param[in]  field  real space, from hg_mesh_field()
 * @param[out] value  shape (sampler->n); sum of the cells touched times their weights, exact to
 * 2^-52 of the largest cell
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sampler_read(const hg_comm *comm, const hg_mesh *mesh,
                                        const hg_sampler *sampler, const void *field,
                                        double value[]);

#endif
