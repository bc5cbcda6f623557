/** Derived columns in training and application: which are used, and their side-cars.
 * Layer: emulate.
 */
#ifndef HG_EMULATE_SIDECARS_H
#define HG_EMULATE_SIDECARS_H

#include "features/derived.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/stages.h"
#include "suite/regions.h"

/** What the parameters derive; {0} is valid and uses nothing. */
typedef struct hg_sidecars {
    hg_derived derived[HG_DERIVED_KINDS];
    bool used[HG_DERIVED_KINDS]; /**< features, targets or selections name some of them */
} hg_sidecars;

/** The recipes of the parameters, and whether they use them.
 *
 * @local
 * @param[out] s  release with hg_sidecars_clear(), also on failure
 * @return HG_OK; HG_E_PARAM; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sidecars_parse(const hg_params *params, hg_sidecars *s);
void hg_sidecars_clear(hg_sidecars *s);

/** Add the recipes that are used to texts.
 *
 * @local
 * @param[in,out] recipe  shape (HG_DERIVED_KINDS); those of kinds that are not used stay empty
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sidecars_write(const hg_sidecars *s, hg_text recipe[]);

/** Join the side-cars of training rows that are read.
 *
 * @collective{comm}
 * @param[in]     region       NULL for Zooms.files
 * @param[in]     twins        rows are those of the region's twin
 * @param[in]     from_parent  rows are those of the parent
 * @param[in,out] catalog      gets the columns
 * @return as hg_sidecar_join()
 */
HG_MUST_CHECK hg_status hg_sidecars_join(const hg_comm *comm, const hg_params *params,
                                         const hg_sidecars *s, const hg_region *region,
                                         bool twins, bool from_parent, hg_catalog *catalog);

/** Join the side-cars that the model was trained with, or that the parameters name.
 *
 * @collective{comm}
 * @param[in,out] catalog  the parent; gets the columns
 * @return as hg_sidecar_join(); HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_sidecars_join_model(const hg_comm *comm, const hg_params *params,
                                               const hg_stages *model, hg_catalog *catalog);

#endif
