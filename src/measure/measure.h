/** Statistics of catalogues: mass functions, relations, clustering, and predicted against true.
 * Layer: measure.
 */
#ifndef HG_MEASURE_H
#define HG_MEASURE_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Measure all catalogues of Measure.catalogues and write the statistics file and its CSV twin.
 *
 * @collective{comm}
 * @param[in] params     sections Measure, Samples, Parent and Output
 * @param[in] overwrite  replace an existing statistics file
 * @return HG_OK; HG_E_EXISTS; HG_E_NOTFOUND for a missing catalogue or column; HG_E_PARAM; the
 * failures of reading, painting and writing
 */
HG_MUST_CHECK hg_status hg_measure_run(const hg_comm *comm, const hg_params *params,
                                       bool overwrite);

#endif
