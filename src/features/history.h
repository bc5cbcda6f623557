/** Histories of haloes along a main branch: values at chosen epochs, and peaks. Layer:
 * features.
 */
#ifndef HG_FEATURES_HISTORY_H
#define HG_FEATURES_HISTORY_H

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
