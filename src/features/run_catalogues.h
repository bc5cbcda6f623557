/** The catalogues of a run whose rows get derived columns. Layer: features. */
#ifndef HG_FEATURES_RUN_CATALOGUES_H
#define HG_FEATURES_RUN_CATALOGUES_H

#include "features/sidecar.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "suite/regions.h"

/** One of them. */
typedef struct hg_run_catalogue {
    hg_sidecar_of of;
    const hg_region *region; /**< NULL without */
    hg_catalog *catalog;
    char name[1024];  /**< its first file */
    int64_t first, n; /**< rows of this rank: where they begin among all that it holds */
} hg_run_catalogue;

/** All of them, the parent first; {0} is empty. */
typedef struct hg_run_catalogues {
    int n;
    hg_run_catalogue *member; /**< shape (n) */
    int n_region;
    hg_region *regions;
} hg_run_catalogues;

/** Open the parent and every catalogue that gives features of training rows.
 *
 * @collective{comm}
 * @param[in]  params   Parent and Zooms are used
 * @param[out] members  release with hg_run_catalogues_clear(), also on failure
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT; HG_E_INPUT; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_run_catalogues_open(const hg_comm *comm, const hg_params *params,
                                               hg_run_catalogues *members);
void hg_run_catalogues_clear(hg_run_catalogues *members);

/** Write the side-cars of all members.
 *
 * @collective{comm}
 * @param[in] derived    columns and recipe
 * @param[in] members    rank r holds the parts of member i with (part + i) % size = r
 * @param[in] overwrite  replace existing ones
 * @param[in] row        rows in their catalogue, those of member i from its `first` on
 * @param[in] value      shape (rows, derived->n_column), in the same order
 * @return HG_OK; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_run_catalogues_write(const hg_comm *comm, const hg_params *params,
                                                const hg_derived *derived,
                                                const hg_run_catalogues *members,
                                                bool overwrite, const int64_t row[],
                                                const float value[]);

#endif
