/** The training rows that are looked at when a number is chosen from them, and a forest on disk
 * as if it were in memory. Layer: forest. */
#ifndef HG_FOREST_SAMPLE_H
#define HG_FOREST_SAMPLE_H

#include "forest/model.h"

enum { HG_SAMPLE_ROWS = 4096 }; /**< most rows of a sample */

/** Step of the sample in canonical rows (row k step is in it), and how many rows of it are
 * below `end`.
 *
 * @local
 */
int64_t hg_sample_step(int64_t n_row);
int64_t hg_sample_count(int64_t end, int64_t step);

/** Gather the features of the sample of rows that lie on many ranks.
 *
 * @collective{comm}
 * @param[in]  plan  with the rows of this rank
 * @param[in]  f     n_row and n_feature
 * @param[out] n     rows of the sample
 * @param[out] x     shape (n, n_feature); owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_sample_gather(const hg_comm *comm, const hg_plan *plan,
                                         const hg_forest *f, int64_t *n, float **x);

enum { HG_VIEW_ARRAYS = 12 };

/** Arrays of a forest on disk, mapped; {0} is empty. */
typedef struct hg_forest_view {
    void *data[HG_VIEW_ARRAYS];
} hg_forest_view;

/** Let the arrays of a forest on disk that prediction and draws look at be its members.
 *
 * @local  on the rank with the spill
 * @param[in,out] f     the members point into the view until hg_view_close()
 * @param[out]    view  close also after a failure
 * @return HG_OK; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_view_open(hg_forest *f, hg_forest_view *view);
void hg_view_close(hg_forest *f, hg_forest_view *view);

/** Give the pages that were touched back to the system.
 *
 * @local
 */
void hg_view_forget(const hg_forest *f, const hg_forest_view *view);

#endif
