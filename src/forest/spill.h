/** The arrays of a forest that no rank can hold, on disk: one growing file per kind, without a
 * name, which vanishes with the process. Only rank 0 has one. Layer: forest. */
#ifndef HG_FOREST_SPILL_H
#define HG_FOREST_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

/** What is kept. Of trees, tree by tree: nodes, number of leaf-mates per leaf, where they
 * end, weights of the leaf-mates in the bag (copies times integer weight); leaf means and rows
 * of leaf-mates. Of rows, in canonical order, what the model keeps. From the means on in the
 * order of hg_model_list(). */
typedef enum hg_spill_kind {
    HG_SPILL_NODE,
    HG_SPILL_COUNT,
    HG_SPILL_OFFSET,
    HG_SPILL_BAG,
    HG_SPILL_MEAN,
    HG_SPILL_MATE,
    HG_SPILL_KEY,
    HG_SPILL_GROUP,
    HG_SPILL_PARENT,
    HG_SPILL_VALUE,
    HG_SPILL_RESIDUAL,
    HG_SPILL_SHRINK,
    HG_SPILL_OOB_TREES,
    HG_SPILL_WEIGHT,
    HG_SPILL_KINDS
} hg_spill_kind;

/** The files; {.is_open = 0} is empty. */
typedef struct hg_spill {
    int is_open;
    int file[HG_SPILL_KINDS];
    int64_t bytes[HG_SPILL_KINDS];
} hg_spill;

/** Make the files beside `path`.
 *
 * @local
 * @param[out] spill  release with hg_spill_close(), also after a failure
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_spill_open(const char *path, hg_spill *spill);

/** Append bytes to a kind; read bytes of it back.
 *
 * @local
 * @return HG_OK; HG_E_WRITE; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_spill_append(hg_spill *spill, hg_spill_kind kind, size_t n,
                                        const void *data);
HG_MUST_CHECK hg_status hg_spill_read(const hg_spill *spill, hg_spill_kind kind, int64_t offset,
                                      size_t n, void *data);

/** See a kind as an array in memory, of which the system reads what is touched.
 *
 * @local
 * @param[out] data  valid until hg_spill_unmap(); NULL when there are no bytes
 * @return HG_OK; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_spill_map(const hg_spill *spill, hg_spill_kind kind, void *data);
void hg_spill_unmap(const hg_spill *spill, hg_spill_kind kind, void *data);

/** Give the pages of a mapped kind that were touched back to the system.
 *
 * @local
 */
void hg_spill_forget(const hg_spill *spill, hg_spill_kind kind, void *data);

/** Release the files and their space.
 *
 * @local
 */
void hg_spill_close(hg_spill *spill);

#endif
