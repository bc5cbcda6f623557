/** What a model is worth in the parent, as far as zooms can tell: how the training haloes
 * differ from the parent's, what errors to expect there, and where no training halo is alike.
 * Layer: validate. */
#ifndef HG_VALIDATE_TRANSFER_H
#define HG_VALIDATE_TRANSFER_H

#include "stats/curve.h"
#include "stats/shift_at_mass.h"
#include "validate/guesses.h"
#include "validate/parent_sample.h"

enum { HG_TRANSFER_BINS = 20, HG_TRANSFER_LEVELS = 2 };

/** Coverage of the intervals, 0.68 and 0.95. */
extern const double hg_transfer_levels[HG_TRANSFER_LEVELS];

/** A feature here and there. */
typedef struct hg_transfer_feature {
    hg_shift_at_mass at_mass;
    double ks;           /**< Kolmogorov-Smirnov distance, all masses together */
    double below, above; /**< share of the parent's haloes beyond the training range */
} hg_transfer_feature;

/** Errors of one target by distance from the training haloes, weighted to the parent. */
typedef struct hg_transfer_target {
    double edge[HG_TRANSFER_BINS + 1]; /**< of the distance; likewise below by bin */
    double centre[HG_TRANSFER_BINS], rmse[HG_TRANSFER_BINS], bias[HG_TRANSFER_BINS];
    double n_eff[HG_TRANSFER_BINS]; /**< held-out haloes behind them */
    int n_bin;                      /**< 0 for labels and where nothing is open */
    double *error;   /**< shape (parent); expected rms error; NULL without bins */
    double *bias_of; /**< shape (parent); expected mean error */
    double *half; /**< shape (HG_TRANSFER_LEVELS, parent); half width of the interval, infinite
                       where there are too few training haloes alike */
} hg_transfer_target;

/** All of it; {0} is a valid empty one. */
typedef struct hg_transfer {
    const hg_folds *folds;
    const hg_guesses *guesses;
    hg_parent_sample parent;
    int64_t n;        /**< training haloes that are compared */
    int64_t *row;     /**< shape (n); their numbers */
    double *ratio;    /**< shape (n); what each stands for in the parent, mean 1: density of the
                           parent over that of the training, with the weights of regions */
    double *distance; /**< shape (n); held out */
    double *parent_ratio, *parent_distance;    /**< shape (parent.n); ratio without weights */
    double *mean;                              /**< shape (parent.n, n_target) */
    uint8_t *domain;                           /**< shape (parent.n) */
    hg_transfer_feature *feature;              /**< shape (features) */
    hg_transfer_target target[HG_TARGETS_MAX]; /**< shape (targets) */
    double ratio_max;                          /**< largest that can be told */
    double parent_weight; /**< mean weight of the parent's haloes, in that of the training's */
} hg_transfer;

/** Compare with the parent.
 *
 * The density ratio w comes from a forest that tells haloes of the parent from training haloes,
 * each seen by trees that did not see it; where weights of regions differ it compares the
 * weighted training haloes, and is multiplied by the weight for errors. The distance of a halo
 * is the spread of the trees in units of its rms over held-out training haloes, of all values
 * together; errors by distance are those of held-out haloes weighted by w. Intervals are those
 * of weighted split conformal prediction, one for each class of mass: |error| over the expected
 * one, held out, is the score.
 *
 * @collective{comm}
 * @param[in]  guesses   with spreads
 * @param[out] transfer  release with hg_transfer_clear(), also after a failure
 * @return HG_OK; the failures of hg_parent_sample_read() and hg_held_out_train()
 * @source Tibshirani, Foygel Barber, Candes & Ramdas 2019, arXiv:1904.06019, sections 2.2, 2.3;
 * Vovk 2012, arXiv:1209.2673, section 3 (classes); Bickel, Brueckner & Scheffer 2007, ICML 24,
 * 81 (density ratios from a classifier)
 */
HG_MUST_CHECK hg_status hg_transfer_run(const hg_comm *comm, const hg_folds *folds,
                                        const hg_guesses *guesses, hg_transfer *transfer);
void hg_transfer_clear(hg_transfer *x);

/** Add NAME_parent.csv (what, of, quantity, value), NAME_parent_rows.csv, and curves of errors
 * by distance to a statistics file in the making, and print what stands out.
 *
 * @local
 * @param[in] path  of the statistics file
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_transfer_write(const hg_transfer *transfer, const char *path,
                                          hg_statistics *statistics);

#endif
