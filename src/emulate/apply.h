/** From a model and a parent catalogue to a galaxy catalogue. Layer: emulate. */
#ifndef HG_EMULATE_APPLY_H
#define HG_EMULATE_APPLY_H

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"

/** Graft galaxies onto every halo of the parent volume.
 *
 * Part by part: read, compute features by the recipes stored in the model, predict the mean and
 * the draws, write. Memory is bounded by one part per rank. Rows outside Selection.apply get
 * NaN. The output is bit-identical for any number of ranks and threads.
 *
 * @collective{comm}
 * @param[in] params     Parent, Selection, Model.file, Scatter, Output are used
 * @param[in] overwrite  replace an existing catalogue
 * @return HG_OK; HG_E_NOTFOUND when columns are missing; HG_E_INPUT when cosmology or redshift
 * differ from the model's, for bad rows, or an empty catalogue; HG_E_EXISTS; HG_E_WRITE;
 * HG_STOPPED when a stop was asked for (par/stop.h)
 */
HG_MUST_CHECK hg_status hg_emulate_apply(const hg_comm *comm, const hg_params *params,
                                         bool overwrite);

/** The same, going on with the parts that an earlier run has finished, on any number of ranks;
 * the catalogue has the same bytes. A finished catalogue is left as it is, and where nothing
 * was begun the application begins.
 *
 * @collective{comm}
 * @return as hg_emulate_apply(); HG_E_INPUT when model, parent or parameters have changed
 * since, which it names
 */
HG_MUST_CHECK hg_status hg_emulate_apply_resume(const hg_comm *comm, const hg_params *params,
                                                bool overwrite);

#endif
