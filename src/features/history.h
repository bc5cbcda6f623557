/** Histories of haloes: main branches from links between objects of successive snapshots,
 * values at chosen epochs, and peaks. The kernel alone: reading trees and writing columns is
 * for the pipelines. Layer: features.
 */
#ifndef HG_FEATURES_HISTORY_H
#define HG_FEATURES_HISTORY_H

#include <stdint.h>

#include "halograft/error.h"

/** Objects of all snapshots of a tree, or of many trees, in any order. */
typedef struct hg_links {
    int64_t n;
    const int64_t *id;         /**< shape (n), distinct */
    const int64_t *descendant; /**< shape (n); id of the object it becomes, -1 = none */
    const double *mass;        /**< shape (n), Msun */
    const uint8_t *is_main;    /**< shape (n), 1 = main progenitor of its descendant as the tree
                                    says; NULL = the most massive one is */
} hg_links;

/** Find each object's main progenitor: the one that is marked, else the most massive, else the
 * one of least id. Does not depend on the order of objects.
 *
 * @local
 * @param[out] progenitor  shape (n); row of the main progenitor, -1 = none
 * @return HG_OK; HG_E_INPUT naming an id that comes twice or an object that is its own
 * descendant; HG_E_MEMORY. Descendants that are not among the objects are no error
 */
HG_MUST_CHECK hg_status hg_links_progenitors(const hg_links *links, int64_t progenitor[]);

/** Follow main progenitors from an object back in time.
 *
 * @local
 * @param[in]  progenitor  shape (n), from hg_links_progenitors()
 * @param[in]  row         where the branch ends
 * @param[in]  room        of `branch`
 * @param[out] branch      shape (room); rows of the branch, `row` first
 * @param[out] n_branch    number of them
 * @return HG_OK; HG_E_INPUT when the branch is longer than `room` (more snapshots than there
 * are, or links that go round)
 */
HG_MUST_CHECK hg_status hg_links_branch(const int64_t progenitor[], int64_t row, int room,
                                        int64_t branch[], int *n_branch);

/** A quantity along a main branch; scale factors ascend, NaN = not found in that snapshot. */
typedef struct hg_branch {
    int n;
    const double *scale; /**< shape (n), scale factors */
    const double *value; /**< shape (n), positive where found: a mass, Vmax */
} hg_branch;

/** Values of a branch at chosen epochs. Between snapshots where the object was found, the
 * logarithm is linear in that of the scale factor, which also fills missing snapshots; before
 * the first one the value is 0, after the last one it stays.
 *
 * @local
 * @param[in]  n      number of epochs
 * @param[in]  epoch  shape (n), scale factors in any order
 * @param[out] value  shape (n), unit of the branch; all NaN for a branch without any value
 */
void hg_branch_at(const hg_branch *branch, int n, const double epoch[], double value[]);

/** Peaks of a branch. */
typedef struct hg_peak {
    double value; /**< largest value: M_peak, V_peak; NaN without any */
    double scale; /**< scale factor of the snapshot where it was reached first */
    double
        half_scale; /**< scale factor at which half the last value was first reached: a_1/2 */
} hg_peak;

/** Find the peaks.
 *
 * @local
 */
hg_peak hg_branch_peak(const hg_branch *branch);

#endif
