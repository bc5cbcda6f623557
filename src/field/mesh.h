/** Meshes cut over ranks, and their Fourier transforms.
 *
 * Real space: a rank owns the cells x in [x_first, x_first + n_x), y in [y_first, y_first +
 * n_y) and all z; cell (x, y, z) is real number ((x - x_first) * n_y + y - y_first) * row + z,
 * with rows padded to `row` = 2 (n/2 + 1) reals. Wave space, in place and transposed: a rank
 * owns the modes with all n_x, n_y in [ky_first, ky_first + n_ky) and n_z in [kz_first,
 * kz_first
 * + n_kz); mode (x, y, z) is complex number ((y - ky_first) * n + x) * n_kz + z - kz_first,
 * where x, y in [0, n) and z in [0, n/2]; indices above n/2 stand for negative wave numbers.
 * Forward sign exp(-ikx), both directions unnormalised. Ranks may own nothing at all. Layer:
 * field, the only module that calls FFTW.
 */
#ifndef HG_FIELD_MESH_H
#define HG_FIELD_MESH_H

#include <stdbool.h>
#include <stdint.h>

#include "field/lines.h"
#include "halograft/comm.h"
#include "halograft/error.h"

/** How a mesh is cut and transformed: planes by FFTW-MPI, which is fast, or pencils by lines of
 * fixed shape, for any number of ranks and with bits that do not depend on them. AUTO takes
 * slabs while every second plane has a rank of its own at most and FFTW's int counts suffice.
 */
typedef enum hg_backend { HG_BACKEND_AUTO, HG_BACKEND_SLAB, HG_BACKEND_PENCIL } hg_backend;

/** What a mesh is asked to be; zero is a good default for all but n. */
typedef struct hg_mesh_options {
    int64_t n; /**< cells per side, at least 2 */
    hg_precision precision;
    hg_effort effort; /**< time FFTW may spend on plans */
    hg_backend backend;
    int grid[2];        /**< rows (x) and columns (y) of ranks for pencils, 0 x 0 = chosen */
    bool reproducible;  /**< bits that do not depend on ranks: pencils, ESTIMATE, exact sums */
    const char *wisdom; /**< folder of measured plans, NULL = none are kept; borrowed */
} hg_mesh_options;

/** Shape, owners and plans of a mesh; the fields themselves come from hg_mesh_field(). */
typedef struct hg_mesh {
    int64_t n; /**< cells per side */
    hg_precision precision;
    hg_backend backend;     /**< never AUTO */
    bool reproducible;      /**< whoever sums over this mesh does it exactly */
    int64_t x_first, n_x;   /**< planes of real space on this rank, may be none */
    int64_t y_first, n_y;   /**< their rows on this rank */
    int64_t ky_first, n_ky; /**< planes of wave space on this rank, may be none */
    int64_t kz_first, n_kz; /**< modes of a row of wave space on this rank */
    int64_t row;            /**< reals per padded row of real space */
    int64_t n_real;         /**< reals to allocate per field */
    int *x_owner;           /**< shape (n); row of the grid of ranks that owns a plane x */
    int *y_owner;           /**< shape (n); column of that grid that owns a row y */
    int n_row, n_column;    /**< rank = x_owner * n_column + y_owner */
    void *spare;            /**< field the slabs were planned with, handed out first */
    void *forward;          /**< plans of FFTW, slabs only */
    void *backward;
    struct hg_pencil *pencil; /**< plans of pencils, else NULL */
} hg_mesh;

/** The backend that `size` ranks will take.
 *
 * @local
 */
hg_backend hg_mesh_backend(const hg_mesh_options *options, int size);

/** Plan the transforms of an n^3 mesh, before anything is painted.
 *
 * @collective{comm}
 * @param[in]  options  the same on all ranks
 * @param[out] mesh     owned by the caller, free with hg_mesh_free()
 * @return HG_OK; HG_E_ARG for n < 2, a grid of too many ranks or slabs that shall be
 * reproducible; HG_E_ENVIRONMENT when slabs
 * are demanded and FFTW-MPI would overflow its int counts, with the number of ranks that would
 * do; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mesh_create(const hg_comm *comm, const hg_mesh_options *options,
                                       hg_mesh **mesh);

/** Release plans and tables; fields handed out belong to the caller. NULL is fine.
 *
 * @local
 */
void hg_mesh_free(hg_mesh *mesh);

/** Get a field of zeros.
 *
 * @local
 * @param[out] field  float or double, shape (n_real); owned by the caller, free with
 * hg_mem_free(); never NULL on success
 * @return HG_OK; HG_E_MEMORY with advice
 */
HG_MUST_CHECK hg_status hg_mesh_field(hg_mesh *mesh, void **field);

/** Name and version of the library that transforms.
 *
 * @local
 */
const char *hg_mesh_version(void);

/** Bytes of one field on this rank.
 *
 * @local
 */
int64_t hg_mesh_bytes(const hg_mesh *mesh);

/** Transform a field in place, to wave space and back (which multiplies by n^3).
 *
 * @collective{comm}
 * @param[in,out] field  from hg_mesh_field()
 */
void hg_mesh_forward(const hg_comm *comm, const hg_mesh *mesh, void *field);
void hg_mesh_backward(const hg_comm *comm, const hg_mesh *mesh, void *field);

/** Value of a real cell of this rank, whatever the precision (tests and slow paths).
 *
 * @local
 */
double hg_mesh_cell(const hg_mesh *mesh, const void *field, int64_t x, int64_t y, int64_t z);

/** Complex value of a mode of this rank (tests and slow paths).
 *
 * @local
 * @param[out] mode  real and imaginary part
 */
void hg_mesh_mode(const hg_mesh *mesh, const void *field, int64_t x, int64_t y, int64_t z,
                  double mode[2]);

#endif
