/** The columns apply reads and writes. Layer: emulate. */
#ifndef HG_EMULATE_APPLY_COLUMNS_H
#define HG_EMULATE_APPLY_COLUMNS_H

#include "emulate/graft.h"
#include "halograft/error.h"

/** List the columns to read (`names`) and to write (`output`), and check that the parent has
 * what is needed.
 *
 * @local
 * @param[in,out] g  with recipes, selection and catalogue
 * @return HG_OK; HG_E_NOTFOUND naming missing columns; HG_E_PARAM when there are too many
 */
HG_MUST_CHECK hg_status hg_apply_list_columns(hg_grafter *g);

/** Bytes of the catalogue before compression, so rather more than it will take.
 *
 * @local
 */
double hg_apply_estimate_bytes(const hg_grafter *g);

#endif
