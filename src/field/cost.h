/** What a mesh will cost, for any number of ranks, before anything is allocated. Layer: field.
 */
#ifndef HG_FIELD_COST_H
#define HG_FIELD_COST_H

#include "field/mesh.h"
#include "field/window.h"

/** Bytes on the rank that has, or sends, most. */
typedef struct hg_mesh_cost {
    hg_backend backend; /**< never AUTO */
    int grid[2];        /**< rows and columns of ranks */
    double field;       /**< one field in wave space */
    double work;        /**< exchange array, line buffers and tables of the mesh */
    double paint;       /**< fields while they are painted and transformed: one, or two */
    double points;      /**< buffers of painting, at most one round of points */
    double transform;   /**< sent to other ranks by one transform */
    double ghosts;      /**< sent to other ranks as points */
} hg_mesh_cost;

/** Estimate what a density costs: peak memory is work + paint + points, or less.
 *
 * @local
 * @param[in]  options     as for hg_mesh_create()
 * @param[in]  size        number of ranks
 * @param[in]  threads     per rank
 * @param[in]  kernel      mass assignment
 * @param[in]  interlaced  two fields
 * @param[in]  n_object    over all ranks; evenly spread over ranks and box
 * @param[out] cost        filled
 */
void hg_mesh_cost_estimate(const hg_mesh_options *options, int size, int threads,
                           hg_kernel kernel, bool interlaced, double n_object,
                           hg_mesh_cost *cost);

#endif
