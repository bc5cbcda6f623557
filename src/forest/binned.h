/** What best-split growth needs beside the plan and the memory of a thread: binned rows, and
 * histograms. Layer: forest. */
#ifndef HG_FOREST_BINNED_H
#define HG_FOREST_BINNED_H

#include "forest/best_kernel.h"
#include "forest/tree.h"
#include "par/shared.h"

/** The training rows as binned records, shared by all trees; free with hg_binned_free(). */
typedef struct hg_binned {
    hg_bins bins;
    hg_layout layout;
    const hg_best_kernel *kernel;
    const unsigned char *row; /**< shape (n, stride): records of one copy, once per node */
    hg_shared shared;         /**< holds them */
} hg_binned;

/** A channel of a binned record.
 *
 * @local
 */
static inline int64_t
hg_binned_channel(const hg_layout *l, const unsigned char *record, int channel)
{
    int64_t value;
    int32_t small;

    if (l->is_long) {
        memcpy(&value, record + 8 * channel, sizeof value);
        return value;
    }
    memcpy(&small, record + 4 * channel, sizeof small);
    return small;
}

/** Bin the rows of a plan.
 *
 * @collective{comm}  every rank has all rows
 * @param[in]  plan    complete but for `binned`
 * @param[out] binned  the same on all ranks; NULL on failure
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_binned_create(const hg_comm *comm, const hg_plan *plan,
                                         hg_binned **binned);

/** Release binned rows; NULL, on all ranks, is fine.
 *
 * @collective{comm}
 */
void hg_binned_free(const hg_comm *comm, hg_binned *binned);

/** Histograms that wait for the node they belong to: at most HG_SLOTS_MAX, within a budget. */
enum { HG_SLOTS_MAX = 8, HG_SLOTS_BYTES = 64 << 20 };

/** Memory of one thread. */
struct hg_binned_space {
    unsigned char *record[2]; /**< shape (n, stride): nodes move to and fro */
    hg_groups groups;
    int64_t *slot; /**< shape (n_slot, n_candidate, most, n_lane) */
    int *place;    /**< shape (n_slot, n_candidate): feature of each histogram, -1 = none */
    int n_slot;
    unsigned used; /**< bit s: slot s is taken */
};

/** Allocate and release the memory of a thread.
 *
 * @local
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_binned_space_create(const hg_plan *plan, hg_binned_space **space);
void hg_binned_space_free(hg_binned_space *space);

/** Fill the first arena with the bag of a tree.
 *
 * @local
 * @param[out] total  shape (n_target + 1): sums of the targets and the weight
 * @return number of distinct rows, at least 1
 */
size_t hg_binned_fill(const hg_plan *plan, hg_space *space, uint64_t tree, int64_t total[]);

/** Grow a tree of best splits into the thread's memory; else as hg_tree_grow().
 *
 * @local
 * @return HG_OK; HG_E_MEMORY; HG_E_ARG when the tree is too large for the node layout
 * @source Breiman 2001, Machine Learning 45, 5
 */
HG_MUST_CHECK hg_status hg_tree_grow_best(const hg_plan *plan, hg_space *space, uint64_t tree);

#endif
