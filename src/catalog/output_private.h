/** Inside of the catalogue writer: output.c (parts), output_shared.c (one file),
 * output_journal.c (beginning and going on), master.c (headers, master), output_record.c.
 * Layer: catalog.
 */
#ifndef HG_CATALOG_OUTPUT_PRIVATE_H
#define HG_CATALOG_OUTPUT_PRIVATE_H

#include <stdint.h>

#include "catalog/output.h"
#include "store/h5.h"
#include "store/publish.h"
#include "store/rawfile.h"

/** What is known of one dataset of a part. */
typedef struct hg_part_dataset {
    uint64_t sum; /**< xxh3 of the values in memory */
    int32_t type; /**< hg_column_type */
    int32_t width;
} hg_part_dataset;

/** What is known of a part; `part` comes first, records are sorted by it. */
typedef struct hg_part_record {
    int64_t part;
    int64_t rows;
    int64_t bytes;
    uint64_t hash; /**< xxh3 of the file; of a shared one of the sums below */
    hg_part_dataset dataset[];
} hg_part_record;

struct hg_output {
    hg_output_options options; /**< strings and columns are the copies below */
    char path[HG_PATH_MAX];
    bool is_staged; /**< an old catalogue stays until this one is complete */
    char *parameters;
    char *provenance;
    char *run_name;
    hg_output_column *column;
    char *identity;
    bool is_complete; /**< resumed, and nothing is left to do */
    int64_t n_done;   /**< parts of earlier runs that stand */
    int64_t *done;    /**< their numbers, ascending, on all ranks */
    int64_t n_record;
    int64_t n_committed; /**< records that stand in the journal */
    int64_t n_listed;    /**< parts in the journal, of all ranks */
    hg_rawfile *shared;  /**< the file of a shared catalogue */
    int64_t *place;      /**< where its datasets begin, shape (n_column) */
    int64_t room;
    unsigned char *record; /**< records of this rank's parts */
};

/** Record i of an array of records, bytes of one, and the order of parts for qsort().
 *
 * @local
 */
size_t hg_output_record_size(const hg_output *output);
int hg_output_compare(const void *a, const void *b);
hg_part_record *hg_output_record(const hg_output *output, unsigned char *records, int64_t i);

/** Write the groups Header, Cosmology and Units.
 *
 * @local
 * @param[in] part  number of the part, -1 for the master
 * @param[in] rows  rows of this file
 */
HG_MUST_CHECK hg_status hg_output_header(const hg_output *output, hg_h5 *file, int64_t part,
                                         int64_t rows);

/** Write the master and the manifest (rank 0).
 *
 * @local
 * @param[in] n_rank   ranks of the run, for the provenance
 * @param[in] n        number of parts
 * @param[in] records  sorted by part
 */
HG_MUST_CHECK hg_status hg_output_master(hg_output *output, int n_rank, int64_t n,
                                         unsigned char *records);

/** One of the datasets of Provenance/Parts. */
typedef struct hg_part_list {
    const char *name;
    hg_type type;
    int n_dim;
    int64_t dims[2];
    int64_t *data; /**< shape dims, owned by the list; NULL = only its shape is known */
} hg_part_list;

enum { HG_PART_LISTS = 4 };

/** What is known of the parts, as lists; release with hg_output_clear_lists().
 *
 * @local
 * @param[in]  records  shape (n), sorted by part; NULL for the shapes alone
 * @param[out] list     shape (HG_PART_LISTS)
 */
HG_MUST_CHECK hg_status hg_output_part_lists(const hg_output *output, int64_t n,
                                             unsigned char *records, hg_part_list list[]);
void hg_output_clear_lists(hg_part_list list[]);

/** Write the group Provenance: versions, parameters, and what is known of the parts (rank 0).
 *
 * @local
 * @param[in] n_rank   ranks of the run
 * @param[in] records  shape (n), sorted by part; NULL = only the room for it
 */
HG_MUST_CHECK hg_status hg_output_provenance(const hg_output *output, hg_h5 *file, int n_rank,
                                             int64_t n, unsigned char *records);

/** Write the manifest of a catalogue whose master has the hash `master`.
 *
 * @local
 * @param[in] n  part files beside the master
 */
HG_MUST_CHECK hg_status hg_output_manifest(const hg_output *output, int64_t n,
                                           unsigned char *records, uint64_t master);

/** Of a shared catalogue: write a part, and whether one stands as the record says.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_output_shared_part(hg_output *output, int64_t part,
                                              const hg_table *table);
bool hg_output_shared_stands(const hg_output *output, const hg_part_record *record);

/** Verify all of a shared catalogue and give it its final name.
 *
 * @collective{comm}
 * @param[in] records  shape (n), sorted by part, the same on all ranks
 * @return HG_OK; HG_E_WRITE when what is on disk is not what was written
 */
HG_MUST_CHECK hg_status hg_output_shared_seal(const hg_comm *comm, hg_output *output, int64_t n,
                                              unsigned char *records);

/** Room for one more record, zeroed; it counts once n_record is raised.
 *
 * @local
 */
HG_MUST_CHECK hg_status hg_output_add_record(hg_output *output, hg_part_record **record);

/** Begin a catalogue anew, removing what is left of an unfinished one.
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_output_begin(const hg_comm *comm, hg_output *output);

/** Write a journal that lists some parts, replacing an older one (rank 0).
 *
 * @local
 * @param[in] records  shape (n)
 */
HG_MUST_CHECK hg_status hg_output_journal_begin(const hg_output *output, int64_t n,
                                                unsigned char *records);

/** Read the journal of an earlier run (rank 0).
 *
 * @local
 * @param[out] n        number of parts it lists
 * @param[out] records  shape (n), ascending; owned by the caller, free with hg_mem_free()
 * @return HG_OK; HG_E_NOTFOUND; HG_E_INPUT naming what has changed since; HG_E_FORMAT
 */
HG_MUST_CHECK hg_status hg_output_journal_read(const hg_output *output, int64_t *n,
                                               unsigned char **records);

/** Whether the file of a part is there and what the journal says.
 *
 * @local
 */
bool hg_output_part_stands(const hg_output *output, const hg_part_record *record);

/** Go on where an earlier run ended, as options.resume asks: find its journal, check the parts
 * it lists, keep the good ones. Without one the catalogue is begun anew.
 *
 * @collective{comm}
 */
HG_MUST_CHECK hg_status hg_output_resume(const hg_comm *comm, hg_output *output);

#endif
