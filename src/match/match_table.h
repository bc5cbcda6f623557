/** The table of pairs that `match` writes and training reads. Layer: match. */
#ifndef HG_MATCH_TABLE_H
#define HG_MATCH_TABLE_H

#include <stdbool.h>

#include "halograft/comm.h"
#include "match/match_choose.h"
#include "match/match_objects.h"

/** Pairs of one region with all objects of both sides. */
typedef struct hg_match_result {
    bool by_place;              /**< else by particles */
    int64_t n[2];               /**< objects of side 0 (to be matched) and 1 (partners) */
    hg_match_object *object[2]; /**< sorted by id by hg_match_sort() */
    int64_t n_pair;
    hg_match_pair *pair; /**< in order of key[0] */
} hg_match_result;

/** Matched and all objects of one type in a bin of mass. */
typedef struct hg_match_fraction {
    double mass_low; /**< log10 Msun; bins are 0.5 dex wide */
    int64_t central; /**< 1, 0, or -1 = not told */
    int64_t n;
    int64_t n_matched;
} hg_match_fraction;

/** Sort objects and pairs by id.
 *
 * @local
 * @return HG_OK; HG_E_INPUT naming a pair whose object is in neither catalogue, or an id that
 * stands twice in one
 */
HG_MUST_CHECK hg_status hg_match_sort(hg_match_result *result, const char *const name[2]);
void hg_match_result_clear(hg_match_result *result);

/** Object of that id of a sorted result, or NULL.
 *
 * @local
 */
const hg_match_object *hg_match_find(const hg_match_result *result, int side, int64_t id);

/** Count matched objects by mass and type.
 *
 * @local
 * @param[out] n         bins with objects
 * @param[out] fractions shape (n), in order of type and mass; owned by the caller, free with
 * hg_mem_free()
 */
HG_MUST_CHECK hg_status hg_match_count(const hg_match_result *result, int side, int *n,
                                       hg_match_fraction **fractions);

/** Write a sorted result as PATH.hdf5, and PATH.csv with the pairs where wanted, atomically.
 *
 * @local
 * @return HG_OK; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_match_table_write(const hg_match_result *result, const char *path,
                                             const char *parameters, bool csv);

/** Two ids that belong together. */
typedef struct hg_match_link {
    int64_t id;      /**< in the catalogue with galaxies */
    int64_t partner; /**< in the one with features */
} hg_match_link;

/** Read a table of pairs: HDF5 with Matched/Id and Matched/PartnerId, or a CSV file whose
 * header line has the columns id and partner_id; a partner below 0 means none.
 *
 * @collective{comm}
 * @param[out] n      pairs
 * @param[out] links  shape (n), in order of partner; the same on all ranks; owned by the
 * caller, free with hg_mem_free()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT naming the line; HG_E_INPUT for an id that stands
 * twice
 */
HG_MUST_CHECK hg_status hg_match_table_read(const hg_comm *comm, const char *path, int64_t *n,
                                            hg_match_link **links);

#endif
