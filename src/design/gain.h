/** How much a set of zoom regions tells of a few numbers, and which regions to add. Layer:
 * design. */
#ifndef HG_DESIGN_GAIN_H
#define HG_DESIGN_GAIN_H

#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

/** A sphere in the parent, comoving Mpc. */
typedef struct hg_design_place {
    double centre[3];
    double radius;
} hg_design_place;

/** Haloes fall into cells; each quantity is a sum over cells of something that is known the
 * better the more haloes of a cell, in the more regions, were simulated. All borrowed. */
typedef struct hg_design_problem {
    int n_cell, n_quantity;
    const double *within;  /**< shape (n_quantity, n_cell); variance between haloes of a cell */
    const double *between; /**< likewise; variance that haloes of a region have in common */
    double *weight;        /**< likewise; what the variance of the cell adds to the error */
    int n_region;          /**< regions that are there first, candidates behind them */
    const hg_design_place *place; /**< shape (n_region) */
    const double *cost;           /**< shape (n_region), positive */
    const int64_t *count;         /**< shape (n_region, n_cell); haloes */
    double box;                   /**< side of the periodic box, Mpc */
    double gap;                   /**< least distance between spheres, Mpc */
} hg_design_problem;

/** One step of the choice. */
typedef struct hg_design_choice {
    int region;   /**< number among the regions of the problem */
    double gain;  /**< drop of the error */
    double error; /**< what is left */
} hg_design_choice;

/** Add what a region tells: n / (within + n between) for n haloes of a cell, the inverse of the
 * variance of the region's mean.
 *
 * @local
 * @param[in,out] information  shape (n_quantity, n_cell)
 * @source DerSimonian & Laird 1986, Controlled Clinical Trials 7, 177 (random effects)
 */
void hg_design_inform(const hg_design_problem *problem, int region, double information[]);

/** Sum of weight / (1 / (within + between) + information) over the cells of quantities
 * [first, end).
 *
 * @local
 * @param[in] information  shape (n_quantity, n_cell)
 * @return weighted variance, in the unit of the weights times that of the variances
 */
double hg_design_error(const hg_design_problem *problem, int first, int end,
                       const double information[]);

/** Choose regions one after the other, each with the greatest drop of the error per cost among
 * those that keep their distance from all regions before; of equals the first. The error is a
 * submodular function of the set, so the set reaches at least 1 - 1/e of the drop of the best
 * one where all costs are equal and no candidates exclude each other.
 *
 * @collective{comm}
 * @param[in]     problem      the same on all ranks
 * @param[in]     n_given      regions [0, n_given) are there already
 * @param[in]     n_wanted     number of regions to choose
 * @param[in,out] information  shape (n_quantity, n_cell); of the regions that are there; of all
 *                             on return
 * @param[out]    choice       shape (n_wanted)
 * @return HG_OK; HG_E_PARAM when fewer candidates have a place; HG_E_MEMORY
 * @source Nemhauser, Wolsey & Fisher 1978, Mathematical Programming 14, 265
 */
HG_MUST_CHECK hg_status hg_design_choose(const hg_comm *comm, const hg_design_problem *problem,
                                         int n_given, int n_wanted, double information[],
                                         hg_design_choice choice[]);

#endif
