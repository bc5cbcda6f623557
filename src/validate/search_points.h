/** Which forests a search compares, and those of a learning curve. Layer: validate. */
#ifndef HG_VALIDATE_SEARCH_POINTS_H
#define HG_VALIDATE_SEARCH_POINTS_H

#include "validate/held_out.h"

/** Options that a search may change; the order of columns of its table. */
typedef enum hg_search_axis {
    HG_SEARCH_TREES,
    HG_SEARCH_SPLITTER,
    HG_SEARCH_BINS,
    HG_SEARCH_MIN_LEAF,
    HG_SEARCH_MIN_SPLIT,
    HG_SEARCH_MAX_DEPTH,
    HG_SEARCH_MAX_FEATURES,
    HG_SEARCH_AXES
} hg_search_axis;

/** Points: those of the search, then those of the learning curve; {0} is a valid empty list. */
typedef struct hg_search_points {
    int n;
    int n_search;                /**< the others have the options of section Model */
    bool varied[HG_SEARCH_AXES]; /**< whether the search was given a list */
    hg_trial *point;             /**< shape (n); `fold` is not used */
} hg_search_points;

/** List the points that the section Validate asks for: none without `search` and `learning`.
 * The last list of a grid changes fastest. Random points follow from Meta.seed and their
 * number.
 *
 * @local
 * @param[out] points  release with hg_search_points_clear(), also after a failure
 * @return HG_OK; HG_E_PARAM for lists that are missing or hold what Model would not take, or
 * too many points; HG_E_INPUT for a fold that leaves a point fewer than two leaves to train on;
 * HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_search_points_list(const hg_folds *folds, hg_search_points *points);
void hg_search_points_clear(hg_search_points *points);

/** Rows that a trial trains on.
 *
 * @local
 */
int64_t hg_search_points_rows(const hg_folds *folds, const hg_trial *trial);

/** Name of an axis, "min_leaf", and its value at a point as text, "3", "random", "0.5".
 *
 * @local
 */
const char *hg_search_axis_name(int axis);
void hg_search_axis_text(const hg_trial *point, int axis, size_t n, char text[]);

#endif
