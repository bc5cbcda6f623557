/** Predictions of some haloes taken apart into what each feature adds. Layer: explain. */
#ifndef HG_EXPLAIN_HALOES_H
#define HG_EXPLAIN_HALOES_H

#include "base/text.h"
#include "forest/attribute.h"
#include "halograft/stages.h"
#include "validate/validation.h"

/** The haloes in one forest of the model, whose outputs are targets, or whether they are open.
 */
typedef struct hg_haloes_stage {
    int stage;
    int n_target;
    double *mean;         /**< shape (n, n_target); what the forest says, transformed units */
    hg_attribution parts; /**< of n rows; owned */
} hg_haloes_stage;

/** Attributions of a sample of the training haloes, or of haloes of the parent; {0} is a valid
 * empty one. */
typedef struct hg_haloes {
    int64_t n;
    bool of_parent;
    int64_t *row; /**< shape (n); numbers among the rows of the validation, or of the parent */
    float *x;     /**< shape (n, n_feature); transformed */
    int n_stage;
    hg_haloes_stage stage[HG_STAGES_MAX];
    hg_text left_out; /**< names of the targets that are not taken apart, "'a', 'b'" */
} hg_haloes;

/** Take apart the means of the forests that have no other targets among their features; others
 * are left out and named.
 *
 * @collective{comm}
 * @param[in]  model   the same on all ranks, trained on rows of the validation
 * @param[out] haloes  release with hg_haloes_clear(), also after a failure
 * @return HG_OK; HG_E_INPUT when a training row is not among the rows; HG_E_MEMORY; the
 * failures of hg_forest_attribute()
 */
HG_MUST_CHECK hg_status hg_haloes_explain(const hg_comm *comm, const hg_validation *validation,
                                          const hg_stages *model, hg_haloes *haloes);
void hg_haloes_clear(hg_haloes *haloes);

/** Name of output o of a stage: "X", or "X open".
 *
 * @local
 */
void hg_haloes_output_name(const hg_stages *model, int stage, int o, size_t n, char name[]);

#endif
