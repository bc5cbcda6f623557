/** Catalogues for other programs: CSV, and tables of HDF5 datasets. Layer: emulate. */
#ifndef HG_EMULATE_EXPORT_H
#define HG_EMULATE_EXPORT_H

#include "emulate/extract.h"

/** Write a catalogue as `path`: .csv, .csv.gz, or .hdf5 (one dataset per column at the root).
 * Rows and columns are chosen as by convert. With Convert.style halotools, names begin with
 * halo_, lengths are in Mpc/h and masses in Msun/h; else names are halograft's own and units
 * canonical. Vectors become columns of numbers (x, y, z; vx, vy, vz; NAME_0, ...). One part is
 * held at a time.
 *
 * @collective{comm}  made for one rank
 * @param[in] input      where the catalogue is
 * @param[in] path       of the file
 * @param[in] overwrite  replace an existing file
 * @return HG_OK; the failures of hg_extract_open() and hg_extract_part(); HG_E_USAGE for
 * another ending; HG_E_INPUT when h is needed and not known; HG_E_EXISTS; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_export_run(const hg_comm *comm, const hg_params *params,
                                      const hg_extract_input *input, const char *path,
                                      bool overwrite);

#endif
