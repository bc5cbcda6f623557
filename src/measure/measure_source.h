/** The catalogues that are measured, and which of their columns a name means. Layer: measure.
 */
#ifndef HG_MEASURE_SOURCE_H
#define HG_MEASURE_SOURCE_H

#include "halograft/catalog.h"
#include "halograft/comm.h"
#include "halograft/params.h"

/** One catalogue under one name. */
typedef struct hg_measured {
    char name[HG_NAME_MAX];
    char suffix[16]; /**< "", "draw", "mean" or "draws" */
    char path[1024];
    hg_catalog *catalog;
    int n_draw;        /**< realisations to average over; 1 but for "draws" */
    bool is_reference; /**< of Measure.references: read for cross statistics only */
} hg_measured;

/** All of them, and the parent catalogue, whose rows stand beside those of its descendants. */
typedef struct hg_measured_set {
    int n;
    hg_measured source[HG_LIST_MAX];
    hg_catalog *parent; /**< NULL when there is none */
    char parent_path[1024];
} hg_measured_set;

/** Open the catalogues of Measure.catalogues, or those that a run leaves in its folder, and
 * those of Measure.references.
 *
 * @collective{comm}
 * @param[out] sources  release with hg_measured_set_close(), also after a failure
 * @return HG_OK; HG_E_NOTFOUND; HG_E_PARAM for an entry that is not name=path or a name given
 * twice
 */
HG_MUST_CHECK hg_status hg_measured_set_open(const hg_comm *comm, const hg_params *params,
                                             hg_measured_set *sources);
void hg_measured_set_close(hg_measured_set *sources);

/** Fail when a catalogue of Measure.catalogues is neither there nor in the folder of the run,
 * which may make it: better before the work than after it.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_NOTFOUND; HG_E_PARAM for an entry that is not name=path
 */
HG_MUST_CHECK hg_status hg_measured_set_check(const hg_comm *comm, const hg_params *params);

/** Whether a source itself says something about a name: with its suffix where it has one, and
 * never from the parent, which would be compared with itself.
 *
 * @local
 */
bool hg_measured_predicts(const hg_measured *source, const char *name);

/** Whether a name can be read from a source: with its suffix, plainly, or from the row-aligned
 * parent.
 *
 * @local
 * @param[in] draw  realisation, from 0
 */
bool hg_measured_has(const hg_measured_set *sources, const hg_measured *source, int draw,
                     const char *name);

/** Read columns of one part under their plain names.
 *
 * @local
 * @param[in]  n, names  column names; those the source lacks must not be asked for
 * @param[out] table     release with hg_table_clear()
 * @return HG_OK; the failures of hg_catalog_read(); HG_E_SHAPE when catalogue and parent drop
 * different rows
 */
HG_MUST_CHECK hg_status hg_measured_read(const hg_measured_set *sources,
                                         const hg_measured *source, int draw, int64_t part,
                                         int n, const char *const names[], hg_table *table);

/** The source of that name, or NULL.
 *
 * @local
 */
const hg_measured *hg_measured_set_find(const hg_measured_set *sources, const char *name);

/** Range of parts of one rank: contiguous blocks, so that rank order is row order.
 *
 * @local
 */
void hg_measured_parts(const hg_measured *source, const hg_comm *comm, int64_t *first,
                       int64_t *end);

/** Unit of a column of a catalogue or its parent, "" when unknown; borrowed.
 *
 * @local
 */
const char *hg_measure_unit(const hg_measured_set *sources, const hg_measured *source,
                            const char *column);

/** Doubles of a column of width 1.
 *
 * @local
 * @param[out] value  shape (table->n)
 * @return HG_OK; HG_E_NOTFOUND
 */
HG_MUST_CHECK hg_status hg_measure_column(const hg_table *table, const char *name,
                                          double value[]);

#endif
