/** Which rows test a model and which train it: folds by row, by group (region, FoF group,
 * simulation) or by slab of the box, and random shares. Nothing here depends on the order of
 * rows or on the number of ranks. The bags of trees, which draw groups too, are the forest's
 * own (forest/bag.c). Layer: table.
 */
#ifndef HG_TABLE_SPLIT_H
#define HG_TABLE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "halograft/error.h"

/** How folds are made. */
typedef enum hg_split_kind {
    HG_SPLIT_ROWS, /**< every row by itself: rows of one host or place are then in both parts */
    HG_SPLIT_GROUPS, /**< rows with one key together */
    HG_SPLIT_SLABS /**< equal slabs of the box along an axis, with a buffer beside the tested */
} hg_split_kind;

/** A set of folds; check it with hg_split_check() before use. */
typedef struct hg_split {
    hg_split_kind kind;
    int n_fold; /**< 2 or more; for groups also 0: each group is a fold (leave one out) */
    uint64_t seed;
    const char
        *group;    /**< what a group is, for hg_split_describe(): "region", "run"; borrowed */
    int axis;      /**< slabs: 0, 1, 2; the caller passes this coordinate */
    double box;    /**< slabs: side of the periodic box, Mpc */
    double buffer; /**< slabs: rows nearer than this to a tested slab do not train, Mpc */
} hg_split;

/** Refuse numbers that make no folds.
 *
 * @local
 * @return HG_OK; HG_E_PARAM for fewer than two folds, or a buffer that leaves nothing to train
 * on
 */
HG_MUST_CHECK hg_status hg_split_check(const hg_split *split);

/** Deal rows into folds by row or group: distinct keys, in an order that the seed draws, go
 * round the folds, so that folds have equal numbers of them.
 *
 * @local
 * @param[in]  split   of kind rows or groups; n_fold at most the number of distinct keys
 * @param[in]  n       number of rows: all rows, on every rank that asks
 * @param[in]  key     shape (n); identity of the row, or of its group
 * @param[out] fold    shape (n), 0 <= fold < *n_fold
 * @param[out] n_fold  number of folds
 * @return HG_OK; HG_E_INPUT when there are fewer keys than folds; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_split_deal(const hg_split *split, int64_t n, const uint64_t key[],
                                      int fold[], int *n_fold);

/** Slab of a coordinate; the first one begins where the seed draws it.
 *
 * @local
 * @param[in] x  coordinate along the axis, Mpc, in any period
 */
int hg_split_slab(const hg_split *split, double x);

/** Whether a row trains the model that is tested on fold `k`.
 *
 * @local
 * @param[in] fold  of the row
 * @param[in] x     coordinate of the row along the axis, Mpc; used by slabs only
 * @param[in] k     0 <= k < n_fold
 */
bool hg_split_trains(const hg_split *split, int fold, double x, int k);

/** The rule in words, for logs and models: "5 folds of groups by region, seed 1".
 *
 * @local
 * @param[in]  n_fold  number of folds that were dealt
 * @param[in]  n       size of the buffer
 * @param[out] text    filled
 */
void hg_split_describe(const hg_split *split, int n_fold, size_t n, char text[]);

/** Whether an object belongs to a random share of all, decided by its key alone.
 *
 * @local
 * @param[in] key       of the object or its group
 * @param[in] seed      of the run
 * @param[in] fraction  share in [0, 1]
 */
int hg_split_takes(uint64_t key, uint64_t seed, double fraction);

#endif
