/** Comparison of two files of halograft by content: catalogues, models, statistics, or any two
 * HDF5 files. Layer: audit. */
#ifndef HG_AUDIT_DIFF_H
#define HG_AUDIT_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/findings.h"

/** What counts as equal. */
typedef struct hg_diff_options {
    double relative;  /**< |a - b| <= relative max(|a|, |b|) + absolute */
    double absolute;  /**< in the unit of each dataset */
    bool provenance;  /**< compare the groups Provenance, names of sources and parameters too */
    int64_t rows_max; /**< rows read at a time, 0 = 2^20 */
} hg_diff_options;

/** Compare names, shapes, numbers and attributes of all objects. NaN equals NaN. Both
 * tolerances 0 compare bits, but for the sign of zero. Types may differ when the values agree
 * within a tolerance.
 *
 * @local
 * @param[in,out] findings  a line per object that differs, and one that sums up
 * @return HG_OK, also when the files differ; HG_E_NOTFOUND; HG_E_VERIFY for a seal
 * that is broken, or where a manifest beside a file lists other checksums; HG_E_FORMAT;
 * HG_E_READ; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_diff_files(const char *a, const char *b,
                                      const hg_diff_options *options, hg_findings *findings);

#endif
