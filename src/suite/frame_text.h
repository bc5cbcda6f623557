/** A frame (cosmology, redshift, box) as text that a model carries, and its comparison with
 * another catalogue's. Layer: suite. */
#ifndef HG_SUITE_FRAME_TEXT_H
#define HG_SUITE_FRAME_TEXT_H

#include "base/text.h"
#include "halograft/error.h"
#include "halograft/table.h"

/** Append "name: value" lines of the known members.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_frame_write(const hg_frame *frame, hg_text *text);

/** Read lines written by hg_frame_write(); absent members are NAN.
 *
 * @local
 * @return HG_OK; HG_E_FORMAT
 */
HG_MUST_CHECK hg_status hg_frame_parse(const char *text, hg_frame *frame);

/** Refuse frames that do not fit: redshift beyond a tolerance, or Omega_m or h beyond a
 * relative one. Members that are unknown on a side are not compared.
 *
 * @local
 * @param[in] a, b        frames
 * @param[in] name_a, name_b  what they belong to, for the message
 * @param[in] redshift    largest difference, dimensionless
 * @param[in] cosmology   largest relative difference
 * @return HG_OK; HG_E_INPUT naming both numbers
 */
HG_MUST_CHECK hg_status hg_frame_compare(const hg_frame *a, const char *name_a,
                                         const hg_frame *b, const char *name_b, double redshift,
                                         double cosmology);

#endif
