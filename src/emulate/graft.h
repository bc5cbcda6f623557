/** What stays the same while parts are grafted, and the work on one part. Layer: emulate. */
#ifndef HG_EMULATE_GRAFT_H
#define HG_EMULATE_GRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/output.h"
#include "halograft/catalog.h"
#include "halograft/error.h"
#include "halograft/params.h"
#include "halograft/stages.h"
#include "suite/recipes.h"

enum { HG_GRAFT_OUTPUTS_MAX = 2048, HG_QUANTILES_MAX = 32 };

/** A model made ready for a parent catalogue. */
typedef struct hg_grafter {
    const hg_params *params;
    const hg_stages *model;
    const hg_catalog *catalog;
    hg_recipes features;
    hg_recipes targets;
    hg_expression *selection; /**< NULL = all rows */
    hg_names names;           /**< columns to read */
    hg_predict_options options;
    double m_dm_factor; /**< features see this times the parent's m_dm */
    bool has_mean;      /**< columns X_mean are wanted */
    bool has_domain;    /**< columns X_spread and those about the training domain are wanted */
    bool is_loud;       /**< this rank warns */
    int n_output;
    hg_output_column output[HG_GRAFT_OUTPUTS_MAX];
    int64_t n_predicted, n_extrapolated, n_training; /**< rows so far; likewise below */
    int64_t n_domain[HG_DOMAIN_OUTSIDE + 1];         /**< by flag */
} hg_grafter;

/** Add the predictions to the rows of one part: X_mean, X_draw, ..., flags. Rows outside the
 * selection get NaN.
 *
 * @local
 * @param[in,out] table  rows with the columns `g->names`
 * @return HG_OK; HG_E_INPUT naming a row whose features cannot be computed; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_graft_part(hg_grafter *g, hg_table *table);

#endif
