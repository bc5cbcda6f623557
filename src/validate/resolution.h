/** What coarser haloes cost: errors of models of fine and of coarse features on coarse ones.
 * Layer: validate. */
#ifndef HG_VALIDATE_RESOLUTION_H
#define HG_VALIDATE_RESOLUTION_H

#include "stats/curve.h"
#include "validate/folds.h"
#include "validate/scored.h"
#include "validate/subsets.h"

/** Which features a model was trained on, and which it was shown. */
typedef enum hg_resolution_way {
    HG_FINE_ON_FINE, /**< what is there without any loss, of the same haloes */
    HG_FINE_ON_COARSE,
    HG_COARSE_ON_COARSE,
    HG_RESOLUTION_WAYS
} hg_resolution_way;

/** Errors of the haloes of a bin; NaN without any. */
typedef struct hg_resolution_mark {
    int64_t n;   /**< haloes that all ways are scored on */
    double kept; /**< share of the haloes that are not lost */
    double bias[HG_RESOLUTION_WAYS], rmse[HG_RESOLUTION_WAYS]; /**< unit of the target */
    double bias_error[HG_RESOLUTION_WAYS], rmse_error[HG_RESOLUTION_WAYS]; /**< jackknife */
} hg_resolution_mark;

/** All of it; {0} is a valid empty one. */
typedef struct hg_resolution {
    const hg_folds *folds;
    const hg_cut *cut;     /**< bins of mass; borrowed */
    int n;                 /**< particle masses; 0 = no study */
    double *mass, *factor; /**< shape (n); Msun, and over that of the training catalogues */
    int n_scored;
    hg_scored scored[HG_SCORED_MAX];
    hg_resolution_mark *mark; /**< shape (n, n_scored, 1 + cut->n); the first of each: all */
} hg_resolution;

/** Train without each fold on fine and on coarser features, and predict the fold.
 *
 * @collective{comm}
 * @param[in]  cuts        of the same rows
 * @param[out] resolution  the same on all ranks; release with hg_resolution_clear(), also after
 * a failure
 * @return HG_OK; the failures of hg_held_out_run(); HG_E_INPUT where too few haloes are left
 */
HG_MUST_CHECK hg_status hg_resolution_run(const hg_comm *comm, const hg_folds *folds,
                                          const hg_cuts *cuts, hg_resolution *resolution);
void hg_resolution_clear(hg_resolution *resolution);

/** One mark; bin 0 = all haloes, 1 + b = bin b of the cut.
 *
 * @local
 */
const hg_resolution_mark *hg_resolution_at(const hg_resolution *resolution, int k, int scored,
                                           int bin);

/** Add NAME_resolution.csv and curves to a statistics file in the making, and print a table.
 *
 * @local
 * @param[in] path  of the statistics file
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_resolution_write(const hg_resolution *resolution, const char *path,
                                            hg_statistics *statistics);

#endif
