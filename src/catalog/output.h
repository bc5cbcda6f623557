/** The catalogue halograft writes: part files, a virtual master, and a manifest.
 *
 * NAME.K.hdf5 holds part K; NAME.hdf5 is the master, written last: a catalogue without master
 * is unfinished. Layout and attributes follow SOAP (docs/formats/catalogue.md), so that
 * swiftsimio, h5py and halograft itself read it. Part files are byte-identical for any number
 * of ranks. Layer: catalog.
 */
#ifndef HG_CATALOG_OUTPUT_H
#define HG_CATALOG_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "halograft/comm.h"
#include "halograft/error.h"
#include "halograft/table.h"

/** One dataset of the output: which table column it comes from and how it is described. Known
 * canonical columns (id, position, velocity, m200c, ...) have built-in entries; others
 * (predictions) are declared by the caller. */
typedef struct hg_output_column {
    char name[HG_NAME_MAX]; /**< column of the table */
    char path[128];         /**< dataset, "" = built-in place of a canonical column */
    char unit[HG_UNIT_MAX]; /**< canonical unit, "" = dimensionless */
    char kind[16];          /**< input, mean, draw, quantile, flag, truth */
    char description[160];
} hg_output_column;

typedef struct hg_output hg_output;

typedef struct hg_output_options {
    const char *path; /**< NAME without .hdf5; its folder must exist */
    bool overwrite;
    hg_frame frame;
    int n_column;
    const hg_output_column *column;
    const char *parameters; /**< used parameters as YAML text, stored in the master */
    const char *provenance; /**< further YAML lines (model hash, input identity), or NULL */
    const char *run_name;
    uint64_t seed;
} hg_output_options;

/** Begin a catalogue: claim the names on rank 0, then all ranks may write parts.
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_output_create(const hg_comm *comm, const hg_output_options *options,
                                         hg_output **output);

/** Write one part from a table that holds all declared columns; temporary name, checks, rename.
 *
 * @local  parts may be written by any rank in any order
 */
HG_MUST_CHECK hg_status hg_output_part(hg_output *output, int64_t part, const hg_table *table);

/** Write master and manifest when all parts stand; frees the object in any case. With `failed`
 * true nothing more is written (temporary files are removed).
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_output_finish(const hg_comm *comm, hg_output *output, bool failed);

#endif
