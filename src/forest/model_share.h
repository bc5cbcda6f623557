/** A forest from a file on all ranks. Layer: forest. */
#ifndef HG_FOREST_MODEL_SHARE_H
#define HG_FOREST_MODEL_SHARE_H

#include "forest/model.h"
#include "store/h5.h"

/** Read a stage of a file, without texts: rank 0 reads straight into the memory that the ranks
 * of its node share, from where the others get it.
 *
 * @collective{comm}
 * @param[in]  file    open on rank 0, NULL elsewhere
 * @param[in]  path    of the file, for messages
 * @param[out] forest  owned by the caller, free with hg_forest_free(), on failure too
 * @return HG_OK; HG_E_FORMAT; HG_E_VERIFY; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_load(const hg_comm *comm, hg_h5 *file, const char *path,
                                      int stage, hg_forest **forest);

/** Give the texts of rank 0's forest to those of all ranks.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_share_meta(const hg_comm *comm, hg_forest *forest);

#endif
