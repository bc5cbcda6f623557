/** What training haloes stand for in the parent.
 * Layer: validate. */
#ifndef HG_VALIDATE_TRANSFER_RATIOS_H
#define HG_VALIDATE_TRANSFER_RATIOS_H

#include "validate/transfer.h"

/** Haloes in a leaf of the forest that tells the parent from the training, and its trees. */
enum { HG_TRANSFER_RATIO_LEAF = 20, HG_TRANSFER_RATIO_TREES = 128 };

/** Fill ratio, parent_ratio, ratio_max and parent_weight.
 *
 * @collective{comm}
 * @param[in,out] transfer  with rows that are compared, and the sample of the parent
 * @return HG_OK; HG_E_MEMORY; the failures of hg_forest_train()
 * @source Bickel, Brueckner & Scheffer 2007, ICML 24, 81 (density ratios from a classifier);
 * Kish 1965 (effective number)
 */
HG_MUST_CHECK hg_status hg_transfer_ratios_find(const hg_comm *comm, hg_transfer *transfer);

#endif
