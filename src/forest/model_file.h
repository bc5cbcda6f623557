/** One forest as a group of a file. Layer: forest. */
#ifndef HG_FOREST_MODEL_FILE_H
#define HG_FOREST_MODEL_FILE_H

#include "forest/model.h"
#include "forest/model_items.h"
#include "store/h5.h"

enum { HG_STAGE_PATH = 128 };

/** Path of an object of stage S of a file, "/stageS/NAME" (NULL = the group itself), and of
 * specification i of the group "features" or "targets" of a stage.
 *
 * @local
 */
void hg_stage_path(int stage, const char *name, char path[HG_STAGE_PATH]);
void hg_spec_path(int stage, const char *group, int i, char path[HG_STAGE_PATH]);

/** Write or read the options of a forest as attributes of its group, and the specifications of
 * features or targets.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_model_write_options(hg_h5 *file, int stage, const hg_forest *forest);
HG_MUST_CHECK hg_status hg_model_read_options(hg_h5 *file, int stage, hg_train_options *options,
                                              int *feature_bits, double *weight_unit);
HG_MUST_CHECK hg_status hg_model_write_specs(hg_h5 *file, int stage, const char *group, int n,
                                             const hg_field_spec spec[]);
HG_MUST_CHECK hg_status hg_model_read_specs(hg_h5 *file, int stage, const char *group, int n,
                                            hg_field_spec spec[]);

/** Write what a forest is grown by: its group, specifications and options; part files of a
 * training share this form.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_model_write_plan(hg_h5 *file, int stage, const hg_forest *forest);

/** Write a forest as a stage of a file, without texts.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_write(hg_h5 *file, int stage, const hg_forest *forest);

/** Read a stage of a file in two steps: a forest with all that tells how large its trees are;
 * and, into the arrays of the trees, which stand by then, the rest, all of which is checked.
 *
 * @local
 * @param[in]  path    of the file, for messages
 * @param[out] forest  owned by the caller, free with hg_forest_free(), on failure too
 * @param[out] n_mate  number of leaf-mates
 * @return HG_OK; HG_E_FORMAT; HG_E_VERIFY; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_read_sizes(hg_h5 *file, const char *path, int stage,
                                            hg_forest **forest, uint64_t *n_mate);
HG_MUST_CHECK hg_status hg_model_read_arrays(hg_h5 *file, const char *path, int stage,
                                             uint64_t n_mate, hg_forest *forest);

#endif
