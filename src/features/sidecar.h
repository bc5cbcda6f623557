/** Side-cars: catalogues that hold derived columns of the rows of another. Layer: features. */
#ifndef HG_FEATURES_SIDECAR_H
#define HG_FEATURES_SIDECAR_H

#include "features/derived.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "suite/regions.h"

/** Whose rows a side-car goes with. */
typedef enum hg_sidecar_of {
    HG_SIDECAR_PARENT,
    HG_SIDECAR_ZOOMS,  /**< Zooms.files */
    HG_SIDECAR_REGION, /**< the catalogue of a region */
    HG_SIDECAR_TWIN    /**< the twin of a region */
} hg_sidecar_of;

/** Path of a side-car without .hdf5.
 *
 * @local
 * @param[in]  kind    what it holds
 * @param[in]  region  NULL but for regions and twins
 * @param[in]  n       size of the buffer
 * @param[out] path    filled
 * @return HG_OK; HG_E_ARG when too long
 */
HG_MUST_CHECK hg_status hg_sidecar_path(const hg_params *params, hg_derived_kind kind,
                                        hg_sidecar_of of, const hg_region *region, size_t n,
                                        char path[]);

/** Write a side-car from rows of this rank.
 *
 * @collective{comm}
 * @param[in] derived    columns and recipe
 * @param[in] path       without .hdf5
 * @param[in] overwrite  replace an existing one
 * @param[in] catalog    whose rows these are; rank r holds parts with (part + turn) % size = r
 * @param[in] n        rows of this rank, in the order of the catalogue; those it dropped as bad
 *                     are not among them and become NaN
 * @param[in] row      shape (n); row in the catalogue
 * @param[in] value    shape (n, derived->n_column)
 * @return HG_OK; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sidecar_write(const hg_comm *comm, const hg_params *params,
                                         const hg_derived *derived, const char *path,
                                         bool overwrite, const hg_catalog *catalog, int turn,
                                         int64_t n, const int64_t row[], const float value[]);

/** Open the side-car of a catalogue and join it.
 *
 * @collective{comm}
 * @param[in]     kind     what it must hold
 * @param[in]     path     without .hdf5
 * @param[in,out] catalog  gets the columns
 * @param[in]     recipe   what the columns must mean, as written
 * @param[in]     whose    whose recipe that is, for messages
 * @return HG_OK; HG_E_NOTFOUND where there is none, with the command that makes it; HG_E_INPUT
 * when it was made for another catalogue or by another recipe
 */
HG_MUST_CHECK hg_status hg_sidecar_join(const hg_comm *comm, hg_derived_kind kind,
                                        const char *path, hg_catalog *catalog,
                                        const char *recipe, const char *whose);

#endif
