/** Checks of rows after conversion, the same for every format. Layer: catalog. */
#ifndef HG_CATALOG_CHECK_H
#define HG_CATALOG_CHECK_H

#include <stdint.h>

#include "catalog/format.h"

enum {
    HG_FLAG_PHANTOM = 1,
    HG_FLAG_NOT_COSMOLOGICAL = 2,
    HG_FLAG_WRAPPED = 4,
    HG_FLAG_BAD = 8,
    HG_FLAG_MISSING_HOST = 16
};

enum { HG_HOST_MISSING = -2, HG_CENTRAL_UNKNOWN = 255 };

/** Fold positions into the box and check every row; bad rows are an error with their number and
 * the first five (file, row, column, value), or are dropped, or flagged, as the plan says.
 *
 * @local
 * @param[in]     plan   files, frame and policy
 * @param[in]     first  global row of the table's first
 * @param[in,out] table  rows just read
 * @return HG_OK; HG_E_INPUT
 */
HG_MUST_CHECK hg_status hg_check_rows(const hg_plan *plan, int64_t first, hg_table *table);

/** Fail with HG_E_INPUT when an id (with its region and run, where the table has them) comes
 * twice; catalogues with regions are only checked when the region was read, and merger trees,
 * where an id may be that of a track, not here.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_check_ids(const hg_plan *plan, int64_t first, const hg_table *table);

/** Mass within an overdensity of 200 times critical over what its radius says; 1 when units, h,
 * a and cosmology are right.
 *
 * @local
 * @param[in] mass    Msun
 * @param[in] radius  comoving Mpc
 * @param[in] frame   h, omega_m, omega_l, scale_factor
 * @return the ratio; NAN when a value is missing or zero
 */
double hg_check_overdensity(double mass, double radius, const hg_frame *frame);

#endif
