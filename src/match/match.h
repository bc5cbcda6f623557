/** Pipeline: pair the haloes of zoom runs with their twins or with those of the parent. Layer:
 * match. */
#ifndef HG_MATCH_H
#define HG_MATCH_H

#include "halograft/comm.h"
#include "halograft/params.h"
#include "suite/regions.h"

/** Match the objects of `hydro` of every region with those of `dmo` by their particles, and
 * write a table for each region.
 *
 * @collective{comm}
 * @param[in] params     sections Zooms, Match and Output
 * @param[in] overwrite  replace tables that exist
 * @return HG_OK; HG_E_EXISTS; HG_E_PARAM; HG_E_INPUT; HG_E_NOTFOUND; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_match_run(const hg_comm *comm, const hg_params *params,
                                     bool overwrite);

/** The same with the haloes of the parent, by place and mass.
 *
 * @collective{comm}
 * @param[in] params     and section Parent
 * @param[in] overwrite  replace tables that exist
 */
HG_MUST_CHECK hg_status hg_match_to_parent(const hg_comm *comm, const hg_params *params,
                                           bool overwrite);

/** Where the table of a region stands: its `match` column, else where the pipelines write it.
 *
 * @local
 * @param[in]  by_place  the table with the parent
 * @param[in]  n         size of the buffer
 * @param[out] path      filled
 */
HG_MUST_CHECK hg_status hg_match_path(const hg_params *params, const hg_region *region,
                                      bool by_place, size_t n, char path[]);

#endif
