/** Draws of a block of rows whose means are known. Layer: forest. */
#ifndef HG_FOREST_PREDICT_H
#define HG_FOREST_PREDICT_H

#include "forest/model.h"

/** Make one draw of each row.
 *
 * @local
 * @param[in]  number  of the draw, 0, 1, ...
 * @param[in]  n     rows
 * @param[in]  key   shape (n)
 * @param[in]  x     shape (n, n_feature)
 * @param[in]  row   shape (n); training row of each, or -1
 * @param[in]  mean  shape (n, n_target)
 * @param[out] draw  shape (n, n_target)
 */
void hg_draw_rows(const hg_forest *forest, const hg_predict_options *options, int number,
                  int64_t n, const uint64_t key[], const float x[], const int64_t row[],
                  const double mean[], double draw[]);

#endif
