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
 * Which haloes count is told by hg_feature_sample_read().
 *
 * @collective{comm}
 * @param[in] params     Parent, Zooms, Features, Selection, Match.mass are used
 * @param[in] overwrite  unused
 * @return as hg_feature_sample_read()
 */
HG_MUST_CHECK hg_status hg_features_common(const hg_comm *comm, const hg_params *params,
                                           bool overwrite);

#endif
