/** The main numbers of a statistics file in the terminal, for those on a login node.
 * Layer: emulate. */
#ifndef HG_EMULATE_SUMMARY_H
#define HG_EMULATE_SUMMARY_H

#include "halograft/error.h"

/** Print scores and, where there is a truth, the ratio of every curve to it, to stdout.
 *
 * @local
 * @param[in] path  statistics file, or the output folder that holds statistics.hdf5
 * @return HG_OK; HG_E_NOTFOUND; HG_E_FORMAT; HG_E_READ
 */
HG_MUST_CHECK hg_status hg_summary_print(const char *path);

#endif
