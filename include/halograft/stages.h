/** Models of several forests ("stages") for targets that are not plain numbers: labels, targets
 * with a spike of zeros, and targets that follow from others.
 *
 * A label is 0 or 1; a forest grown on it gives the probability of 1. A target with a hurdle
 * has a gate, the label "open", and values where the gate is open. A target may come `after`
 * others: these are then further inputs of its stages. Targets of the same kind with the same
 * inputs share a forest, so that their scatter is joint. A model whose targets are all plain is
 * one stage, the forest of hg_forest_train() bit for bit. Layer: forest.
 */
#ifndef HALOGRAFT_STAGES_H
#define HALOGRAFT_STAGES_H

#include "halograft/forest.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum { HG_STAGES_MAX = 64 };

/** What kind of number a target is, and what it follows from. */
typedef struct hg_target_role {
    int is_label;   /**< 0 or 1; a probability is predicted, and drawn as 0 or 1 */
    int has_hurdle; /**< NaN in training: the gate is closed, there is no value */
    uint32_t after; /**< bit t: target t is an input */
} hg_target_role;

/** Check that targets follow existing ones and none follows itself.
 *
 * @local
 * @param[in] target  shape (n); specifications, for messages
 * @param[in] role    shape (n)
 * @return HG_OK; HG_E_ARG; HG_E_PARAM naming a target that comes after itself
 */
HG_MUST_CHECK hg_status hg_target_roles_check(int n, const hg_field_spec target[],
                                              const hg_target_role role[]);

/** Which of the results a stage serves: of targets with inputs `after` the means come from a
 * forest grown on predictions of the inputs, the draws from one grown on their true values. */
typedef enum hg_stage_use { HG_STAGE_BOTH, HG_STAGE_MEAN, HG_STAGE_DRAW } hg_stage_use;

/** A trained model, complete on every rank, read-only but for the texts of its first stage. */
typedef struct hg_stages hg_stages;

/** Train the forests of a model one after the other.
 *
 * @collective{comm}
 * @param[in]  options  the same on all ranks; the seed is that of stage 0, others follow from
 * it
 * @param[in]  data     rows of this rank; `y` may be NaN where a target with a hurdle is closed
 * @param[in]  role     shape (data->n_target), the same on all ranks
 * @param[in]  parts    part files of stage 0 and the others, or NULL; the same on all ranks
 * @param[out] stages   owned by the caller, free with hg_stages_free(); NULL on failure and
 * when parts->n_tree > 0
 * @return the failures of hg_forest_train_parts(); HG_E_PARAM for a target after itself;
 * HG_E_INPUT for a label that is neither 0 nor 1, for labels that are all equal, and for a
 * target that is nowhere open
 */
HG_MUST_CHECK hg_status hg_stages_train(const hg_comm *comm, const hg_train_options *options,
                                        const hg_train_data *data, const hg_target_role role[],
                                        const hg_train_parts *parts, hg_stages **stages);

/** What a forest of a model takes and gives. */
typedef struct hg_stage_shape {
    int n_feature; /**< with the targets it comes after */
    int n_target;
    int is_label;
} hg_stage_shape;

/** Shapes of the forests a model will need, from what its targets are. Of targets with a hurdle
 * only the rows tell whether they share a forest: each counts as one of its own here.
 *
 * @local
 * @param[in]  n_feature  of the model
 * @param[in]  role       shape (n_target); checked
 * @param[out] n          number of forests
 * @param[out] shape      shape (HG_STAGES_MAX), in the order of training
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_stages_shapes(int n_feature, int n_target,
                                         const hg_target_role role[], int *n,
                                         hg_stage_shape shape[HG_STAGES_MAX]);

/** Make the model that a training with fewer trees, a larger min_split or a smaller max_depth
 * would give: its means are the same bits, and it has nothing else.
 *
 * @local
 * @param[in]  stages   of a training on one rank with `is_cut`, of which no stage takes results
 * of another
 * @param[in]  options  as those of the training but for the three
 * @param[out] cut      owned by the caller, free with hg_stages_free(); NULL on failure
 * @return HG_OK; HG_E_ARG for options that ask for more than the model has; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_stages_cut(const hg_stages *stages, const hg_train_options *options,
                                      hg_stages **cut);

/** Make one forest the only stage of a model.
 *
 * @local
 * @param[in]  forest  owned by the model from here on
 * @param[out] stages  owned by the caller, free with hg_stages_free(); NULL on failure, when
 * the forest stays the caller's
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_stages_wrap(hg_forest *forest, hg_stages **stages);

/** Free a model; NULL is fine. Its forests are freed as by hg_forest_free().
 *
 * @local
 */
void hg_stages_free(hg_stages *stages);

/** Number of stages; of stage s the forest (borrowed; that of stage 0 holds all training rows,
 * the features and the texts of the model), what it serves, whether its targets are labels, and
 * whether its target o is the gate of a hurdle.
 *
 * @local
 */
int hg_stages_count(const hg_stages *stages);
hg_forest *hg_stages_forest(const hg_stages *stages, int s);
hg_stage_use hg_stages_use(const hg_stages *stages, int s);
int hg_stages_is_label(const hg_stages *stages, int s);
int hg_stages_is_gate(const hg_stages *stages, int s, int o);

/** Keep a feature as the class of libraries (hg_forest_add_class()) with all stages that draw
 * values.
 *
 * @collective{comm}
 * @param[in,out] stages  the same on all ranks
 * @param[in]     n    rows of this rank
 * @param[in]     key  shape (n); as in training
 * @param[in]     x    value i is x[i * stride]; transformed
 * @return as hg_forest_add_class()
 */
HG_MUST_CHECK hg_status hg_stages_add_class(const hg_comm *comm, hg_stages *stages, int64_t n,
                                            const uint64_t key[], const float x[],
                                            size_t stride);

/** Add twins of the training rows (hg_forest_add_twins()) to the stages of values that come
 * after no other target; others keep none.
 *
 * @collective{comm}
 * @param[in,out] stages  the same on all ranks
 * @param[in]     n    rows of this rank
 * @param[in]     key  shape (n); as in training
 * @param[in]     y    shape (n, n_target); targets of the twins, NaN where closed
 * @return as hg_forest_add_twins()
 */
HG_MUST_CHECK hg_status hg_stages_add_twins(const hg_comm *comm, hg_stages *stages, int64_t n,
                                            const uint64_t key[], const double y[]);

/** Number of targets, and specification and role of target t; borrowed.
 *
 * @local
 */
int hg_stages_targets(const hg_stages *stages);
const hg_field_spec *hg_stages_target(const hg_stages *stages, int t);
const hg_target_role *hg_stages_role(const hg_stages *stages, int t);

/** Hash of what decides predictions and draws; that of the forest when there is one plain
 * stage.
 *
 * @local
 */
uint64_t hg_stages_hash(const hg_stages *stages);

/** Predict rows: as hg_forest_predict(), with the targets and the features of the model.
 *
 * The mean of a target with a hurdle is that of its open rows where it is open with a
 * probability of at least 1/2, else -infinity, which stands for "closed"; a draw is closed
 * where the gate of the leaf-mate drawn for it was. The gates and labels of one stage are drawn
 * together. The mean of a label is its probability, a draw of it 0 or 1. Draw d of a target is
 * made with draw d of those it comes after. Training rows take out-of-bag means and never lend
 * themselves scatter, in every stage.
 *
 * @local  Thread-safe: any number of threads may share one model
 * @param[in]  options  as for a forest; labels are always drawn as those of a leaf-mate
 * @param[in]  n        number of rows
 * @param[in]  key      shape (n)
 * @param[in]  x        shape (n, n_feature); features of the model
 * @param[out] result   `probability`: of being open or of label 1, NaN for plain targets; the
 * spread and the quantiles are those of values, labels have no quantiles (NaN); what is said of
 * rows and not of targets is of stage 0
 * @return as hg_forest_predict()
 */
HG_MUST_CHECK hg_status hg_stages_predict(const hg_stages *stages,
                                          const hg_predict_options *options, int64_t n,
                                          const uint64_t key[], const float x[],
                                          const hg_prediction *result);

/** Write a model file (HDF5), published atomically. Rank 0 writes.
 *
 * @collective{comm}
 * @param[in] stages     the same on all ranks
 * @param[in] path       final name
 * @param[in] overwrite  replace an existing file
 * @return HG_OK; HG_E_EXISTS; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_stages_save(const hg_comm *comm, const hg_stages *stages,
                                       const char *path, int overwrite);

/** Read a model file; rank 0 reads, all ranks get the model, and no rank holds more of it on
 * the way than what it keeps. Content hashes are verified.
 *
 * @collective{comm}
 * @param[in]  path    model file
 * @param[out] stages  owned by the caller, free with hg_stages_free(); NULL on failure
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT when it is no model or of a newer version;
 * HG_E_VERIFY when the content does not match its hash; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_stages_load(const hg_comm *comm, const char *path,
                                       hg_stages **stages);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
