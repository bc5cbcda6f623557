/** What regions are chosen for: the errors of the mass function and of P(k) as sums over cells
 * of haloes. Layer: design. */
#ifndef HG_DESIGN_GOAL_H
#define HG_DESIGN_GOAL_H

#include "design/gain.h"
#include "design/survey.h"
#include "halograft/stages.h"

/** Quantities and what they depend on; {0} is a valid empty one. */
typedef struct hg_design_goal {
    int n_bin;          /**< quantities [0, n_bin): bins of the mass function */
    int n_sample;       /**< the others: samples above a threshold, for P(k) */
    double *low, *high; /**< shape (n_bin + n_sample); edges in the unit of the target */
    double *objects;    /**< likewise; objects in the parent by the draws */
    double *within;     /**< shape (n_bin + n_sample, n_cell) */
    double *between;    /**< likewise */
    double *weight;     /**< likewise */
    double scatter;     /**< rms between regions, dex */
    double start[2];    /**< mean squared relative error with the regions that are there */
} hg_design_goal;

/** Scatter that the galaxies of a region have in common: the variance between groups of the
 * out-of-bag residuals, by the moments of a one-way analysis of variance.
 *
 * @local
 * @param[in]  n         rows; those whose residual is not finite are left out
 * @param[in]  group     shape (n); rows of a group stand together
 * @param[in]  stride    residual i is residual[i * stride]
 * @param[in]  residual  in the unit of the transformed target
 * @return rms, same unit; 0 with less than two groups
 * @source Searle 1971, Linear Models, chapter 11 (unbalanced one-way classification)
 */
double hg_design_region_scatter(int64_t n, const uint64_t group[], size_t stride,
                                const float residual[]);

/** The same for a target of a model.
 *
 * @local
 * @param[out] scatter  dex
 * @return HG_OK; HG_E_INPUT when the model has no such target, or not as a logarithm
 */
HG_MUST_CHECK hg_status hg_design_model_scatter(const hg_stages *model, const char *target,
                                                double *scatter);

/** Turn counts into quantities. Of a cell with N haloes, of whose draws the share p lies in bin
 * q, the bin has sum N p objects; `within` is p (1 - p), `between` is (scatter dp/dy)^2, and
 * the weight N^2 / (sum N p)^2 for bins. The large-scale P(k) of a sample is proportional to
 * the square of the mean bias of its members, so its weight is 4 N^2 (b / b_q - 1)^2 / (sum N
 * p)^2.
 *
 * @local  the same on all ranks
 * @param[in]  survey   counted
 * @param[in]  scatter  dex
 * @param[out] goal     release with hg_design_goal_clear(), also after a failure
 * @return HG_OK; HG_E_INPUT when no bin or sample has enough objects; HG_E_MEMORY
 * @source docs/science/design.md
 */
HG_MUST_CHECK hg_status hg_design_goal_make(const hg_design_survey *survey, double scatter,
                                            hg_design_goal *goal);
void hg_design_goal_clear(hg_design_goal *goal);

/** Scale the weights so that the mass function and P(k) count by Design.power_weight, each by
 * its error with the regions that are there; those are written to goal->start.
 *
 * @local
 * @param[in]     information  shape (n_quantity, n_cell)
 * @param[in,out] problem      its weights are those of the goal
 */
void hg_design_goal_balance(hg_design_goal *goal, const hg_design_problem *problem,
                            const double information[], double power_weight);

/** Rms relative errors of the bins of the mass function and of P(k) of the samples.
 *
 * @local
 * @param[out] error  shape (2); NaN where there are none
 */
void hg_design_goal_errors(const hg_design_goal *goal, const hg_design_problem *problem,
                           const double information[], double power_weight, double error[2]);

#endif
