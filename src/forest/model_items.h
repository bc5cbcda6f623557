/** The arrays of a forest as one table, for the file and for the broadcast, and the check of
 * what they hold. Layer: forest. */
#ifndef HG_FOREST_MODEL_ITEMS_H
#define HG_FOREST_MODEL_ITEMS_H

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

#endif
