/** How predictions change with a feature, or two: partial dependence and accumulated local
 * effects. Layer: explain. */
#ifndef HG_EXPLAIN_DEPENDENCE_H
#define HG_EXPLAIN_DEPENDENCE_H

#include "halograft/stages.h"
#include "validate/folds.h"
#include "validate/scored.h"

/** Mean prediction with the features set to the value of a point; or local effects, summed up
 * from the lowest value, with weighted mean zero and in two dimensions without the effects of
 * either feature alone. */
typedef enum hg_dependence_kind {
    HG_DEPENDENCE_PARTIAL,
    HG_DEPENDENCE_EFFECT
} hg_dependence_kind;

/** One curve or plane. */
typedef struct hg_dependence {
    hg_dependence_kind kind;
    int n_axis;     /**< 1 or 2 */
    int feature[2]; /**< numbers */
    int n[2];       /**< points; 1 along an axis that is not there */
    double *x[2];   /**< shape (n[axis]); ascending, transformed unit of the feature */
    double *value;  /**< shape (n_scored, n[0], n[1]); transformed unit of the target; NaN where
                         nothing is open */
    double *error;  /**< same shape; leave-one-block-out jackknife */
    int64_t *count; /**< shape (n[0], n[1]); haloes between a point and the one before */
} hg_dependence;

/** All curves and planes; {0} is a valid empty list. */
typedef struct hg_dependences {
    int n, n_scored;
    hg_scored scored[HG_SCORED_MAX];
    int64_t n_row; /**< haloes used */
    hg_dependence *v;
} hg_dependences;

/** Compute the curves of Explain.features and the planes of Explain.planes, of both kinds. The
 * numbers are the same for any number of ranks and threads.
 *
 * @collective{comm}
 * @param[in]  folds  for the blocks of the jackknife
 * @param[in]  model  the same on all ranks
 * @param[out] all    release with hg_dependences_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for names that are no features; HG_E_MEMORY; the failures of
 * hg_stages_predict()
 * @source Friedman 2001, Annals of Statistics 29, 1189, section 8.2; Apley & Zhu 2020, Journal
 * of the Royal Statistical Society B 82, 1059, equations 15-20
 */
HG_MUST_CHECK hg_status hg_dependences_compute(const hg_comm *comm, const hg_folds *folds,
                                               const hg_stages *model, hg_dependences *all);
void hg_dependences_clear(hg_dependences *all);

/** Local effects summed up, from mean differences: the one-dimensional curve, or the surface
 * without the effects of either feature alone.
 *
 * @local
 * @param[in]  n       points along the axis
 * @param[in]  weight  shape (n); weight of the rows between points k - 1 and k at k; the first
 * is not used
 * @param[in]  step    shape (n); mean difference from point k - 1 to k; NaN counts as 0
 * @param[out] value   shape (n)
 */
void hg_effect_curve(int n, const double weight[], const double step[], double value[]);

/** The same in two dimensions; arrays have the shape (n0, n1), and of cells without rows the
 * nearest one with rows lends its difference.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_effect_plane(int n0, int n1, const double weight[],
                                        const double step[], double value[]);

#endif
