/** The command `features --common`: which columns and features zooms and parent share, and
 * whether these mean the same on both sides. Layer: emulate.
 */
#ifndef HG_EMULATE_COMMON_H
#define HG_EMULATE_COMMON_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Print, on rank 0, the columns that parent and all training catalogues share and those they
 * do not, and for every entry of Features that both can compute: its shift at fixed mass, and
 * the Kolmogorov-Smirnov distance at fixed mass before and after a transport of quantiles.
 *
 * Rows of zooms count inside their radius and below the contamination limit, on both sides
 * those that pass Selection.apply (where there is none and both have its columns:
 * Selection.train); of the parent every row or an even sample of about 2^20. Mass is the column
 * Match.mass. m_dm of a parent without baryons is multiplied as `apply` does.
 *
 * @collective{comm}
 * @param[in] params     Parent, Zooms, Features, Selection, Match.mass are used
 * @param[in] overwrite  unused
 * @return HG_OK; HG_E_NOTFOUND where a side lacks the mass; HG_E_INPUT for values that a recipe
 * cannot take; the failures of opening catalogues; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_features_common(const hg_comm *comm, const hg_params *params,
                                           bool overwrite);

#endif
