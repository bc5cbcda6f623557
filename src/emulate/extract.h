/** Haloes taken out of a catalogue: selected, thinned, with columns of their hosts; what
 * convert and export share. Layer: emulate.
 */
#ifndef HG_EMULATE_EXTRACT_H
#define HG_EMULATE_EXTRACT_H

#include "catalog/output.h"
#include "emulate/hosts.h"
#include "emulate/orphan_rows.h"
#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/params.h"
#include "suite/recipes.h"
#include "table/expression.h"

/** What is taken out of what; {0} is a valid empty one. */
typedef struct hg_extract {
    const hg_params *params;
    hg_catalog *catalog;
    hg_names names; /**< columns to read */
    hg_expression *select;
    hg_hosts *hosts;         /**< NULL when none are asked for */
    hg_orphan_rows *orphans; /**< NULL when none are asked for */
    int n_column;
    hg_output_column column[256]; /**< in the order of the output */
    int64_t n_missing;            /**< rows of this rank without their host, so far */
} hg_extract;

/** Where the catalogue is, when not in the section Parent. */
typedef struct hg_extract_input {
    int n_file;               /**< 0 = Parent.files */
    const char *const *files; /**< shape (n_file) */
    const char *mapping;      /**< NULL = Parent.mapping */
} hg_extract_input;

/** Open the catalogue, choose the columns, index the hosts. Columns of the result: id, row,
 * position, central, host_id, region and run as far as there are, host_row and host_X of
 * Convert.hosts, and those of Convert.columns, or by default all whose names are canonical;
 * with Convert.orphans also `orphan` and those of section History.
 *
 * @collective{comm}
 * @param[in]  params   Parent, History and Convert are used; borrowed as long as the extract
 * lives
 * @param[out] extract  release with hg_extract_clear(), also after a failure
 * @return HG_OK; the failures of hg_catalog_open(); HG_E_NOTFOUND for columns that are missing;
 * HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_extract_open(const hg_comm *comm, const hg_params *params,
                                        const hg_extract_input *input, hg_extract *extract);
void hg_extract_clear(hg_extract *extract);

/** Read a part, as far as it is wanted.
 *
 * @collective{comm}
 * @param[in]  part   of the catalogue, -1 = none: the rank takes part in the others' work
 * @param[out] table  exactly the columns of the result; release with hg_table_clear()
 * @return HG_OK; the failures of hg_catalog_read(); HG_E_INPUT for a missing host when
 * Parent.on_bad_rows is error
 */
HG_MUST_CHECK hg_status hg_extract_part(const hg_comm *comm, hg_extract *extract, int64_t part,
                                        hg_table *table);

/** The orphans of this rank, as far as they are wanted; a column that they have no value of is
 * NaN, or -1. They come in an order that does not depend on the number of ranks, the first on
 * rank 0.
 *
 * @collective{comm}
 * @param[out] table  as of hg_extract_part(); no rows without Convert.orphans
 * @return as hg_extract_part()
 */
HG_MUST_CHECK hg_status hg_extract_orphans(const hg_comm *comm, hg_extract *extract,
                                           hg_table *table);

#endif
