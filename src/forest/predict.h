/** Draws of a block of rows whose means are known. Layer: forest. */
#ifndef HG_FOREST_PREDICT_H
#define HG_FOREST_PREDICT_H

#include "forest/model.h"

/** Memory of one thread for draws of at most n rows. */
typedef struct hg_draw_bench {
    uint32_t *tree;  /**< shape (n): first tree of each row's stream */
    uint32_t *index; /**< shape (n): rows, tree by tree */
    uint32_t *leaf;  /**< shape (n): leaves of the rows of one tree */
    uint32_t *begin; /**< shape (n_tree + 1): first place of each tree in `index` */
} hg_draw_bench;

/** Make one draw of each row.
 *
 * @local
 * @param[in]  number  of the draw, 0, 1, ...
 * @param[in]  n     rows
 * @param[in]  key   shape (n)
 * @param[in]  x     shape (n, n_feature)
 * @param[in]  row   shape (n); training row of each, or -1
 * @param[in]  mean  shape (n, n_target); NULL will do for HG_DRAW_LEAF
 * @param      bench scratch
 * @param[out] draw  shape (n, n_target)
 */
void hg_draw_rows(const hg_forest *forest, const hg_predict_options *options, int number,
                  int64_t n, const uint64_t key[], const float x[], const int64_t row[],
                  const double mean[], hg_draw_bench *bench, double draw[]);

#endif
