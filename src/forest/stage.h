/** The stages of a model as they are in memory. Layer: forest. */
#ifndef HG_FOREST_STAGE_H
#define HG_FOREST_STAGE_H

#include "halograft/stages.h"

enum { HG_INPUTS_MAX = 2 * HG_TARGETS_MAX };

/** Of a target: its value or, when it has a hurdle, whether it is open. A label is a value. */
typedef enum hg_part { HG_PART_VALUE, HG_PART_OPEN } hg_part;

/** A column of a stage: what it is of the model's targets. */
typedef struct hg_stage_column {
    int32_t target;
    int32_t part;
} hg_stage_column;

typedef struct hg_stage {
    hg_forest *forest; /**< owned */
    hg_stage_use use;
    int is_label;                           /**< all outputs are 0 or 1 */
    int n_output;                           /**< targets of the forest */
    hg_stage_column output[HG_TARGETS_MAX]; /**< shape (n_output) */
    int n_input;                            /**< features of the forest behind the model's */
    hg_stage_column input[HG_INPUTS_MAX];   /**< shape (n_input) */
    double closed[HG_INPUTS_MAX];           /**< what an input is where its target is closed */
} hg_stage;

struct hg_stages {
    int n;
    hg_stage stage[HG_STAGES_MAX];
    int n_target;
    hg_field_spec target[HG_TARGETS_MAX];
    hg_target_role role[HG_TARGETS_MAX];
    uint64_t hash;
};

/** Seed of a stage: that of the model for stage 0, another for each of the others, so that
 * their streams differ.
 *
 * @local
 */
uint64_t hg_stage_seed(uint64_t seed, int stage);

/** Find what follows from the stages: targets, roles, hash; and check that columns exist and
 * inputs come from earlier stages.
 *
 * @local
 * @return HG_OK; HG_E_FORMAT; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_stages_complete(hg_stages *stages);

#endif
