/** Orphans as rows of a converted catalogue, and the columns of histories for all its rows.
 * Layer: emulate.
 */
#ifndef HG_EMULATE_ORPHAN_ROWS_H
#define HG_EMULATE_ORPHAN_ROWS_H

#include "features/history_recipe.h"
#include "features/orphans.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/params.h"
#include "halograft/table.h"

/** Column that tells orphans from others. */
#define HG_ORPHAN "orphan"

typedef struct hg_orphan_rows {
    double scale; /**< scale factor of the catalogue */
    hg_history_recipe recipe;
    hg_orphans found;
} hg_orphan_rows;

/** Read the history of a catalogue and find its orphans.
 *
 * @collective{comm}
 * @param[in]  params  History and Convert are used; borrowed
 * @param[out] rows    owned by the caller, free with hg_orphan_rows_free(); NULL on failure
 * @return HG_OK; HG_E_PARAM without a history; the failures of hg_orphans_find()
 */
HG_MUST_CHECK hg_status hg_orphan_rows_create(const hg_comm *comm, const hg_params *params,
                                              const hg_catalog *catalog, hg_orphan_rows **rows);
void hg_orphan_rows_free(hg_orphan_rows *rows);

/** Fill columns of the orphans of this rank: id, host_id, central, position and velocity.
 *
 * @local
 * @param[in,out] table  one row per orphan; columns that it lacks are left out
 */
void hg_orphan_rows_fill(const hg_orphan_rows *rows, hg_table *table);

/** Add the columns of section History, by id, and `orphan`.
 *
 * @collective{comm}
 * @param[in,out] table   has the column id
 * @param[in]     orphan  what the column `orphan` holds, 0 or 1
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_orphan_rows_join(const hg_comm *comm, const hg_orphan_rows *rows,
                                            hg_table *table, uint8_t orphan);

/** Whether a column is made by hg_orphan_rows_join(); NULL makes none.
 *
 * @local
 */
bool hg_orphan_rows_makes(const hg_orphan_rows *rows, const char *name);

#endif
