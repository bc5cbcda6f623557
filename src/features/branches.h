/** Main branches of merger trees and tracks, spread over ranks.
 *
 * Objects of all snapshots are given in any order on any rank; afterwards the objects of one
 * main branch lie together, in order of time, and haloes can be looked up. Layer: features.
 */
#ifndef HG_FEATURES_BRANCHES_H
#define HG_FEATURES_BRANCHES_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"

enum { HG_BRANCH_VALUES = 4, HG_NO_LINK = -1 };

/** A snapshot is that of a catalogue when scale factors agree to so much. */
#define HG_SAME_TIME 1e-3

/** How objects of one branch are told. */
typedef enum hg_link_kind {
    HG_LINK_TRACK,      /**< they have one id */
    HG_LINK_DESCENDANT, /**< each names the object it becomes */
    HG_LINK_PROGENITOR  /**< each names its main progenitor */
} hg_link_kind;

/** One object of one snapshot. */
typedef struct hg_tree_row {
    int64_t id;
    int64_t link;    /**< id of descendant or progenitor, HG_NO_LINK = none */
    int64_t halo;    /**< id in the halo catalogue of its snapshot */
    int64_t is_main; /**< 1 = main progenitor of its descendant as the tree says, else 0 */
    double scale;    /**< scale factor */
    double value[HG_BRANCH_VALUES]; /**< the first is a mass; not positive or NaN = not known */
} hg_tree_row;

typedef struct hg_branches hg_branches;

/** Find the main branches. The main progenitor of an object is the one that is marked, else the
 * most massive, else the one of least id.
 *
 * @collective{comm}
 * @param[in]     kind      how objects are linked
 * @param[in]     by_halo   haloes are looked up at their own time only, for their ids are those
 * of a snapshot
 * @param[in,out] n, row    objects of this rank, shape (n); taken over and freed, *row is NULL
 * afterwards
 * @param[out]    branches  owned by the caller, free with hg_branches_free()
 * @return HG_OK; HG_E_INPUT naming an id that comes twice, an object no later than its
 * progenitor, or a main progenitor of two; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_branches_make(const hg_comm *comm, hg_link_kind kind, bool by_halo,
                                         int64_t n, hg_tree_row **row, hg_branches **branches);
void hg_branches_free(hg_branches *branches);

/** Numbers of objects, of branches, and of links to objects that are not there, of this rank.
 *
 * @local
 * @param[out] counts  shape (3)
 */
void hg_branches_count(const hg_branches *branches, int64_t counts[]);

/** Compute columns from a branch: n objects, scale factors ascending, shape
 * (HG_BRANCH_VALUES, n) values. */
typedef void hg_branch_fill(const void *context, int n, const double scale[],
                            const double value[], float out[]);

/** Look up haloes and let their branches fill columns.
 *
 * @collective{comm}
 * @param[in]  n        haloes of this rank
 * @param[in]  halo     shape (n); ids, HG_NO_LINK = none
 * @param[in]  scale    scale factor of the haloes; the branch later than that is not seen. NAN
 * = the end of the branch
 * @param[in]  fill     what computes `n_out` columns
 * @param[in]  context  handed to it
 * @param[out] out      shape (n, n_out); NaN for haloes that are not found
 * @param[out] n_found  number of haloes found, of this rank
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_branches_ask(const hg_comm *comm, const hg_branches *branches,
                                        int64_t n, const int64_t halo[], double scale,
                                        hg_branch_fill *fill, const void *context, int n_out,
                                        float out[], int64_t *n_found);

#endif
