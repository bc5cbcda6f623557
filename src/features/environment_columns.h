/** The columns of the environment for all catalogues of a run. Layer: features. */
#ifndef HG_FEATURES_ENVIRONMENT_COLUMNS_H
#define HG_FEATURES_ENVIRONMENT_COLUMNS_H

#include <stdbool.h>

#include "features/run_catalogues.h"

/** Compute them and write the side-cars.
 *
 * @collective{comm}
 * @param[in]     params     Environment and Parent are used
 * @param[in]     derived    columns and recipe, of the same parameters
 * @param[in,out] members    whose rows get them
 * @param[in]     overwrite  replace existing side-cars
 * @return as hg_features_make()
 */
HG_MUST_CHECK hg_status hg_environment_columns(const hg_comm *comm, const hg_params *params,
                                               const hg_derived *derived,
                                               hg_run_catalogues *members, bool overwrite);

#endif
