/** Any catalogue as a catalogue of halograft's own layout. Layer: emulate. */
#ifndef HG_EMULATE_CONVERT_H
#define HG_EMULATE_CONVERT_H

#include "emulate/extract.h"

/** Read a catalogue part by part, select, thin and join hosts (section Convert), and write it
 * in canonical columns and units, with its orphans behind it if they are wanted. Rows stay in
 * order and fill parts of Output.rows_per_part; the part files have the same bytes for any
 * number of ranks. Ids that come twice are an error.
 *
 * @collective{comm}
 * @param[in] input      where the catalogue is
 * @param[in] path       NAME without .hdf5, or NULL = Convert.name in Output.folder
 * @param[in] overwrite  replace an existing catalogue
 * @param[in] dry_run    say what would be written and stop
 * @return HG_OK; the failures of hg_extract_open() and hg_extract_part(); HG_E_INPUT for an id
 * that comes twice; HG_E_EXISTS; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_convert_run(const hg_comm *comm, const hg_params *params,
                                       const hg_extract_input *input, const char *path,
                                       bool overwrite, bool dry_run);

#endif
