/** Format "soap": catalogues of SOAP, and what halograft's own catalogues share with them.
 * Layer: catalog.
 */
#ifndef HG_CATALOG_SOAP_H
#define HG_CATALOG_SOAP_H

#include "catalog/format.h"

/** Meaning of hg_source.kind: a stored field has the number of its mask, from 1 (0 = none),
 * plus HG_SOAP_HOSTED when satellites take the value of their host; the others are made. */
enum { HG_SOAP_HOSTED = 1 << 12, HG_SOAP_HOST_ID = 1 << 13, HG_SOAP_HOST_ROW };

enum { HG_SOAP_MASKS = 64, HG_SOAP_COUNTS = 6 };

/** Rows whose counts sum to less than the threshold were not computed. */
typedef struct hg_soap_mask {
    int n;
    char count[HG_SOAP_COUNTS][128]; /**< datasets; "" = all zero */
    int64_t threshold;
} hg_soap_mask;

/** What a plan's `extra` holds. */
typedef struct hg_soap_plan {
    int n_mask;
    hg_soap_mask mask[HG_SOAP_MASKS];
} hg_soap_plan;

/** Read rows: masked values are NaN or -1, satellites have the overdensities of their hosts.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_soap_read(const hg_plan *plan, int64_t first, int64_t n,
                                     int n_source, const hg_source *const source[],
                                     hg_table *table);

/** What Header, Cosmology and Units say about all rows; attributes may be arrays of length one.
 *
 * @local
 * @param[in,out] frame  values that the file lacks are left as they are
 * @return HG_OK; HG_E_NOTFOUND without a box; HG_E_FORMAT when the box is no cube
 */
HG_MUST_CHECK hg_status hg_soap_frame(hg_h5 *file, hg_frame *frame);

#endif
