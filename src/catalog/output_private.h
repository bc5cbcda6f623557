/** Inside of the catalogue writer, shared by output.c (parts) and master.c (headers, master).
 * Layer: catalog.
 */
#ifndef HG_CATALOG_OUTPUT_PRIVATE_H
#define HG_CATALOG_OUTPUT_PRIVATE_H

#include <stdint.h>

#include "catalog/output.h"
#include "store/h5.h"
#include "store/publish.h"

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
    uint64_t hash; /**< xxh3 of the file */
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
    int64_t n_record;
    int64_t room;
    unsigned char *record; /**< records of this rank's parts */
};

/** Record i of an array of records.
 *
 * @local
 */
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

#endif
