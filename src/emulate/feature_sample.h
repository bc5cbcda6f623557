/** The features of zooms and parent, halo by halo, where both sides can compute them: what
 * `features --common` compares and Zooms.transport is made of. Layer: emulate.
 */
#ifndef HG_EMULATE_FEATURE_SAMPLE_H
#define HG_EMULATE_FEATURE_SAMPLE_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "stats/shift_at_mass.h"
#include "suite/recipes.h"

enum { HG_FEATURE_SAMPLE_MAX = 256 };

/** Haloes of one side: log10 mass, half (0 or 1), features. */
typedef struct hg_feature_rows {
    int64_t n;
    float *row; /**< shape (n, 2 + n_use) */
} hg_feature_rows;

/** Both sides; {0} is empty. */
typedef struct hg_feature_sample {
    hg_recipes features;                   /**< all of section Features */
    int n_use, use[HG_FEATURE_SAMPLE_MAX]; /**< those that both sides have */
    hg_feature_rows zooms, parent;         /**< without rows but on rank 0 */
    uint64_t parent_identity;              /**< of the catalogue, see hg_catalog_identity() */
} hg_feature_sample;

/** Read them: rows of zooms inside their radius and below the contamination limit, on both
 * sides those that pass Selection.apply (where there is none and both have its columns:
 * Selection.train); of the parent every row or an even sample of about 2^20. Mass is the column
 * Match.mass. m_dm of a parent without baryons is multiplied as `apply` does.
 *
 * @collective{comm}
 * @param[in]  params   Parent, Zooms, Features, Selection, Match.mass are used
 * @param[in]  is_loud  rank 0 prints which columns and features are shared
 * @param[out] sample   transformed units; release with hg_feature_sample_clear(), also on
 * failure
 * @return HG_OK; HG_E_NOTFOUND where a side lacks the mass; HG_E_INPUT for values that a recipe
 * cannot take; the failures of opening catalogues; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_feature_sample_read(const hg_comm *comm, const hg_params *params,
                                               bool is_loud, hg_feature_sample *sample);
void hg_feature_sample_clear(hg_feature_sample *sample);

/** One feature of one side.
 *
 * @local
 * @param[in]  n_use  of the sample
 * @param[in]  f      number of the feature among those in use
 * @param[out] halo   shape (rows->n); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_feature_sample_pick(const hg_feature_rows *rows, int n_use, int f,
                                               hg_massed **halo);

#endif
