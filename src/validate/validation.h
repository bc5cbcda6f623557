/** What a validation works on: all training rows on every rank, with their masses and kinds.
 * Layer: validate. */
#ifndef HG_VALIDATE_VALIDATION_H
#define HG_VALIDATE_VALIDATION_H

#include "emulate/training_rows.h"
#include "halograft/comm.h"
#include "halograft/params.h"
#include "halograft/stages.h"
#include "suite/recipes.h"
#include "validate/coarsen.h"

/** Values of rows that are no features; the order of the extras. */
typedef enum hg_validation_extra {
    HG_EXTRA_MASS,
    HG_EXTRA_CENTRAL,
    HG_EXTRA_OVERDENSITY,
    HG_EXTRA_PLACE, /**< coordinate across slabs, Mpc */
    HG_EXTRA_FOLD,
    HG_EXTRA_PARTICLES,    /**< mass whose particles are counted, Msun */
    HG_EXTRA_SPEED_RADIUS, /**< of the maximum circular velocity, Mpc */
    HG_EXTRA_COUNT
} hg_validation_extra;

/** Rows and how they are learned; {0} is a valid empty one. */
typedef struct hg_validation {
    const hg_params *params;
    hg_recipes features, targets;
    hg_target_role role[HG_TARGETS_MAX];
    hg_training_extras extras;
    hg_coarsening coarsening;
    int slot[HG_EXTRA_COUNT]; /**< place of each value among the extras, -1 = not wanted */
    hg_training_rows rows;    /**< all of them, by key, on every rank */
    hg_train_options options;
    double *mass; /**< shape (n) */
    char mass_name[64];
    bool has_central, has_overdensity;
} hg_validation;

/** Read recipes and rows.
 *
 * @collective{comm}
 * @param[in]  params      Zooms, Selection, Features, Targets, Model, Validate
 * @param[out] validation  release with hg_validation_close(), also after a failure
 * @return HG_OK; the failures of hg_training_rows_read(); HG_E_INPUT without rows
 */
HG_MUST_CHECK hg_status hg_validation_open(const hg_comm *comm, const hg_params *params,
                                           hg_validation *validation);
void hg_validation_close(hg_validation *validation);

/** A value of a row; NaN where it is not known.
 *
 * @local
 */
double hg_validation_extra_of(const hg_validation *validation, hg_validation_extra which,
                              int64_t row);

/** Truth of a row: NaN where a hurdle is closed.
 *
 * @local
 */
double hg_validation_truth(const hg_validation *validation, int64_t row, int target);

/** Whether held-out rows can be drawn as the section Scatter says.
 *
 * @local
 * @return HG_OK; HG_E_PARAM
 */
HG_MUST_CHECK hg_status hg_validation_check_draws(const hg_validation *validation);

/** Name of what is scored of a target: "X", or "X open" for whether a hurdle is open.
 *
 * @local
 * @param[in] is_label  of the label, or of whether the target is open
 */
void hg_validation_entry_name(const hg_validation *validation, int target, bool is_label,
                              size_t n, char name[]);

#endif
