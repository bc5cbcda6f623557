/** Ids that come twice, wherever their rows are. Layer: emulate. */
#ifndef HG_EMULATE_DUPLICATES_H
#define HG_EMULATE_DUPLICATES_H

#include "halograft/comm.h"
#include "halograft/table.h"

/** Ids seen by this rank; {0} is a valid empty one. */
typedef struct hg_seen_ids {
    int64_t n, room;
    struct hg_seen_id *id; /**< shape (n) */
} hg_seen_ids;

/** Note the rows of a table by id, region and run; 24 bytes each.
 *
 * @local
 * @param[in] table  with id and row
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_seen_ids_add(hg_seen_ids *seen, const hg_table *table);

/** Fail with HG_E_INPUT naming an id that any ranks have seen twice, and both rows.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_INPUT; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_seen_ids_check(const hg_comm *comm, const hg_seen_ids *seen);
void hg_seen_ids_clear(hg_seen_ids *seen);

#endif
