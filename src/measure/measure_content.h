/** What haloes hold: numbers of galaxies by host mass (halo occupation), their mass functions
 * in bins of host mass, and quenched fractions. Layer: measure.
 */
#ifndef HG_MEASURE_CONTENT_H
#define HG_MEASURE_CONTENT_H

#include "halograft/table.h"
#include "measure/measure_plan.h"
#include "measure/measure_source.h"
#include "suite/recipes.h"

/** Counts over the rows of a catalogue; {0} is a valid empty one. */
typedef struct hg_content {
    bool has_host;     /**< host masses and centrals are known */
    bool has_quenched; /**< what Measure.quenched asks for is known */
    int n_conditional;
    const char *conditional[HG_LIST_MAX]; /**< columns, borrowed from the parameters */
    int64_t n;                            /**< length of block */
    int64_t *block;                       /**< everything below */
    int64_t *host;                        /**< shape (relation_axis.n), centrals by host mass */
    int64_t *member;   /**< shape (n_sample, 2, relation_axis.n), centrals and satellites */
    int64_t *bin_host; /**< shape (host bins), centrals */
    int64_t *conditional_count; /**< shape (n_conditional, host bins, 2, mass_axis.n) */
    int64_t *quenched; /**< shape (2, 2, mass_axis.n), all and quenched; centrals, satellites */
} hg_content;

/** Choose what a catalogue has the columns for, and note the columns.
 *
 * @local
 * @param[in,out] names    columns to be read
 * @param[out]    content  release with hg_content_clear(), also after a failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_content_choose(const hg_measure_plan *plan,
                                          const hg_measured_set *sources,
                                          const hg_measured *source, int draw, hg_names *names,
                                          hg_content *content);

/** Count the rows of one part.
 *
 * @local
 * @param[in] mask  shape (table->n), bit s = in sample s
 * @return HG_OK; HG_E_MEMORY; HG_E_NOTFOUND
 */
HG_MUST_CHECK hg_status hg_content_add(const hg_measure_plan *plan, const hg_table *table,
                                       const uint64_t mask[], hg_content *content);

/** Sum over ranks, in place.
 *
 * @collective{comm}
 */
void hg_content_sum(const hg_comm *comm, hg_content *content);

/** Turn the counts into curves.
 *
 * @local
 * @param[in] has_sample  bit s = the catalogue has sample s
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_content_curves(const hg_measure_plan *plan,
                                          const hg_measured_set *sources,
                                          const hg_measured *source, uint64_t has_sample,
                                          const hg_content *content, hg_statistics *statistics);
void hg_content_clear(hg_content *content);

#endif
