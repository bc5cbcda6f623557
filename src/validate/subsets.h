/** In which parts the rows are scored: all, by mass, kind, surroundings, region, fold. Layer:
 * validate. */
#ifndef HG_VALIDATE_SUBSETS_H
#define HG_VALIDATE_SUBSETS_H

#include "validate/folds.h"

enum { HG_CUTS_MAX = 6, HG_CUT_BINS_MAX = 1000 };

/** One way to cut the rows into bins. */
typedef struct hg_cut {
    char name[16];   /**< all, mass, kind, overdensity, region, fold */
    char x_name[64]; /**< what x is */
    int n;           /**< bins */
    int *bin;        /**< shape (n_row); -1 = in none */
    double *x;       /**< shape (3, n): middle or number, lower, upper end */
} hg_cut;

/** All cuts; the first is `all`, one bin. {0} is a valid empty list. */
typedef struct hg_cuts {
    int n;
    hg_cut cut[HG_CUTS_MAX];
} hg_cuts;

/** Cut the rows. Regions are left out when there is one or more than HG_CUT_BINS_MAX.
 *
 * @local  the same on every rank that holds the same rows
 * @param[out] cuts  release with hg_cuts_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for too many bins of mass; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_cuts_make(const hg_folds *folds, hg_cuts *cuts);
void hg_cuts_clear(hg_cuts *cuts);

/** Name of a bin: "all", "centrals", "mass 11.5 to 12", "region 7".
 *
 * @local
 * @param[in]  n     size of the buffer
 * @param[out] text  filled
 */
void hg_cut_name(const hg_cut *cut, int bin, size_t n, char text[]);

#endif
