/** Tables and catalogues of a mock's rows. Layer: mock. */
#ifndef HG_MOCK_TABLE_H
#define HG_MOCK_TABLE_H

#include "halograft/comm.h"
#include "halograft/table.h"
#include "mock/mock_law.h"
#include "mock/mock_rows.h"

/** What columns a catalogue has. */
typedef enum hg_mock_content {
    HG_MOCK_PARENT, /**< the features: a dark-matter-only catalogue */
    HG_MOCK_ZOOM,   /**< features, galaxies, region, weight, parent_id */
    HG_MOCK_DMO,    /**< the same without galaxies */
    HG_MOCK_BOX,    /**< features and galaxies of a volume of its own */
    HG_MOCK_THETA,  /**< the same with the parameters of the universe as columns */
    HG_MOCK_TRUTH,  /**< features, galaxies, what the law says, hidden properties */
    HG_MOCK_ORACLE  /**< place and mass, redraws of the galaxies */
} hg_mock_content;

/** What else is to be said of the rows. */
typedef struct hg_mock_request {
    hg_mock_content content;
    int twin;                  /**< galaxy seed of the galaxies */
    int n_redraw;              /**< of the oracle */
    float weight;              /**< of the zoom region */
    const hg_mock_row *origin; /**< shape (n); haloes that make the galaxies, NULL = the rows */
} hg_mock_request;

/** Make a table of rows.
 *
 * @local
 * @param[in]  row    shape (n)
 * @param[out] table  release with hg_table_clear(); empty on failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_mock_table_make(const hg_mock_plan *plan, int64_t n,
                                           const hg_mock_row row[],
                                           const hg_mock_request *request, hg_table *table);

/** Write a table as a catalogue, rows in rank order.
 *
 * @collective{comm}
 * @param[in] path        without .hdf5; the folder exists
 * @param[in] parameters  YAML text of the run
 */
HG_MUST_CHECK hg_status hg_mock_table_output(const hg_comm *comm, const hg_mock_plan *plan,
                                             const hg_table *table,
                                             const hg_mock_request *request, const char *path,
                                             const char *parameters, bool overwrite);

/** Make the table and write it as a catalogue, rows in rank order.
 *
 * @collective{comm}
 * @param[in] path        without .hdf5; the folder exists
 * @param[in] parameters  YAML text of the run
 */
HG_MUST_CHECK hg_status hg_mock_table_write(const hg_comm *comm, const hg_mock_plan *plan,
                                            int64_t n, const hg_mock_row row[],
                                            const hg_mock_request *request, const char *path,
                                            const char *parameters, bool overwrite);

#endif
