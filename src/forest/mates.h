/** Which training rows may lend their scatter to a row, and which one does. Layer: forest. */
#ifndef HG_FOREST_MATES_H
#define HG_FOREST_MATES_H

#include <math.h>

#include "forest/model.h"

/** What the search for a mate needs to know. */
typedef struct hg_drawing {
    const hg_forest *f;
    hg_draw_method method;
    uint64_t least; /**< fewest listed rows of a tree to draw from; 1 = the leaf */
    uint64_t seed;
    uint64_t realisation;
} hg_drawing;

/** The search of a draw: method and size of branches as the options say.
 *
 * @local
 * @param[in] number  of the draw, 0, 1, ...
 */
hg_drawing hg_mates_begin(const hg_forest *forest, const hg_predict_options *options,
                          int number);

/** Where the rows to draw from stand in forest->mate: a branch of a tree, and a part of the
 * branch beside it. */
typedef struct hg_mate_pool {
    uint64_t begin[2];
    uint64_t n[2];
} hg_mate_pool;

/** List the training rows of a tree that are near a row: those of its leaf, or of the largest
 * branch above it with fewer than `least` rows together with the near end of the branch beside
 * that one. At most 64 nodes above the leaf are looked at.
 *
 * @local
 * @param[in] x      shape (n_feature)
 * @param[in] least  fewest rows wanted; 1 = those of the leaf
 * @return about `least` to 2 `least` rows where the leaf has fewer
 */
hg_mate_pool hg_mates_near(const hg_forest *forest, int tree, const float x[], uint64_t least);

/** Whether row `mate` may lend its scatter to training row `self` (or to a new one, -1).
 *
 * @local
 */
int hg_mates_are_eligible(const hg_drawing *drawing, uint32_t mate, int64_t self);

/** Take the next tree of a row's stream: for a training row one that did not see it, where
 * there is one.
 *
 * @local
 * @param[in] self    training row the row is, or -1
 * @param     stream  (seed, realisation, key), HG_PURPOSE_DRAW_TREE
 */
int hg_mates_tree(const hg_forest *forest, int64_t self, hg_stream *stream);

/** Take one of the eligible mates in a tree, in proportion to weight.
 *
 * @local
 * @param[in] x       shape (n_feature)
 * @param[in] self    training row the row is, or -1
 * @param     stream  (seed, realisation, key), HG_PURPOSE_LEAF_MATE
 * @return canonical row; -1 when there is none
 */
int64_t hg_mates_pick(const hg_drawing *drawing, int tree, const float x[], int64_t self,
                      hg_stream *stream);

/** The same for a row whose leaf in that tree is known, of a drawing with `least` 1.
 *
 * @local
 * @param[in] leaf  number of the leaf in the tree
 */
int64_t hg_mates_pick_leaf(const hg_drawing *drawing, int tree, uint32_t leaf, const float x[],
                           int64_t self, hg_stream *stream);

/** Find the mate of one row, in the first tree of its stream that has one.
 *
 * @local
 * @param[in] key   of the row
 * @param[in] x     shape (n_feature)
 * @param[in] self  training row it is, or -1
 * @return canonical row; -1 only if no tree has an eligible one
 */
int64_t hg_mates_find(const hg_drawing *drawing, uint64_t key, const float x[], int64_t self);

/** How much of its mate's deviation p_j - p from the row's mean a draw keeps: all up to `keep`,
 * `keep` up to four times that, then less and less; nothing from eight times `keep` on, where
 * only the ends of the training set have mates (Hampel's function of three parts).
 *
 * @local
 * @param[in] away  |p_j - p|
 * @param[in] keep  of the target, at least 0
 * @source Hampel 1974, J. Am. Stat. Assoc. 69, 383 (a redescending psi of three parts)
 */
static inline double
hg_mates_kept(double away, double keep)
{
    return away <= keep       ? away
           : away <= 4 * keep ? keep
           : away < 8 * keep  ? (8 * keep - away) / 4
                              : 0;
}

/** A target drawn from a mate j for a row of mean p: p + d + c r_j with r_j the out-of-bag
 * residual, p_j the out-of-bag mean, d what is kept of p_j - p, and c the calibrated factor. So
 * keep 0 gives p + c r_j, and a mate that is not farther than `keep` gives its own value.
 *
 * @local
 * @param[in]  mate   canonical row with a residual
 * @param[in]  keep   of the target, at least 0
 * @param[in]  mean   p, transformed
 * @return the drawn target, transformed
 * @source docs/science/scatter.md
 */
static inline double
hg_mates_draw(const hg_forest *f, int64_t mate, int target, double keep, double mean)
{
    const size_t at = (size_t)mate * (size_t)f->n_target + (size_t)target;
    const double r = (double)f->residual[at], away = mean - ((double)f->value[at] - r);
    const double kept = hg_mates_kept(fabs(away), keep);
    const double b = fabs(away) > keep ? 1 - kept / fabs(away) : 0;
    const double c = 1 - b * b * (1 - (double)f->shrink[mate]);

    return b > 0 ? mean - copysign(kept, away) + c * r : (double)f->value[at];
}

#endif
