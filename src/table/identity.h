/** Identity of a halo: a 64-bit hash of (run, region, id), the key of all random draws.
 *
 * Ids repeat over regions in real suites, so the id alone is not enough. A parent volume has no
 * region: HG_NO_REGION. Layer: table.
 */
#ifndef HG_TABLE_IDENTITY_H
#define HG_TABLE_IDENTITY_H

#include <stdint.h>

#include "halograft/table.h"

enum { HG_NO_REGION = -1 };

/** Key of a halo; never 0, which means "none".
 *
 * @local
 * @param[in] run     name of the simulation
 * @param[in] region  number of the zoom region, or HG_NO_REGION
 * @param[in] id      identifier within the region's catalogue
 */
uint64_t hg_halo_key(const char *run, int64_t region, int64_t id);

/** Hash of the first two parts, for many ids: key = hg_halo_key_of(prefix, id).
 *
 * @local
 */
uint64_t hg_halo_prefix(const char *run, int64_t region);
uint64_t hg_halo_key_of(uint64_t prefix, int64_t id);

/** Region of a row in a table that tells regions, or runs, apart by columns.
 *
 * @local
 * @param[in] region  column `region`, or NULL
 * @param[in] run     column `run`, or NULL
 * @param[in] row     row of both
 * @return a number that differs wherever region or run do; HG_NO_REGION without both columns
 */
int64_t hg_halo_place(const hg_column *region, const hg_column *run, int64_t row);

#endif
