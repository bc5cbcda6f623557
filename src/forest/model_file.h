/** The arrays of a forest as one table, for the file and for the broadcast. Layer: forest. */
#ifndef HG_FOREST_MODEL_FILE_H
#define HG_FOREST_MODEL_FILE_H

#include "forest/model.h"
#include "store/h5.h"

/** One array of a forest. */
typedef struct hg_model_item {
    const char *name; /**< dataset in the group of the stage */
    hg_type type;
    int64_t n;   /**< rows */
    int64_t row; /**< elements per row; 0 = one-dimensional */
    void *data;
} hg_model_item;

enum {
    HG_MODEL_ITEMS = 16,
    HG_MODEL_OPTIONAL = 2,
    HG_MODEL_TREE_ITEMS = 3,
    HG_MODEL_SPILL_ITEM = 4
};

/** Row arrays that only some models have: of twin runs, and of the classes of libraries.
 *
 * @local
 * @param[in]  k     0 to HG_MODEL_OPTIONAL - 1
 * @param[out] item  its table entry
 * @return where the forest keeps it; NULL there = none
 */
float **hg_model_optional(hg_forest *f, int k, hg_model_item *item);

/** List the arrays whose form in memory is that on disk; the first HG_MODEL_TREE_ITEMS do not
 * depend on the offsets; those from HG_MODEL_SPILL_ITEM on are in the spill of a forest on
 * disk.
 *
 * @local
 */
void hg_model_list(hg_forest *forest, uint64_t n_mate, hg_model_item item[HG_MODEL_ITEMS]);

/** Bytes of an array.
 *
 * @local
 */
size_t hg_model_item_bytes(const hg_model_item *item);

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

/** Check the links and leaf numbers of one tree.
 *
 * @local
 * @param[in] node    shape (n_node)
 * @param[in] number  of the tree, for the message
 * @return HG_OK; HG_E_FORMAT
 */
HG_MUST_CHECK hg_status hg_model_check_tree(const hg_forest *forest, const hg_node node[],
                                            uint64_t n_node, uint64_t n_leaf, int number);

/** Check that links, leaf numbers and rows stay inside their arrays.
 *
 * @local
 * @return HG_OK; HG_E_FORMAT
 */
HG_MUST_CHECK hg_status hg_model_check(const hg_forest *forest);

/** Read a stage of a file, without texts: rank 0 reads straight into the memory that the ranks
 * of its node share, from where the others get it.
 *
 * @collective{comm}
 * @param[in]  file    open on rank 0, NULL elsewhere
 * @param[in]  path    of the file, for messages
 * @param[out] forest  owned by the caller, free with hg_forest_free(), on failure too
 * @return HG_OK; HG_E_FORMAT; HG_E_VERIFY; HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_load(const hg_comm *comm, hg_h5 *file, const char *path,
                                      int stage, hg_forest **forest);

/** Give the texts of rank 0's forest to those of all ranks.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_model_share_meta(const hg_comm *comm, hg_forest *forest);

#endif
