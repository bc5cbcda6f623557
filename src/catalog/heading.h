/** Names of the columns of lists that halo finders write, and columns of a plan made from them.
 * Layer: catalog.
 */
#ifndef HG_CATALOG_HEADING_H
#define HG_CATALOG_HEADING_H

#include "catalog/format.h"

enum { HG_HEADING_FIELDS = 512, HG_HEADING_WORD = 64 };

/** Names of a first line such as "#ID(1) hostHalo(2) Mvir(4)". */
typedef struct hg_heading {
    int n;
    char plain[HG_HEADING_FIELDS][HG_HEADING_WORD];  /**< lower case, without "(number)" */
    char stored[HG_HEADING_FIELDS][HG_HEADING_WORD]; /**< as they stand */
} hg_heading;

/** Take the names of a line apart.
 *
 * @local
 * @param[out] heading  at most HG_HEADING_FIELDS names
 */
void hg_heading_read(const char *line, hg_heading *heading);

/** The first column of that plain name, or -1.
 *
 * @local
 */
int hg_heading_find(const hg_heading *heading, const char *name);

/** Add a source from field `at`; of several fields of one name the first or, for `last`, the
 * last.
 *
 * @local
 * @param[out] source  as from hg_plan_add_source()
 * @return HG_OK; HG_E_MEMORY; HG_E_FORMAT
 */
HG_MUST_CHECK hg_status hg_heading_add(const hg_heading *heading, int at, bool last,
                                       const char *name, hg_plan *plan, hg_source **source);

/** Add a vector from three fields, if they are there.
 *
 * @local
 * @param[in]  from    shape (3), plain names
 * @param[out] source  NULL when one is missing
 * @return HG_OK; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_heading_add_vector(const hg_heading *heading,
                                              const char *const from[], const char *name,
                                              hg_plan *plan, hg_source **source);

/** Add all fields whose names are not taken yet, under their plain names as an expression can
 * write them, with their stored values.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_heading_add_others(const hg_heading *heading, hg_plan *plan);

#endif
