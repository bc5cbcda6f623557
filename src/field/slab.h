/** Meshes cut into slabs along x, and their Fourier transforms by FFTW-MPI.
 *
 * Real space: planes [x_first, x_first + n_x), cell (x, y, z) at
 * ((x - x_first) * n + y) * row + z with rows padded to `row` = 2 (n/2 + 1) reals. Wave space,
 * in place and transposed: mode (n_x, n_y, n_z) is complex number
 * ((y - y_first) * n + x) * (row / 2) + z, where x, y in [0, n) and z in [0, n/2]; indices
 * above n/2 stand for negative wave numbers. Forward sign exp(-ikx), both directions
 * unnormalised. Ranks may own no planes at all. Layer: field, the only module that calls FFTW.
 */
#ifndef HG_FIELD_SLAB_H
#define HG_FIELD_SLAB_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

typedef enum hg_precision { HG_PRECISION_FLOAT, HG_PRECISION_DOUBLE } hg_precision;

/** How long FFTW may look for a fast plan. ESTIMATE gives the same plan in every run; MEASURE
 * is faster afterwards but may change the last bits from run to run. */
typedef enum hg_effort { HG_EFFORT_ESTIMATE, HG_EFFORT_MEASURE } hg_effort;

/** Shape, owners and plans of a mesh; the meshes themselves come from hg_slab_mesh(). */
typedef struct hg_slab {
    int64_t n; /**< cells per side */
    hg_precision precision;
    int64_t x_first; /**< first plane of real space on this rank */
    int64_t n_x;     /**< number of planes of real space, may be 0 */
    int64_t y_first; /**< first plane of wave space on this rank */
    int64_t n_y;     /**< number of planes of wave space, may be 0 */
    int64_t row;     /**< reals per padded row */
    int64_t n_real;  /**< reals to allocate per mesh, as FFTW wants it */
    int *owner;      /**< shape (n); rank that owns each real plane */
    void *forward;   /**< plans of FFTW */
    void *backward;
    void *spare; /**< mesh the plans were made with, handed out first */
} hg_slab;

/** Plan the transforms of an n^3 mesh, before anything is painted.
 *
 * @collective{comm}
 * @param[in]  n          cells per side, at least 2
 * @param[in]  precision  of the meshes
 * @param[in]  effort     time FFTW may spend
 * @param[out] slab       owned by the caller, free with hg_slab_free(comm independent)
 * @return HG_OK; HG_E_ARG for n < 2; HG_E_ENVIRONMENT when FFTW-MPI would overflow its int
 * counts, with the number of ranks that would do; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_slab_create(const hg_comm *comm, int64_t n, hg_precision precision,
                                       hg_effort effort, hg_slab **slab);

/** Release plans and tables; meshes handed out belong to the caller. NULL is fine.
 *
 * @local
 */
void hg_slab_free(hg_slab *slab);

/** Get a mesh of zeros.
 *
 * @local
 * @param[out] mesh  float or double, shape (n_real); owned by the caller, free with
 * hg_mem_free(); never NULL on success
 * @return HG_OK; HG_E_MEMORY with advice
 */
HG_MUST_CHECK hg_status hg_slab_mesh(hg_slab *slab, void **mesh);

/** Name and version of the library that transforms.
 *
 * @local
 */
const char *hg_slab_version(void);

/** Bytes of one mesh on this rank.
 *
 * @local
 */
int64_t hg_slab_bytes(const hg_slab *slab);

/** Transform a mesh in place, to wave space and back (which multiplies by n^3).
 *
 * @collective{comm}
 * @param[in,out] mesh  from hg_slab_mesh()
 */
void hg_slab_forward(const hg_comm *comm, const hg_slab *slab, void *mesh);
void hg_slab_backward(const hg_comm *comm, const hg_slab *slab, void *mesh);

/** Value of a real cell of this rank, whatever the precision (tests and slow paths).
 *
 * @local
 */
double hg_slab_cell(const hg_slab *slab, const void *mesh, int64_t x, int64_t y, int64_t z);

/** Complex value of a mode of this rank (tests and slow paths).
 *
 * @local
 * @param[out] mode  real and imaginary part
 */
void hg_slab_mode(const hg_slab *slab, const void *mesh, int64_t x, int64_t y, int64_t z,
                  double mode[2]);

#endif
