/** Meshes cut into planes, transformed by FFTW-MPI; a backend of field/mesh.h. Layer: field,
 * private to hg_mesh. */
#ifndef HG_FIELD_SLAB_H
#define HG_FIELD_SLAB_H

#include <stdbool.h>

#include "field/mesh.h"

/** Whether FFTW-MPI can transform n^3 cells on `size` ranks: it keeps counts as int.
 *
 * @local
 */
bool hg_slab_fits(int64_t n, int size);

/** Make FFTW know threads and MPI, once; comes before wisdom.
 *
 * @local
 */
void hg_slab_start(void);

/** Fill what this rank owns and the owners of all planes.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_ENVIRONMENT with the number of ranks that would do; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_slab_shape(const hg_comm *comm, hg_mesh *mesh);

/** Make the plans with mesh->spare; release them with hg_slab_unplan().
 *
 * @collective{comm}
 * @return HG_OK; HG_E_ENVIRONMENT when FFTW has no plan
 */
HG_MUST_CHECK hg_status hg_slab_plan(const hg_comm *comm, hg_mesh *mesh, hg_effort effort);

/** Release the plans.
 *
 * @local
 */
void hg_slab_unplan(hg_mesh *mesh);

/** Transform in place.
 *
 * @collective{comm}
 */
void hg_slab_forward(const hg_comm *comm, const hg_mesh *mesh, void *field);
void hg_slab_backward(const hg_comm *comm, const hg_mesh *mesh, void *field);

#endif
