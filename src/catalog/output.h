/** The catalogue halograft writes: part files, a virtual master, and a manifest; or, shared,
 * one file and a manifest.
 *
 * NAME.K.hdf5 holds part K; NAME.hdf5 is the master, written last: a catalogue without master
 * is unfinished. A shared catalogue is NAME.hdf5 alone, and bears another name until all of it
 * is written and verified. Layout and attributes follow SOAP (docs/formats/catalogue.md), so
 * that swiftsimio, h5py and halograft itself read it. Part files are byte-identical for any
 * number of ranks. Layer: catalog.
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
    char kind[16];          /**< input, mean, probability, draw, quantile, flag, truth */
    char description[160];
} hg_output_column;

typedef struct hg_output hg_output;

typedef struct hg_output_options {
    const char *path; /**< NAME without .hdf5; its folder must exist */
    bool overwrite;   /**< replace a finished catalogue, which stays whole until the end */
    hg_frame frame;
    int n_column;
    const hg_output_column *column;
    const char *parameters; /**< used parameters as YAML text, stored in the master */
    const char *provenance; /**< further YAML lines (model hash, input identity), or NULL */
    const char *run_name;
    uint64_t seed;
    const char *identity;  /**< lines "what: value" of all that decides the bytes, or NULL; with
                              it a journal is kept and finished parts outlive a run that fails */
    bool resume;           /**< with identity: go on with the parts of an earlier run */
    bool shared;           /**< one file that all ranks write to, see hg_output_shape() */
    int64_t n_row;         /**< of a shared one: rows of the whole catalogue */
    int64_t rows_per_part; /**< of a shared one: rows of all parts but the last */
    bool truth; /**< this is the truth of a mock: hg_catalog_open() refuses it unless told to */
} hg_output_options;

/** Begin a catalogue, then all ranks may write parts. What is left of an unfinished one of this
 * name is removed, unless it is resumed.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_EXISTS when there is a finished one and `overwrite` is false; HG_E_INPUT
 * when what is resumed was begun with other parameters, model or input, which it names;
 * HG_E_ARG; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_output_create(const hg_comm *comm, const hg_output_options *options,
                                         hg_output **output);

/** Of a shared catalogue: make the file, with room on disk for all rows, or open that of an
 * earlier run. To be called once before the first part is written; nothing for others.
 *
 * @collective{comm}
 * @param[in] sample  on rank 0: a table of any rows with the columns of all parts, may be NULL
 *                    when no part is left to do; not looked at on other ranks
 * @return HG_OK; HG_E_WRITE: no space, or a file system that several ranks cannot write to;
 * HG_E_NOTFOUND for a missing column; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_output_shape(const hg_comm *comm, hg_output *output,
                                        const hg_table *sample);

/** Whether a part stands already, whether all of them and the master do (then nothing is left
 * to do but hg_output_finish()), and how many do.
 *
 * @local
 */
bool hg_output_has_part(const hg_output *output, int64_t part);
bool hg_output_is_complete(const hg_output *output);
int64_t hg_output_n_done(const hg_output *output);

/** Enter the parts written since the last call into the journal, flushed to disk.
 *
 * @collective{comm}
 * @return HG_OK; HG_E_WRITE; HG_E_MEMORY
 */
HG_MUST_CHECK hg_status hg_output_commit(const hg_comm *comm, hg_output *output);

/** Write a whole catalogue of rows distributed over ranks in one call: rows in rank order, cut
 * into parts of HG_ROWS_PER_PART rows whatever the number of ranks.
 *
 * @collective{comm}
 * @param[in] table  this rank's rows with all declared columns
 * @return as create, part and finish
 */
HG_MUST_CHECK hg_status hg_output_table(const hg_comm *comm, const hg_output_options *options,
                                        const hg_table *table);

/** Write one part from a table that holds all declared columns; temporary name, checks, rename.
 *
 * @local  parts may be written by any rank in any order, each once; a part may have no rows
 * @param[in] part   0, 1, ... without gaps over all ranks
 * @param[in] table  every declared column, with the same type and width in all parts
 * @return HG_OK; HG_E_NOTFOUND for a missing column; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_output_part(hg_output *output, int64_t part, const hg_table *table);

/** Write master and manifest when all parts stand; frees the object in any case. With `failed`
 * true on any rank nothing more is written and the parts are removed, but for those in a
 * journal: no catalogue is left, or the one that was to be replaced, as it was.
 *
 * @collective{comm}
 * @param[in] output  may be NULL only where hg_output_create() failed; then nothing happens
 * @return HG_OK, also after `failed`; HG_E_ARG when a part is missing; HG_E_WRITE
 */
HG_MUST_CHECK hg_status hg_output_finish(const hg_comm *comm, hg_output *output, bool failed);

#endif
