/** Keys, groups and weights of training rows. Layer: emulate. */
#ifndef HG_EMULATE_TRAINING_IDENTITY_H
#define HG_EMULATE_TRAINING_IDENTITY_H

#include "halograft/params.h"
#include "halograft/table.h"
#include "suite/regions.h"

/** Identify the rows of a table with the column id.
 *
 * @local
 * @param[in]  p            parameters
 * @param[in]  from_parent  the rows are haloes of the parent
 * @param[in]  is_epoch     their region is listed at several redshifts
 * @param[in]  region       they belong to, or NULL where columns tell
 * @param[in]  run          name of the simulation
 * @param[out] key          shape (n)
 * @param[out] group        shape (n); of the bag
 * @param[out] parent_key   shape (n); 0 = not in the parent
 * @param[out] weight       shape (n), dimensionless
 */
void hg_training_identify(const hg_params *p, bool from_parent, bool is_epoch,
                          const hg_table *table, const hg_region *region, const char *run,
                          uint64_t key[], uint64_t group[], uint64_t parent_key[],
                          double weight[]);

/** Say where rows come from.
 *
 * @local
 * @param[out] place       shape (n); hash of run and region
 * @param[out] simulation  shape (n); hash of the run alone
 * @param[out] number      shape (n); of the region, else of the run, else HG_NO_REGION
 */
void hg_training_trace(const hg_table *table, const hg_region *region, const char *run,
                       uint64_t place[], uint64_t simulation[], int64_t number[]);

#endif
