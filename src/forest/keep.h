/** How much of a mate's deviation draws keep. Layer: forest. */
#ifndef HG_FOREST_KEEP_H
#define HG_FOREST_KEEP_H

#include "forest/model.h"

/** Fill f->keep from a regular sample of the residuals, to be called when they stand.
 *
 * @local
 * @param[in,out] f  keep[] of targets without residuals becomes 0
 * @return HG_OK; HG_E_MEMORY
 * @source docs/science/scatter.md
 */
HG_MUST_CHECK hg_status hg_keep_choose(hg_forest *f);

/** The same for a forest on disk whose rows lie on many ranks.
 *
 * @collective{comm}
 * @param[in,out] f  the spill on rank 0; keep[] is the same on all ranks
 * @return HG_OK; HG_E_MEMORY; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_keep_choose_on_disk(const hg_comm *comm, hg_forest *f);

#endif
