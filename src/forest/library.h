/** Libraries of scatter: residual vectors, or differences of twin runs, by predicted value.
 * Layer: forest. */
#ifndef HG_FOREST_LIBRARY_H
#define HG_FOREST_LIBRARY_H

#include "forest/mates.h"

/** Draw one row of the library.
 *
 * @local
 * @param[in]  drawing  with method HG_DRAW_LIBRARY or HG_DRAW_TWINS, from a prepared forest
 * @param[in]  key      of the row
 * @param[in]  x        shape (n_feature); tells its class
 * @param[in]  self     training row it is, or -1
 * @param[in]  mean     shape (n_target); predicted, the first decides the bin
 * @param[out] draw     shape (n_target); mean + scatter, NaN when the library is empty
 */
void hg_library_draw(const hg_drawing *drawing, uint64_t key, const float x[], int64_t self,
                     const double mean[], double draw[]);

#endif
