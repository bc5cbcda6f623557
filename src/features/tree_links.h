/** Links of merger trees over ranks, and what rows of ids need for travel. Layer: features. */
#ifndef HG_FEATURES_TREE_LINKS_H
#define HG_FEATURES_TREE_LINKS_H

#include "features/branches.h"

/** Send rows to the ranks that the id at their beginning chooses.
 *
 * @collective{comm}
 * @param[in]     size  bytes per row; the first 8 are the id
 * @param[in,out] n     rows sent, then rows received
 * @param[in,out] rows  address of the array; it is freed and replaced by what came, which the
 * caller owns; on failure the old one stays
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_tree_send(const hg_comm *comm, size_t size, int64_t *n, void *rows);

/** Orders of numbers, and a sort that takes no rows too.
 *
 * @local
 */
int hg_tree_compare_ids(int64_t a, int64_t b);
int hg_tree_compare_reals(double a, double b);
void hg_tree_sort(void *rows, int64_t n, size_t size,
                  int (*compare)(const void *, const void *));

/** The main branch of each object, as the id of the last object of it.
 *
 * @collective{comm}
 * @param[in]     n         objects of this rank, which their ids chose
 * @param[in,out] row       shape (n); sorted by id and time afterwards
 * @param[out]    label     shape (n)
 * @param[in,out] n_broken  counts links to objects that are not there
 * @return as hg_branches_make()
 */
HG_MUST_CHECK hg_status hg_tree_labels(const hg_comm *comm, hg_link_kind kind, int64_t n,
                                       hg_tree_row row[], int64_t label[], int64_t *n_broken);

#endif
