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

/** The rows of one part that are predicted, on their way through a grafter: taken from a table,
 * predicted, given back as columns. {0} is empty. */
typedef struct hg_graft_rows {
    int64_t n;
    int64_t *row;  /**< shape (n): row in the table */
    uint64_t *key; /**< shape (n): of draws; NULL when predicted, as x is */
    float *x;      /**< shape (n, features) */
    hg_prediction result;
} hg_graft_rows;

/** Take the rows to predict from a part, with keys and features: those of the selection that
 * are not flagged as bad.
 *
 * @local
 * @param[in]  table  rows with the columns `g->names`
 * @param[out] rows   empty before; release with hg_graft_clear(), after a failure too
 * @return HG_OK; HG_E_INPUT naming a row whose features cannot be computed; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_graft_take(const hg_grafter *g, const hg_table *table,
                                      hg_graft_rows *rows);

/** Predict rows that were taken; keys and features are released.
 *
 * @local
 * @return HG_OK; HG_E_INPUT naming key and feature of a value that is not finite; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_graft_predict(const hg_grafter *g, hg_graft_rows *rows);

/** Add the predictions to the part that the rows were taken from: X_mean, X_draw, ..., flags.
 * Means and draws are inverted, other rows get NaN. Counts of `g` grow; only one thread may
 * give at a time, while others take and predict.
 *
 * @local
 * @param[in,out] table  as it was when the rows were taken
 * @param[in,out] rows   predicted, or empty: then only the columns are made; empty afterwards
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_graft_give(hg_grafter *g, hg_table *table, hg_graft_rows *rows);

/** Release what rows hold.
 *
 * @local
 */
void hg_graft_clear(hg_graft_rows *rows);

#endif
