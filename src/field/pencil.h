/** Meshes cut into pencils along z over a grid of ranks; a backend of field/mesh.h. Layer:
 * field, private to hg_mesh. */
#ifndef HG_FIELD_PENCIL_H
#define HG_FIELD_PENCIL_H

#include "field/mesh.h"

/** Choose the grid of ranks: rows times columns, at most `size`.
 *
 * @local
 * @param[out] grid  rows (x) and columns (y)
 */
void hg_pencil_grid(int64_t n, int size, int grid[2]);

/** Fill what this rank owns and the owners of all cells, for the grid of the options, or a
 * chosen one where that is 0 x 0.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_ARG for a grid of more ranks than there are
 */
HG_MUST_CHECK hg_status hg_pencil_shape(const hg_comm *comm, const int grid[2], hg_mesh *mesh);

/** Make plans, communicators and the work field; release them with hg_pencil_unplan().
 *
 * @collective{comm}
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_pencil_plan(const hg_comm *comm, hg_mesh *mesh, hg_effort effort);

/** Release what hg_pencil_plan() made.
 *
 * @local
 */
void hg_pencil_unplan(hg_mesh *mesh);

/** Transform in place.
 *
 * @collective{comm}
 */
void hg_pencil_forward(const hg_comm *comm, const hg_mesh *mesh, void *field);
void hg_pencil_backward(const hg_comm *comm, const hg_mesh *mesh, void *field);

/** Bytes that one forward transform sends from this rank to others.
 *
 * @local
 */
int64_t hg_pencil_sent(const hg_mesh *mesh);

#endif
