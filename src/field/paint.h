/** Mass assignment of points to meshes. Layer: field. */
#ifndef HG_FIELD_PAINT_H
#define HG_FIELD_PAINT_H

#include <stdbool.h>
#include <stdint.h>

#include "field/mesh.h"
#include "field/window.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** Points of a rank that are painted in one round, so that buffers stay small. */
enum { HG_PAINT_ROUND = 1 << 22 };

/** Add points to a mesh, and to a second one that lies half a cell back on every axis.
 *
 * Each point goes to all ranks that own a cell its kernel touches; each rank paints only what
 * it owns. Cell i is centred on i * box / n. Positions are folded into [0, box) in double.
 *
 * @collective{comm}
 * @param[in]     mesh      shape and owners of the fields
 * @param[in]     kernel    mass assignment
 * @param[in]     box       side of the periodic box, in the unit of the positions
 * @param[in]     n         points of this rank, anywhere in the box; 0 allowed
 * @param[in]     position  shape (n, 3)
 * @param[in]     weight    shape (n), or NULL for 1
 * @param[in]     scale     factor of the weights; 1, but for a reproducible mesh the power of
 * two that makes them large integers (hg_density_create() knows it)
 * @param[in,out] field     from hg_mesh_field(), sum of weights per cell; for a reproducible
 *                          mesh int64_t, shape (mesh->n_real): sum of integers
 * @param[in,out] shifted   second field for interlacing, or NULL
 * @return HG_OK; HG_E_MEMORY; HG_E_INPUT for a position that is no finite number
 */
HG_MUST_CHECK hg_status hg_paint(const hg_comm *comm, const hg_mesh *mesh, hg_kernel kernel,
                                 double box, int64_t n, const double position[][3],
                                 const double weight[], double scale, void *field,
                                 void *shifted);

/** A point in units of cells, folded. */
typedef struct hg_mesh_point {
    double u[3];
    double weight;
} hg_mesh_point;

/** Cells per axis that a point and its shifted image may touch, and ranks that may own some. */
enum { HG_PAINT_REACH = 5, HG_PAINT_OWNERS_MAX = HG_PAINT_REACH * HG_PAINT_REACH };

/** Positions in units of cells, folded into the box.
 *
 * @local
 * @param[in]  position  shape (n, 3), in the unit of the box
 * @param[in]  weight    shape (n), or NULL for 1
 * @param[in]  scale     factor of the weights
 * @param[out] point     shape (n)
 * @return HG_OK; HG_E_INPUT for a position that is no finite number
 */
HG_MUST_CHECK hg_status hg_paint_convert(const hg_mesh *mesh, double box, int64_t n,
                                         const double position[][3], const double weight[],
                                         double scale, hg_mesh_point point[]);

/** Ranks that own a cell touched by a point, each once.
 *
 * @local
 * @param[in]  shifted  also those its image half a cell further touches
 * @param[out] target   filled
 * @return their number
 */
int hg_paint_owners(const hg_mesh *mesh, hg_kernel kernel, const hg_mesh_point *point,
                    bool shifted, int target[HG_PAINT_OWNERS_MAX]);

/** Sort points by columns of 8 x 8 cells and paint them (the local half of hg_paint()).
 *
 * @local
 * @param[in] n      number of points
 * @param[in] point  shape (n); coordinates in [0, mesh->n)
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_paint_local(const hg_mesh *mesh, hg_kernel kernel, int64_t n,
                                       const hg_mesh_point point[], void *field, void *shifted);

#endif
